#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"

/// Every curve that requests know, on the portable row: OpenSSL, one operation at a time, with a form for each key. The lane rows are in
/// p256/, p384/, x25519/ and ed25519/.
namespace octavo::kernel::curve {

enum class Family : std::uint8_t { weierstrass, montgomery, edwards };

/// What is fixed for a curve. Lengths in bytes.
///   id          as octavo_curve numbers it
///   name        OpenSSL's
///   private_len a scalar, or the bytes of RFC 7748 and RFC 8032
///   public_len  04 || x || y, or the bytes of the RFCs
///   secret_len  what a derivation gives; 0 on Edwards curves
///   signature_len  r || s, or the bytes of RFC 8032; 0 on Montgomery curves
struct Curve {
    std::uint32_t id;
    const char* name;
    Family family;
    std::size_t private_len, public_len, secret_len, signature_len;
};
/// Null for a number that is none.
const Curve* find(std::uint32_t id) noexcept;

/// A key as OpenSSL holds it. Used by any number of threads at once.
class Form;
struct FormDelete {
    void operator()(Form* form) const noexcept;
};
using FormPtr = std::unique_ptr<Form, FormDelete>;

/// `no_memory` stands for every failure that is not the key's.
enum class Fault { ok, private_key, public_key, no_memory };

/// Checks a key's numbers, each of which may be empty; a private key has private_len bytes. On `ok`, `public_key` (public_len bytes, where a
/// public number is given) holds the uncompressed point.
Fault check(const Curve& curve, Bytes private_number, Bytes public_number, MutableBytes public_key) noexcept;

/// The public key of a private one, on a Montgomery or Edwards curve. False: failed.
bool compute_public(const Curve& curve, Bytes private_key, MutableBytes public_key) noexcept;

/// The form of checked numbers, of which one at least is given. Null where memory runs out.
FormPtr make_form(const Curve& curve, Bytes private_number, Bytes public_key) noexcept;

enum class Answer { ok, refused, failed };

/// Signs a digest of 1 to 64 bytes (Weierstrass) or a message (Edwards). False: failed.
bool sign(const Form& form, Bytes message, MutableBytes signature) noexcept;
/// `refused`: not the signature.
Answer verify(const Form& form, Bytes signature, Bytes message) noexcept;
/// `refused`: no point of the curve, infinity, or an all-zero secret.
Answer derive(const Form& form, Bytes peer, MutableBytes secret) noexcept;
/// A new pair. False: failed.
bool generate(const Curve& curve, MutableBytes private_key, MutableBytes public_key) noexcept;

}  // namespace octavo::kernel::curve
