#pragma once

#include <openssl/bn.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernel/rsa/rsa.hpp"

/// Keys and big numbers for tests of RSA, by OpenSSL's default context: independent of every row's code.
namespace octavo::kernel::rsa::test {

using ByteVector = std::vector<std::uint8_t>;

struct BnFree {
    void operator()(BIGNUM* number) const noexcept { BN_clear_free(number); }
};
using Bn = std::unique_ptr<BIGNUM, BnFree>;
Bn bn(Bytes bytes);
Bn bn(std::uint64_t word);
/// Big-endian, `len` bytes; 0: as many as the number needs, at least one.
ByteVector bytes_of(const Bn& number, std::size_t len = 0);

struct TestKey {
    struct Extra {
        ByteVector r, d, t;
    };
    ByteVector n, e, d, p, q, dp, dq, qinv;
    std::vector<Extra> extra;

    std::size_t len() const { return n.size(); }
};

/// Borrows from a TestKey, which must stay where it is and unchanged.
class Parts {
public:
    explicit Parts(const TestKey& key);
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;
    const Components& all() const { return all_; }
    Components public_only() const;
    Components without_crt() const;

private:
    std::vector<ExtraPrime> extra_;
    Components all_;
};

/// A key of these primes; the first two are p and q, further ones make a multi-prime key.
TestKey key_of_primes(const std::vector<const BIGNUM*>& primes, std::uint64_t e);

/// `num` different keys of `bits` bits with exponent 65537, p > q and p < q in turn. Few primes make many keys, because
/// finding primes is slow. Made once per process.
const std::vector<TestKey>& keys_of_size(std::size_t bits);
inline constexpr std::size_t kNumKeys = 12;

/// A fresh key from OpenSSL's own generator.
TestKey generate_key(unsigned bits, std::uint64_t e, unsigned num_primes = 2);

/// base^exponent mod modulus, `modulus` odd, as long as the modulus.
ByteVector mod_exp(Bytes base, Bytes exponent, Bytes modulus);

/// Uniform, less than the modulus, as long as it.
ByteVector random_below(Bytes modulus);

/// Forms of one key for every row that takes it, in memory of their own.
class Forms {
public:
    explicit Forms(const Components& key);
    const KeyForms& get() const { return forms_; }
    /// The private form's memory, for tests that damage it; empty if there is none.
    MutableBytes private_memory();

private:
    struct Free {
        void operator()(void* memory) const noexcept;
    };
    static std::unique_ptr<void, Free> allocate(std::size_t size);

    std::unique_ptr<void, Free> public_memory_, private_memory_;
    RefFormPtr ref_;
    KeyForms forms_;
};

/// Scratch memory for a row, full of a pattern at first.
class Scratch {
public:
    explicit Scratch(const Row& row);
    void* data() { return lines_.data(); }
    /// True where every byte is still the pattern, or has been wiped.
    bool clean() const;

private:
    struct alignas(64) Line {
        std::array<std::uint8_t, 64> bytes;
    };
    static constexpr std::uint8_t kPattern = 0xA5;
    std::vector<Line> lines_;
};

}  // namespace octavo::kernel::rsa::test
