#pragma once

#include <openssl/types.h>

#include <array>
#include <atomic>

#include "frontend/bridge/registered_key.hpp"

namespace octavo::engine {

/// What belongs to one RSA object: its Octavo key.
class RsaKey {
public:
    static bool attach(RSA* rsa) noexcept;
    static void detach(RSA* rsa) noexcept;
    /// Null for an object that another method made.
    static RsaKey* of(RSA* rsa) noexcept;

    /// False where Octavo does not take the key: leave it to OpenSSL. Public operations alone register the key the second
    /// time: a certificate's key is used once, and the constants cost more than one operation.
    bool private_handle(const RSA* rsa, octavo_key& handle) noexcept;
    bool public_handle(const RSA* rsa, octavo_key& handle) noexcept;
    void forget() noexcept { registered_.forget(); }

private:
    bool handle(const RSA* rsa, octavo_key& handle) noexcept;

    bridge::RegisteredKey registered_;
    std::atomic<unsigned> public_uses_{0};
    // Whose numbers these are: OpenSSL has no hook for RSA_set0_key() and its like, which give the object others.
    std::array<std::atomic<const BIGNUM*>, 3> seen_{};
};

}  // namespace octavo::engine
