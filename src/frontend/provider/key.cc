#include "frontend/provider/key.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <new>

namespace octavo::provider {
namespace {

constexpr std::size_t kMaxExtraPrimes = 3;

const char* const kNames[] = {
    OSSL_PKEY_PARAM_RSA_N,
    OSSL_PKEY_PARAM_RSA_E,
    OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2,
    OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2,
    OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    OSSL_PKEY_PARAM_RSA_FACTOR3,
    OSSL_PKEY_PARAM_RSA_EXPONENT3,
    OSSL_PKEY_PARAM_RSA_COEFFICIENT2,
    OSSL_PKEY_PARAM_RSA_FACTOR4,
    OSSL_PKEY_PARAM_RSA_EXPONENT4,
    OSSL_PKEY_PARAM_RSA_COEFFICIENT3,
    OSSL_PKEY_PARAM_RSA_FACTOR5,
    OSSL_PKEY_PARAM_RSA_EXPONENT5,
    OSSL_PKEY_PARAM_RSA_COEFFICIENT4,
};
constexpr std::size_t kNumNumbers = std::size(kNames);
constexpr std::size_t kFirstExtra = kNumNumbers - 3 * kMaxExtraPrimes;

/// A key's numbers, read from its twin: big-endian, wiped in the end.
class Numbers {
public:
    Numbers(const KeyFunctions& functions, void* twin, std::size_t bytes) noexcept
        : bytes_(bytes), memory_(new (std::nothrow) std::uint8_t[bytes * kNumNumbers]) {
        if (memory_ == nullptr) return;
        std::array<OSSL_PARAM, kNumNumbers + 1> params;
        for (std::size_t i = 0; i < kNumNumbers; ++i)
            params[i] = OSSL_PARAM_construct_BN(kNames[i], memory_.get() + i * bytes, bytes);
        params[kNumNumbers] = OSSL_PARAM_construct_end();
        if (functions.get_params(twin, params.data()) != 1) return;
        for (std::size_t i = 0; i < kNumNumbers; ++i) take(i, params[i]);
        complete_ = true;
    }
    ~Numbers() {
        if (memory_ != nullptr) OPENSSL_cleanse(memory_.get(), bytes_ * kNumNumbers);
    }

    bool complete() const noexcept { return complete_; }
    octavo_number operator[](std::size_t i) const noexcept { return numbers_[i]; }
    std::size_t num_extra_primes() const noexcept {
        std::size_t count = 0;
        while (count < kMaxExtraPrimes && numbers_[kFirstExtra + 3 * count].data != nullptr) ++count;
        return count;
    }

private:
    void take(std::size_t i, const OSSL_PARAM& param) noexcept {
        if (OSSL_PARAM_modified(&param) == 0) return;
        auto* data = static_cast<std::uint8_t*>(param.data);
        // OpenSSL's integers are in the byte order of the machine.
        if constexpr (std::endian::native == std::endian::little) std::reverse(data, data + param.return_size);
        numbers_[i] = {data, param.return_size};
    }

    std::size_t bytes_;
    std::unique_ptr<std::uint8_t[]> memory_;
    std::array<octavo_number, kNumNumbers> numbers_{};
    bool complete_ = false;
};

}  // namespace

Key* Key::adopt(const Provider& provider, KeyKind kind, void* twin) noexcept {
    if (twin == nullptr) return nullptr;
    auto* key = new (std::nothrow) Key(provider, kind, twin);
    if (key == nullptr) provider.standard.keys(kind).free(twin);
    return key;
}

Key::Key(const Provider& provider, KeyKind kind, void* twin) noexcept
    : provider_(provider), functions_(provider.standard.keys(kind)), kind_(kind), twin_(twin) {}

Key::~Key() {
    forget();
    functions_.free(twin_);
}

Key* Key::retain() noexcept {
    references_.fetch_add(1, std::memory_order_relaxed);
    return this;
}

void Key::release() noexcept {
    // acq_rel: what other threads did with the key comes before its end
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void Key::forget() noexcept {
    registered_.forget();
    bits_.store(0, std::memory_order_relaxed);
}

std::size_t Key::bits() noexcept {
    const auto known = bits_.load(std::memory_order_relaxed);
    return known != 0 ? known : read_bits();
}

std::size_t Key::read_bits() noexcept {
    int bits = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_BITS, &bits), OSSL_PARAM_construct_end()};
    if (functions_.get_params(twin_, params) != 1 || bits < 0) return 0;
    bits_.store(static_cast<std::uint32_t>(bits), std::memory_order_relaxed);
    return static_cast<std::size_t>(bits);
}

bool Key::private_handle(octavo_key& handle) noexcept {
    return functions_.has(twin_, OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 1 && this->handle(handle);
}

bool Key::public_handle(octavo_key& handle) noexcept {
    if (!registered_.is_decided() && public_uses_.fetch_add(1, std::memory_order_relaxed) == 0) return false;
    return this->handle(handle);
}

bool Key::handle(octavo_key& handle) noexcept {
    return registered_.get(handle, [this](octavo_key& made) noexcept { return register_numbers(made); });
}

octavo_status Key::register_numbers(octavo_key& handle) noexcept {
    const Numbers numbers(functions_, twin_, std::max<std::size_t>(bytes(), 1));
    if (!numbers.complete()) return OCTAVO_ERR_UNSUPPORTED;
    std::array<octavo_rsa_prime, kMaxExtraPrimes> extra{};
    for (std::size_t i = 0; i < kMaxExtraPrimes; ++i)
        extra[i] = {numbers[kFirstExtra + 3 * i], numbers[kFirstExtra + 3 * i + 1], numbers[kFirstExtra + 3 * i + 2]};
    octavo_rsa_key key{};
    key.size = sizeof key;
    key.n = numbers[0];
    key.e = numbers[1];
    key.d = numbers[2];
    key.p = numbers[3];
    key.q = numbers[4];
    key.dp = numbers[5];
    key.dq = numbers[6];
    key.qinv = numbers[7];
    key.extra_primes = extra.data();
    key.num_extra_primes = numbers.num_extra_primes();
    return octavo_key_create_rsa(&key, &handle);
}

}  // namespace octavo::provider
