#pragma once

#include <intel-ipsec-mb.h>

#include <memory>

/// What the ciphers of libipsec-mb have in common.
namespace octavo::bridge {

/// Only with a manager from make_ipsec_manager(), or null.
struct FreeIpsecManager {
    void operator()(IMB_MGR* manager) const noexcept;
};
using IpsecManager = std::unique_ptr<IMB_MGR, FreeIpsecManager>;

/// Ready to use; null where memory ran out, or there is no libipsec-mb. The library is loaded by the first call, so that processes without our
/// ciphers are spared its pages.
IpsecManager make_ipsec_manager() noexcept;

}  // namespace octavo::bridge
