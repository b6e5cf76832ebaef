#pragma once

#include <openssl/types.h>

#include <atomic>

#include "frontend/bridge/curve.hpp"
#include "frontend/bridge/registered_key.hpp"

namespace octavo::engine {

/// What belongs to one EC_KEY: its Octavo key.
class EcKey {
public:
    static bool attach(EC_KEY* key) noexcept;
    static void detach(EC_KEY* key) noexcept;
    /// Null for a key that another method made.
    static EcKey* of(const EC_KEY* key) noexcept;

    /// Null where it is none of Octavo's.
    const bridge::Curve* curve(const EC_KEY* key) noexcept;
    /// False where Octavo does not take the key: leave it to OpenSSL.
    bool handle(const EC_KEY* key, const bridge::Curve& curve, octavo_key& handle) noexcept;
    /// The key's numbers are about to change.
    void forget_numbers() noexcept { registered_.forget(); }
    /// Its group is, too.
    void forget() noexcept;

private:
    bridge::RegisteredKey registered_;
    std::atomic<const bridge::Curve*> curve_{nullptr};
};

}  // namespace octavo::engine
