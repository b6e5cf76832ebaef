#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <memory>

#include "speed/side.hpp"

namespace octavo::cli {

/// One operation by EVP calls, in slots that do not know of one another.
class EvpWork {
public:
    EvpWork() = default;
    EvpWork(const EvpWork&) = delete;
    EvpWork& operator=(const EvpWork&) = delete;
    virtual ~EvpWork() = default;

    /// May run inside a job. False where OpenSSL reports an error or a wrong signature.
    virtual bool operate(std::size_t slot) = 0;
    /// Compares the results of every slot's last operation with OpenSSL's; Failure where one differs.
    virtual void check() const = 0;
    /// Whom the calls reach.
    virtual const OSSL_PROVIDER* provider() const noexcept = 0;
    /// See Side.
    virtual std::string note() const { return {}; }
};

/// Runs `depth` slots at a time in OpenSSL jobs, or one after another without.
SidePtr make_evp_side(std::unique_ptr<EvpWork> work, std::size_t depth, bool jobs);

}  // namespace octavo::cli
