#pragma once

#include <octavo/octavo.h>

#include <cstdint>
#include <span>
#include <vector>

/// RSA keys as bytes, made with OpenSSL's big numbers, and an oracle on the same. For tests and fuzz targets: no GoogleTest here.
namespace api_test {

using Buffer = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

struct ExtraParts {
    Buffer prime, exponent, coefficient;
};

/// A key's numbers in memory that a test may spoil.
struct RsaParts {
    Buffer n, e, d, p, q, dp, dq, qinv;
    std::vector<ExtraParts> extra;
};

/// The parts as the C struct, which borrows from them.
class RawKey {
public:
    explicit RawKey(const RsaParts& parts);
    octavo_rsa_key& operator*() { return raw_; }
    octavo_rsa_key* operator->() { return &raw_; }
    octavo_rsa_key* get() { return &raw_; }
    octavo_rsa_prime& extra(std::size_t i) { return extra_[i]; }

private:
    std::vector<octavo_rsa_prime> extra_;
    octavo_rsa_key raw_{};
};

/// A new random key. `num_primes` from 2 to 5.
RsaParts random_parts(int bits, std::uint64_t e = 65537, int num_primes = 2);
/// A random key with p of `p_bits` and q of `q_bits`.
RsaParts unequal_parts(int p_bits, int q_bits);
/// The product of two well-known primes (RFC 3526 and RFC 7919) of half its width, because random ones would take minutes: for `bits` 4096,
/// 6144, 8192, 12288 or 16384.
RsaParts well_known_parts(int bits);
/// A key made once per process and width, random up to 4096 bits and well-known above.
const RsaParts& shared_parts(int bits);
/// Parts with these primes, whatever they are, and everything else computed as if all were well.
RsaParts parts_from(const std::vector<Buffer>& primes, std::uint64_t e);
Buffer random_prime(int bits, std::uint64_t e);

/// The same key without its CRT values.
RsaParts without_crt(RsaParts parts);
/// The same key's public half.
RsaParts public_half(const RsaParts& parts);

/// base^exponent mod modulus, by OpenSSL, as long as the modulus.
Buffer mod_exp(View base, View exponent, View modulus);
/// A random number below `modulus`, as long as it.
Buffer random_below(View modulus);
/// `number` plus or minus a small number, of the same length.
Buffer plus(View number, int addend);
Buffer sum(View a, View b);
Buffer product(View a, View b);
Buffer small_number(std::uint64_t value);

}  // namespace api_test
