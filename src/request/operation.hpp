#pragma once

#include <octavo/octavo.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace octavo::request {

/// Operands and results of requests that go through a ring, in bytes: a modulus of 16384 bits.
inline constexpr std::size_t kMaxOperand = 2048;

/// What may run in one batch: one operation at one size. A request's class is found once, from its key, when the key is registered.
enum class Class : std::uint8_t {
    rsa2048_private,
    rsa2048_public,
    rsa3072_private,
    rsa3072_public,
    rsa4096_private,
    rsa4096_public,
    modexp2048,
    modexp3072,
    modexp4096,
    p256_sign,
    p256_verify,
    p256_derive,
    p256_generate,
    p384_sign,
    p384_verify,
    p384_derive,
    p384_generate,
    x25519_derive,
    x25519_generate,
    ed25519_sign,
    ed25519_verify,
    ed25519_generate,
    portable,  ///< any operation that only the portable row takes, one at a time
};
inline constexpr std::size_t kNumLaneClasses = static_cast<std::size_t>(Class::portable);
inline constexpr std::size_t kNumClasses = kNumLaneClasses + 1;

constexpr std::size_t index(Class c) noexcept { return static_cast<std::size_t>(c); }

/// Where a request of a key goes: its class and, for `Class::portable`, why; and whether a signature is verified before it leaves.
struct Route {
    Class where = Class::portable;
    octavo_fallback reason = OCTAVO_FALLBACK_CPU;
    bool is_checked = false;
};

}  // namespace octavo::request
