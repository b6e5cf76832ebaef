#pragma once

#include <openssl/types.h>

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

    /// False where Octavo does not take the key: leave it to OpenSSL.
    bool handle(const EC_KEY* key, const bridge::Curve& curve, octavo_key& handle) noexcept;
    /// The key's numbers are about to change.
    void forget() noexcept { registered_.forget(); }

private:
    bridge::RegisteredKey registered_;
};

}  // namespace octavo::engine
