#pragma once

#include <atomic>
#include <cstdint>

#include "frontend/bridge/registered_key.hpp"
#include "frontend/provider/provider.hpp"
#include "octavo/octavo.h"

namespace octavo::provider {

/// An RSA key as OpenSSL holds it: its twin on the default side, which has the numbers, and an Octavo key, which is registered when
/// an operation first wants it. Counted references: operation contexts outlive the EVP_PKEY. Any number of threads may use
/// one key at once; no lock.
class Key {
public:
    /// Takes the twin. Null when memory has run out; the twin is freed then.
    static Key* adopt(const Provider& provider, KeyKind kind, void* twin) noexcept;

    Key* retain() noexcept;
    void release() noexcept;

    const Provider& provider() const noexcept { return provider_; }
    const KeyFunctions& functions() const noexcept { return functions_; }
    KeyKind kind() const noexcept { return kind_; }
    void* twin() const noexcept { return twin_; }
    /// Forgets what was computed from the numbers: they are about to change.
    void forget() noexcept;

    /// The modulus length in bits and bytes; 0 for a key without numbers.
    std::size_t bits() noexcept;
    std::size_t bytes() noexcept { return (bits() + 7) / 8; }

    /// False where Octavo does not take the key or the operation does not pay: use the twin.
    /// Public operations alone register the key the second time: a certificate's key is used once, and the
    /// constants cost more than one operation.
    bool private_handle(octavo_key& handle) noexcept;
    bool public_handle(octavo_key& handle) noexcept;

private:
    Key(const Provider& provider, KeyKind kind, void* twin) noexcept;
    ~Key();

    bool handle(octavo_key& handle) noexcept;
    octavo_status register_numbers(octavo_key& handle) noexcept;
    std::size_t read_bits() noexcept;

    const Provider& provider_;
    const KeyFunctions& functions_;
    const KeyKind kind_;
    void* const twin_;
    std::atomic<std::uint32_t> references_{1};
    std::atomic<std::uint32_t> bits_{0};
    std::atomic<std::uint32_t> public_uses_{0};
    bridge::RegisteredKey registered_;
};

}  // namespace octavo::provider
