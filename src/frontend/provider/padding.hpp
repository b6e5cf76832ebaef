#pragma once

#include <cstdint>
#include <span>

#include "frontend/provider/digest.hpp"

/// PKCS#1 v1.5 encodings (RFC 8017, 7.2 and 9.2), to the modulus length `em.size()`.
namespace octavo::provider {

using Bytes = std::span<const std::uint8_t>;
using Buffer = std::span<std::uint8_t>;

/// 00 01 FF..FF 00 prefix digest. False where it does not fit with eight FF. Time depends on lengths alone.
[[nodiscard]] bool pkcs1_encode(Buffer em, Bytes prefix, Bytes digest) noexcept;

/// Finds what an encoding of type 1 holds, for public data: empty-handed (null) where it is not one.
/// Time depends on the data.
[[nodiscard]] bool pkcs1_decode(Bytes em, Bytes& message) noexcept;

/// The TLS premaster secret in an encoding of type 2 (RFC 5246, 7.4.7.1; RFC 8017, 7.2.2).
///   em         the decrypted block, secret; at least kTlsPremaster + 11 bytes
///   premaster  kTlsPremaster bytes: what `em` holds where its form, its length and the version in it (`client`, or `alternative`
///              unless 0) are right, else `random`
/// No branch, index or time depends on em or random: a caller cannot tell which it was.
inline constexpr std::size_t kTlsPremaster = 48;
void tls_decode(Bytes em, unsigned client, unsigned alternative, std::span<const std::uint8_t, kTlsPremaster> random,
                std::span<std::uint8_t, kTlsPremaster> premaster) noexcept;

}  // namespace octavo::provider
