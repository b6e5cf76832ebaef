#pragma once

#include <intel-ipsec-mb.h>

#include <memory>

/// What the ciphers of libipsec-mb have in common.
namespace octavo::bridge {

struct FreeIpsecManager {
    void operator()(IMB_MGR* manager) const noexcept { free_mb_mgr(manager); }
};
using IpsecManager = std::unique_ptr<IMB_MGR, FreeIpsecManager>;

/// Ready to use; null where memory ran out.
inline IpsecManager make_ipsec_manager() noexcept {
    IpsecManager made(alloc_mb_mgr(0));
    if (made != nullptr) init_mb_mgr_auto(made.get(), nullptr);
    return made;
}

}  // namespace octavo::bridge
