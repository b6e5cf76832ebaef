#define OPENSSL_SUPPRESS_DEPRECATED  // RSA objects are what an ENGINE is about
#include "frontend/engine/rsa_key.hpp"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include <memory>
#include <new>

#include "frontend/engine/attached.hpp"

namespace octavo::engine {
namespace {

constexpr int kMaxExtraPrimes = 3;
constexpr std::size_t kMaxNumbers = 8 + 3 * kMaxExtraPrimes;

struct Kind {
    using Key = RSA;
    using State = RsaKey;
    static int new_index(CRYPTO_EX_dup* duplicate) {
        return RSA_get_ex_new_index(0, nullptr, nullptr, duplicate, nullptr);
    }
    static void* get(const RSA* rsa, int index) { return RSA_get_ex_data(rsa, index); }
    static int set(RSA* rsa, int index, void* state) { return RSA_set_ex_data(rsa, index, state); }
};
using Place = Attached<Kind>;

/// Big-endian copies of a key's numbers, wiped in the end. One that does not fit its key is left to OpenSSL, and so is refused.
class Numbers {
public:
    explicit Numbers(std::size_t len) noexcept
        : len_(len), memory_(new (std::nothrow) std::uint8_t[len * kMaxNumbers]) {}
    ~Numbers() {
        if (memory_ != nullptr) OPENSSL_cleanse(memory_.get(), len_ * kMaxNumbers);
    }
    bool good() const noexcept { return memory_ != nullptr && !too_long_; }

    octavo_number copy(const BIGNUM* number) noexcept {
        if (memory_ == nullptr || number == nullptr) return {nullptr, 0};
        auto* place = memory_.get() + len_ * used_++;
        if (BN_bn2binpad(number, place, static_cast<int>(len_)) < 0) too_long_ = true;
        return {place, len_};
    }

private:
    std::size_t len_;
    std::unique_ptr<std::uint8_t[]> memory_;
    std::size_t used_ = 0;
    bool too_long_ = false;
};

using ExtraPrimes = std::array<octavo_rsa_prime, kMaxExtraPrimes>;

bool copy_extra_primes(const RSA* rsa, int count, Numbers& numbers, ExtraPrimes& extra) {
    std::array<const BIGNUM*, kMaxExtraPrimes> primes{}, exponents{}, coefficients{};
    if (RSA_get0_multi_prime_factors(rsa, primes.data()) != 1 ||
        RSA_get0_multi_prime_crt_params(rsa, exponents.data(), coefficients.data()) != 1)
        return false;
    for (int j = 0; j < count; ++j) {
        const auto i = static_cast<std::size_t>(j);
        extra[i] = {numbers.copy(primes[i]), numbers.copy(exponents[i]), numbers.copy(coefficients[i])};
    }
    return true;
}

octavo_status register_numbers(const RSA* rsa, octavo_key& handle) {
    const BIGNUM *n = nullptr, *e = nullptr, *d = nullptr, *p = nullptr, *q = nullptr;
    const BIGNUM *dp = nullptr, *dq = nullptr, *qinv = nullptr;
    RSA_get0_key(rsa, &n, &e, &d);
    RSA_get0_factors(rsa, &p, &q);
    RSA_get0_crt_params(rsa, &dp, &dq, &qinv);
    const int num_extra = RSA_get_multi_prime_extra_count(rsa);
    if (n == nullptr || num_extra > kMaxExtraPrimes) return OCTAVO_ERR_UNSUPPORTED;
    Numbers numbers(static_cast<std::size_t>(BN_num_bytes(n)));
    ExtraPrimes extra{};
    if (num_extra > 0 && !copy_extra_primes(rsa, num_extra, numbers, extra)) return OCTAVO_ERR_UNSUPPORTED;
    octavo_rsa_key key{};
    key.size = sizeof key;
    key.n = numbers.copy(n);
    key.e = numbers.copy(e);
    key.d = numbers.copy(d);
    // OpenSSL computes with them only where all are there.
    if (p != nullptr && q != nullptr && dp != nullptr && dq != nullptr && qinv != nullptr) {
        key.p = numbers.copy(p);
        key.q = numbers.copy(q);
        key.dp = numbers.copy(dp);
        key.dq = numbers.copy(dq);
        key.qinv = numbers.copy(qinv);
        key.extra_primes = extra.data();
        key.num_extra_primes = static_cast<std::size_t>(num_extra);
    }
    return numbers.good() ? octavo_key_create_rsa(&key, &handle) : OCTAVO_ERR_UNSUPPORTED;
}

}  // namespace

bool RsaKey::attach(RSA* rsa) noexcept { return Place::attach(rsa); }
void RsaKey::detach(RSA* rsa) noexcept { Place::detach(rsa); }
RsaKey* RsaKey::of(RSA* rsa) noexcept { return Place::of(rsa); }

bool RsaKey::private_handle(const RSA* rsa, octavo_key& handle) noexcept {
    return RSA_get0_d(rsa) != nullptr && this->handle(rsa, handle);
}

bool RsaKey::public_handle(const RSA* rsa, octavo_key& handle) noexcept {
    if (!registered_.is_decided() && public_uses_.fetch_add(1, std::memory_order_relaxed) == 0) return false;
    return this->handle(rsa, handle);
}

bool RsaKey::handle(const RSA* rsa, octavo_key& handle) noexcept {
    const std::array<const BIGNUM*, 3> now{RSA_get0_n(rsa), RSA_get0_d(rsa), RSA_get0_p(rsa)};
    for (std::size_t i = 0; i < now.size(); ++i) {
        const auto* before = seen_[i].exchange(now[i], std::memory_order_relaxed);
        if (before != nullptr && before != now[i]) registered_.forget();
    }
    return registered_.get(handle, [rsa](octavo_key& made) noexcept { return register_numbers(rsa, made); });
}

}  // namespace octavo::engine
