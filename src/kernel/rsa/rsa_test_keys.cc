#include "kernel/rsa/rsa_test_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include <algorithm>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernel/rsa/rsa_rows.hpp"

namespace octavo::kernel::rsa::test {
namespace {

void require(bool good, const char* what) {
    if (!good) throw std::runtime_error(std::string("test key: ") + what);
}

BN_CTX* scratch() {
    static thread_local const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> ctx{BN_CTX_new(), &BN_CTX_free};
    return ctx.get();
}

Bn minus_one(const BIGNUM* a) {
    Bn result{BN_dup(a)};
    require(BN_sub_word(result.get(), 1) == 1, "BN_sub_word");
    return result;
}

Bn inverse(const BIGNUM* a, const BIGNUM* m) {
    Bn result{BN_mod_inverse(nullptr, a, m, scratch())};
    require(result != nullptr, "no inverse");
    return result;
}

Bn product(const BIGNUM* a, const BIGNUM* b) {
    Bn result{BN_new()};
    require(BN_mul(result.get(), a, b, scratch()) == 1, "BN_mul");
    return result;
}

Bn remainder(const BIGNUM* a, const BIGNUM* m) {
    Bn result{BN_new()};
    require(BN_nnmod(result.get(), a, m, scratch()) == 1, "BN_nnmod");
    return result;
}

/// Both top bits set, so that two of them make a modulus of full width.
Bn random_prime(std::size_t bits) {
    for (;;) {
        Bn prime{BN_new()};
        require(BN_generate_prime_ex(prime.get(), static_cast<int>(bits), 0, nullptr, nullptr, nullptr) == 1, "prime");
        if (BN_is_bit_set(prime.get(), static_cast<int>(bits) - 2) && BN_mod_word(prime.get(), 65537) != 1)
            return prime;
    }
}

std::vector<TestKey> make_keys(std::size_t bits) {
    constexpr std::size_t kPrimes = 4;  // 4 * 3 ordered pairs
    std::vector<Bn> primes;
    for (std::size_t i = 0; i < kPrimes; ++i) primes.push_back(random_prime(bits / 2));
    std::vector<TestKey> keys;
    for (std::size_t i = 0; i < kPrimes; ++i) {
        for (std::size_t j = 0; j < kPrimes; ++j)
            if (i != j) keys.push_back(key_of_primes({primes[i].get(), primes[j].get()}, 65537));
    }
    return keys;
}

ByteVector number_of(const EVP_PKEY* key, const char* name) {
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
    return bytes_of(Bn{number});
}

}  // namespace

Bn bn(Bytes bytes) { return Bn{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)}; }

Bn bn(std::uint64_t word) {
    Bn number{BN_new()};
    require(BN_set_word(number.get(), word) == 1, "BN_set_word");
    return number;
}

ByteVector bytes_of(const Bn& number, std::size_t len) {
    if (len == 0) len = static_cast<std::size_t>(std::max(1, BN_num_bytes(number.get())));
    ByteVector bytes(len);
    require(BN_bn2binpad(number.get(), bytes.data(), static_cast<int>(len)) >= 0, "too long");
    return bytes;
}

Parts::Parts(const TestKey& key) {
    for (const auto& more : key.extra) extra_.push_back({more.r, more.d, more.t});
    all_ = {.n = key.n,
            .e = key.e,
            .d = key.d,
            .p = key.p,
            .q = key.q,
            .dp = key.dp,
            .dq = key.dq,
            .qinv = key.qinv,
            .extra = extra_};
}

Components Parts::public_only() const {
    Components key;
    key.n = all_.n;
    key.e = all_.e;
    return key;
}

Components Parts::without_crt() const {
    Components key = public_only();
    key.d = all_.d;
    return key;
}

TestKey key_of_primes(const std::vector<const BIGNUM*>& primes, std::uint64_t e_word) {
    Bn n = bn(1), phi = bn(1);
    for (const BIGNUM* prime : primes) {
        n = product(n.get(), prime);
        phi = product(phi.get(), minus_one(prime).get());
    }
    const Bn e = bn(e_word), d = inverse(e.get(), phi.get());
    const auto exponent = [&](const BIGNUM* prime) { return bytes_of(remainder(d.get(), minus_one(prime).get())); };
    const auto plain = [](const BIGNUM* number) { return bytes_of(Bn{BN_dup(number)}); };
    TestKey key{.n = bytes_of(n),
                .e = bytes_of(e),
                .d = bytes_of(d),
                .p = plain(primes[0]),
                .q = plain(primes[1]),
                .dp = exponent(primes[0]),
                .dq = exponent(primes[1]),
                .qinv = bytes_of(inverse(primes[1], primes[0])),
                .extra = {}};
    Bn before = product(primes[0], primes[1]);
    for (std::size_t i = 2; i < primes.size(); ++i) {
        key.extra.push_back({plain(primes[i]), exponent(primes[i]), bytes_of(inverse(before.get(), primes[i]))});
        before = product(before.get(), primes[i]);
    }
    return key;
}

