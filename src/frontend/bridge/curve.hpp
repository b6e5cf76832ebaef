#pragma once

#include <openssl/ec.h>

#include <array>
#include <atomic>
#include <span>
#include <string_view>

#include "octavo/octavo.h"

namespace octavo::bridge {

/// The kinds of key, each with its own key management.
enum class KeyKind : std::size_t { rsa, rsa_pss, ec, x25519, x448, ed25519, ed448, dh, dhx, dsa };
inline constexpr std::size_t kNumKeyKinds = 10;

/// A curve that Octavo's operations know. Lengths in bytes.
///   names       OpenSSL's, the first being the one that it answers; unused ones null
///   public_len  04 || x || y, or the bytes of the RFCs
///   secret_len  what a derivation gives; 0 where there is none
///   signature_len  r || s, or the bytes of RFC 8032; 0 where there is none
///   lone        the operations that lanes do faster than OpenSSL even where there is only one: bits 1 << octavo_operation
///   bits, security_bits, max_size  what the default provider says of its keys
struct Curve {
    octavo_curve id;
    KeyKind kind;
    std::array<const char*, 3> names;
    std::size_t private_len, public_len, secret_len, signature_len;
    int bits, security_bits, max_size;
    unsigned lone;
};

inline constexpr std::size_t kMaxPrivateBytes = 66, kMaxPublicBytes = 133, kMaxSecretBytes = 66,
                             kMaxSignatureBytes = 132;

/// Null for a name that is none of these, though OpenSSL may know it: in some of them the case of letters counts there, in some it does not.
const Curve* curve_named(KeyKind kind, std::string_view name) noexcept;
/// The one curve of a kind of key; null for KeyKind::ec, which has many.
const Curve* only_curve(KeyKind kind) noexcept;

/// The curve of a group that OpenSSL has under one of the names; null for others, and for groups that only bear the name: another generator
/// or order than the curve's. Raises nothing.
const Curve* curve_of_group(const EC_GROUP* group) noexcept;

/// An Octavo key that only names the curve, for OCTAVO_EC_GENERATE; made once in a process. False where that fails.
bool generator(const Curve& curve, octavo_key& handle) noexcept;

/// Whether an operation on the curve may run on Octavo here: in a job, or where it is worth it without.
bool may_offload(const Curve& curve, octavo_operation operation) noexcept;
/// Whether to give this one to Octavo, here and now: bridge::is_worth(). Asks once for each operation.
bool offload(const Curve& curve, octavo_operation operation) noexcept;

/// Whether the bytes are an uncompressed point of the curve other than infinity. The order of the curves that Octavo knows is prime: such a
/// point generates the whole group, and nothing else about it need be checked (SP 800-56A, 5.6.2.3.3).
/// Raises nothing.
bool is_point(const Curve& curve, std::span<const std::uint8_t> bytes) noexcept;

}  // namespace octavo::bridge
