#pragma once

#include <cstdint>
#include <span>

#include "octavo/octavo.h"

/// Exponentiation with secret exponents for front ends: Diffie-Hellman and DSA.
namespace octavo::bridge {

/// The largest modulus that exponentiation takes: 8192 bits.
inline constexpr std::size_t kMaxFieldBytes = 1024;

/// What an exponent's length is rounded up to, so that its own leading zeros do not show.
inline constexpr std::size_t kExponentStep = 8;

/// The length in bytes that an exponent of `len` bytes is given, for a modulus of `modulus_len` bytes.
std::size_t exponent_len(std::size_t len, std::size_t modulus_len) noexcept;

/// An Octavo key for a modulus, big-endian without leading zeros, and exponents of a length; made once in a process for each of the first few
/// that are asked for: groups are few. False where Octavo does not take the modulus or has enough: use OpenSSL.
bool modulus_key(std::span<const std::uint8_t> modulus, std::size_t exponent_len, octavo_key& handle) noexcept;

/// out = base^exponent mod modulus in the current job, or on lanes where they are worth it. OCTAVO_PORTABLE where OpenSSL is to do it,
/// else what run_raw() answers.
///   modulus    big-endian without leading zeros
///   base, out  as long as the modulus; base less than it
///   exponent   secret; its length is not
octavo_status mod_exp(std::span<const std::uint8_t> modulus, std::span<const std::uint8_t> base,
                      std::span<const std::uint8_t> exponent, std::span<std::uint8_t> out) noexcept;

}  // namespace octavo::bridge