const std::vector<TestKey>& keys_of_size(std::size_t bits) {
    static std::map<std::size_t, std::vector<TestKey>> made;
    auto& keys = made[bits];
    if (keys.empty()) keys = make_keys(bits);
    require(keys.size() == kNumKeys, "number of keys");
    return keys;
}

TestKey generate_key(unsigned bits, std::uint64_t e, unsigned num_primes) {
    const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> ctx{
        EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr), &EVP_PKEY_CTX_free};
    require(EVP_PKEY_keygen_init(ctx.get()) == 1, "keygen_init");
    require(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx.get(), static_cast<int>(bits)) == 1, "bits");
    require(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx.get(), bn(e).get()) == 1, "exponent");
    require(EVP_PKEY_CTX_set_rsa_keygen_primes(ctx.get(), static_cast<int>(num_primes)) == 1, "primes");
    EVP_PKEY* raw = nullptr;
    require(EVP_PKEY_keygen(ctx.get(), &raw) == 1, "keygen");
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> made{raw, &EVP_PKEY_free};
    constexpr const char* kFactors[] = {OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
                                        OSSL_PKEY_PARAM_RSA_FACTOR3, OSSL_PKEY_PARAM_RSA_FACTOR4,
                                        OSSL_PKEY_PARAM_RSA_FACTOR5};
    std::vector<Bn> primes;
    std::vector<const BIGNUM*> borrowed;
    for (unsigned i = 0; i < num_primes; ++i) {
        primes.push_back(bn(Bytes{number_of(made.get(), kFactors[i])}));
        borrowed.push_back(primes.back().get());
    }
    return key_of_primes(borrowed, e);
}

ByteVector mod_exp(Bytes base, Bytes exponent, Bytes modulus) {
    Bn result{BN_new()};
    require(BN_mod_exp(result.get(), bn(base).get(), bn(exponent).get(), bn(modulus).get(), scratch()) == 1, "mod_exp");
    return bytes_of(result, modulus.size());
}

ByteVector random_below(Bytes modulus) {
    Bn result{BN_new()};
    require(BN_rand_range(result.get(), bn(modulus).get()) == 1, "BN_rand_range");
    return bytes_of(result, modulus.size());
}

void Forms::Free::operator()(void* memory) const noexcept { ::operator delete (memory, std::align_val_t{64}); }

std::unique_ptr<void, Forms::Free> Forms::allocate(std::size_t size) {
    return std::unique_ptr<void, Free>{::operator new (size, std::align_val_t{64})};
}

Forms::Forms(const Components& key) : ref_(make_ref_form(key)) {
    require(ref_ != nullptr, "no portable form");
    forms_.ref = ref_.get();
    if (takes_public_lanes(key)) {
        public_memory_ = allocate(kPublicFormSize);
        forms_.public_form = prepare_public(key, public_memory_.get());
    }
    if (takes_private_lanes(key)) {
        private_memory_ = allocate(kPrivateFormSize);
        forms_.private_form = prepare_private(key, private_memory_.get());
    }
}

MutableBytes Forms::private_memory() {
    if (!private_memory_) return {};
    return {static_cast<std::uint8_t*>(private_memory_.get()), kPrivateFormSize};
}

Scratch::Scratch(const Row& row) : lines_((row.scratch_len + sizeof(Line) - 1) / sizeof(Line)) {
    for (auto& line : lines_) line.bytes.fill(kPattern);
}

bool Scratch::clean() const {
    return std::all_of(lines_.begin(), lines_.end(), [](const Line& line) {
        return std::all_of(line.bytes.begin(), line.bytes.end(),
                           [](std::uint8_t byte) { return byte == 0 || byte == kPattern; });
    });
}

}  // namespace octavo::kernel::rsa::test
