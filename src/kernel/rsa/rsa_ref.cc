#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <new>
#include <utility>

#include "base/wipe.hpp"
#include "kernel/evp_ref.hpp"
#include "kernel/openssl_ref.hpp"
#include "kernel/rsa/rsa.hpp"
#include "kernel/rsa/rsa_rows.hpp"

namespace octavo::kernel::rsa {
namespace {

constexpr std::size_t kMaxPrimes = 5;  // OpenSSL's RSA_MAX_PRIME_NUM
constexpr std::array kFactorNames = {OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
                                     OSSL_PKEY_PARAM_RSA_FACTOR3, OSSL_PKEY_PARAM_RSA_FACTOR4,
                                     OSSL_PKEY_PARAM_RSA_FACTOR5};
constexpr std::array kExponentNames = {OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
                                       OSSL_PKEY_PARAM_RSA_EXPONENT3, OSSL_PKEY_PARAM_RSA_EXPONENT4,
                                       OSSL_PKEY_PARAM_RSA_EXPONENT5};
constexpr std::array kCoefficientNames = {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, OSSL_PKEY_PARAM_RSA_COEFFICIENT2,
                                          OSSL_PKEY_PARAM_RSA_COEFFICIENT3, OSSL_PKEY_PARAM_RSA_COEFFICIENT4};
constexpr std::size_t kMaxNumbers = 3 + 3 * kMaxPrimes;

/// Calls `use(name, number)` for every number of a key that is there.
template <typename Use>
void for_each_number(const Components& key, Use&& take) {
    const auto use = [&](const char* name, Bytes number) { take(name, without_leading_zeros(number)); };
    use(OSSL_PKEY_PARAM_RSA_N, key.n);
    use(OSSL_PKEY_PARAM_RSA_E, key.e);
    if (key.d.empty()) return;
    use(OSSL_PKEY_PARAM_RSA_D, key.d);
    if (key.p.empty()) return;
    use(kFactorNames[0], key.p);
    use(kFactorNames[1], key.q);
    use(kExponentNames[0], key.dp);
    use(kExponentNames[1], key.dq);
    use(kCoefficientNames[0], key.qinv);
    for (std::size_t i = 0; i < key.extra.size(); ++i) {
        use(kFactorNames[i + 2], key.extra[i].r);
        use(kExponentNames[i + 2], key.extra[i].d);
        use(kCoefficientNames[i + 1], key.extra[i].t);
    }
}

/// A key's numbers as parameters for EVP_PKEY_fromdata, over memory of their own that is wiped.
class KeyParams {
public:
    KeyParams() = default;
    KeyParams(const KeyParams&) = delete;
    KeyParams& operator=(const KeyParams&) = delete;
    ~KeyParams() {
        if (memory_) wipe(memory_.get(), size_);
    }

    bool copy(const Components& key) noexcept {
        if (key.extra.size() + 2 > kMaxPrimes) return false;
        for_each_number(key, [&](const char*, Bytes number) { size_ += number.size(); });
        memory_.reset(new (std::nothrow) unsigned char[size_]);
        if (!memory_) return false;
        unsigned char* at = memory_.get();
        OSSL_PARAM* param = params_.data();
        for_each_number(key, [&](const char* name, Bytes number) {
            std::reverse_copy(number.begin(), number.end(), at);  // OSSL_PARAM integers are in native order
            *param++ = OSSL_PARAM_construct_BN(name, at, number.size());
            at += number.size();
        });
        *param = OSSL_PARAM_construct_end();
        return true;
    }
    /// EVP_PKEY_fromdata does not write to it.
    OSSL_PARAM* get() const noexcept { return const_cast<OSSL_PARAM*>(params_.data()); }

private:
    std::unique_ptr<unsigned char[]> memory_;
    std::size_t size_ = 0;
    std::array<OSSL_PARAM, kMaxNumbers + 1> params_{};
};

PkeyPtr make_pkey(const KeyParams& params, bool has_private) noexcept {
    OSSL_LIB_CTX* lib = openssl_library();
    if (lib == nullptr) return nullptr;
    PkeyCtxPtr ctx{EVP_PKEY_CTX_new_from_name(lib, "RSA", nullptr)};
    EVP_PKEY* key = nullptr;
    if (!ctx || EVP_PKEY_fromdata_init(ctx.get()) <= 0) return nullptr;
    const int selection = has_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (EVP_PKEY_fromdata(ctx.get(), &key, selection, params.get()) <= 0) return nullptr;
    return PkeyPtr{key};
}

int init_encrypt(EVP_PKEY_CTX* ctx) noexcept {
    return EVP_PKEY_encrypt_init(ctx) > 0 ? EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) : 0;
}
int init_decrypt(EVP_PKEY_CTX* ctx) noexcept {
    return EVP_PKEY_decrypt_init(ctx) > 0 ? EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) : 0;
}

}  // namespace

class RefForm {
public:
    bool init(const Components& key) noexcept {
        has_private_ = !key.d.empty();
        has_crt_ = has_private_ && !key.p.empty();
        len_ = without_leading_zeros(key.n).size();
        return len_ != 0 && len_ <= kMaxModulusBytes && params_.copy(key) && live() != nullptr;
    }
    ~RefForm() {
        for (Live* live = live_.load(std::memory_order_acquire); live != nullptr;)
            delete std::exchange(live, live->older);
    }

    bool run_public(const std::uint8_t* in, std::uint8_t* out, std::size_t len) const noexcept {
        Live* now = len == len_ ? live() : nullptr;
        return now != nullptr && run<EVP_PKEY_encrypt>(*now, now->encrypt, init_encrypt, in, out, len);
    }
    bool run_private(const std::uint8_t* in, std::uint8_t* out, std::size_t len) const noexcept {
        Live* now = len == len_ && has_private_ ? live() : nullptr;
        if (now == nullptr) return false;
        if (!has_crt_) return run_checked(*now, in, out, len);
        return run<EVP_PKEY_decrypt>(*now, now->decrypt, init_decrypt, in, out, len);
    }

private:
    /// What OpenSSL holds of the key, for one generation. Older ones live as long as the form: their secrets are wiped
    /// with it.
    struct Live {
        PkeyPtr key;
        unsigned generation;
        Live* older;
        ContextPool encrypt, decrypt;
    };

    Live* live() const noexcept {
        return of_this_generation(live_, [this](Live* older, unsigned generation) noexcept -> Live* {
            PkeyPtr key = make_pkey(params_, has_private_);
            return key ? new (std::nothrow) Live{std::move(key), generation, older, {}, {}} : nullptr;
        });
    }

    template <auto Operation>
    static bool run(Live& now, ContextPool& pool, ContextPool::Init* init, const std::uint8_t* in, std::uint8_t* out,
                    std::size_t len) noexcept {
        PkeyCtxPtr ctx = pool.take(now.key.get(), init);
        std::size_t out_len = len;
        if (!ctx || Operation(ctx.get(), out, &out_len, in, len) <= 0) return false;
        pool.give(std::move(ctx));
        return out_len == len;
    }

    /// Without CRT values OpenSSL does not check its result, so it is done here.
    static bool run_checked(Live& now, const std::uint8_t* in, std::uint8_t* out, std::size_t len) noexcept {
        struct {
            std::array<std::uint8_t, kMaxModulusBytes> result, check;
        } work;
        WipeOnExit wiped{work};
        if (!run<EVP_PKEY_decrypt>(now, now.decrypt, init_decrypt, in, work.result.data(), len)) return false;
        if (!run<EVP_PKEY_encrypt>(now, now.encrypt, init_encrypt, work.result.data(), work.check.data(), len))
            return false;
        if (CRYPTO_memcmp(work.check.data(), in, len) != 0) return false;
        memcpy(out, work.result.data(), len);
        return true;
    }

    KeyParams params_;
    bool has_private_ = false, has_crt_ = false;
    std::size_t len_ = 0;
    mutable std::atomic<Live*> live_{nullptr};
};

void RefFormDelete::operator()(RefForm* form) const noexcept {
    KeepErrors keep;
    delete form;
}

RefFormPtr make_ref_form(const Components& key) noexcept {
    KeepErrors keep;
    RefFormPtr form{new (std::nothrow) RefForm};
    if (!form || !form->init(key)) return nullptr;
    return form;
}

namespace {

template <auto Run>
void run_each(Job* jobs, std::size_t count) noexcept {
    KeepErrors keep;
    for (Job& job : std::span{jobs, count}) {
        const RefForm* form = job.forms->ref;
        job.ok = form != nullptr && (form->*Run)(job.in, job.out, job.len);
        if (!job.ok && job.out != nullptr) memset(job.out, 0, job.len);
    }
}

}  // namespace

void run_public_ref(Job* jobs, std::size_t count, void* /*scratch*/) noexcept {
    run_each<&RefForm::run_public>(jobs, count);
}
void run_private_ref(Job* jobs, std::size_t count, void* /*scratch*/) noexcept {
    run_each<&RefForm::run_private>(jobs, count);
}

namespace {

/// Big numbers of one check, wiped when it ends. `failed()` is sticky, so that a chain of steps is asked once.
class Numbers {
public:
    Numbers() noexcept : ctx_(BN_CTX_new()) {
        if (ctx_) BN_CTX_start(ctx_.get());
    }
    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;
    ~Numbers() {
        if (ctx_) BN_CTX_end(ctx_.get());
    }

    bool failed() const noexcept { return !ctx_ || failed_; }

    /// The flag makes OpenSSL choose its constant-time paths wherever the number takes part.
    BnPtr load(Bytes bytes) noexcept {
        BnPtr number{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)};
        note(number != nullptr);
        if (number) BN_set_flags(number.get(), BN_FLG_CONSTTIME);
        return number;
    }
    BnPtr minus_one(const BnPtr& a) noexcept {
        BnPtr result{BN_dup(a.get())};
        note(result && BN_sub_word(result.get(), 1) == 1);
        if (result) BN_set_flags(result.get(), BN_FLG_CONSTTIME);
        return result;
    }
    void multiply(BnPtr& a, const BnPtr& b) noexcept { note(BN_mul(a.get(), a.get(), b.get(), ctx_.get()) == 1); }

    /// a b = 1 mod m
    bool are_inverse(const BnPtr& a, const BnPtr& b, const BnPtr& m) noexcept {
        BnPtr product{BN_new()};
        note(product && BN_mod_mul(product.get(), a.get(), b.get(), m.get(), ctx_.get()) == 1);
        return !failed() && BN_is_one(product.get());
    }

private:
    void note(bool good) noexcept { failed_ = failed_ || !good; }

    BnCtxPtr ctx_;
    bool failed_ = false;
};

struct Named {
    Bytes number;
    Fault fault;
};

/// Presence, and lengths that OpenSSL's arithmetic can be trusted with: nothing is wider than the modulus.
Fault check_presence(const Components& key) noexcept {
    const std::array<Named, 5> crt = {
        {{key.p, Fault::p}, {key.q, Fault::q}, {key.dp, Fault::dp}, {key.dq, Fault::dq}, {key.qinv, Fault::qinv}}};
    const bool has_crt = std::any_of(crt.begin(), crt.end(), [](const Named& item) { return !item.number.empty(); });
    const std::size_t bits = bit_length(key.n);
    const auto bad = [&](Bytes number) { return number.empty() || bit_length(number) > bits; };
    if (bits < 2 || bits > kMaxModulusBits) return Fault::n;
    if (bad(key.e)) return Fault::e;
    if (bad(key.d)) return Fault::d;
    if (!has_crt) return key.extra.empty() ? Fault::ok : Fault::extra;
    for (const Named& item : crt)
        if (bad(item.number)) return item.fault;
    if (key.extra.size() + 2 > kMaxPrimes) return Fault::extra;
    for (const ExtraPrime& more : key.extra)
        if (bad(more.r) || bad(more.d) || bad(more.t)) return Fault::extra;
    return Fault::ok;
}

/// 0 < a < b
bool in_range(const BnPtr& a, const BnPtr& b) noexcept { return !BN_is_zero(a.get()) && BN_cmp(a.get(), b.get()) < 0; }

bool is_odd_factor(const BnPtr& a, const BnPtr& n) noexcept {
    return BN_is_odd(a.get()) && !BN_is_one(a.get()) && BN_cmp(a.get(), n.get()) < 0;
}

/// 0 < x < p and e x = 1 mod p - 1
bool is_exponent(Numbers& numbers, const BnPtr& x, const BnPtr& e, const BnPtr& p) noexcept {
    const BnPtr order = numbers.minus_one(p);
    return !numbers.failed() && in_range(x, p) && numbers.are_inverse(x, e, order);
}

/// `product`, of the primes before this one, is multiplied by it.
Fault check_extra(Numbers& numbers, const ExtraPrime& more, const BnPtr& e, const BnPtr& n, BnPtr& product) noexcept {
    const BnPtr r = numbers.load(more.r), x = numbers.load(more.d), t = numbers.load(more.t);
    if (numbers.failed()) return Fault::no_memory;
    if (!is_odd_factor(r, n) || !is_exponent(numbers, x, e, r)) return Fault::extra;
    if (!in_range(t, r) || !numbers.are_inverse(t, product, r)) return Fault::extra;
    numbers.multiply(product, r);
    return Fault::ok;
}

Fault check_crt(Numbers& numbers, const Components& key, const BnPtr& n, const BnPtr& e) noexcept {
    const BnPtr p = numbers.load(key.p), q = numbers.load(key.q), dp = numbers.load(key.dp);
    const BnPtr dq = numbers.load(key.dq), qinv = numbers.load(key.qinv);
    BnPtr product = numbers.load(key.p);
    if (numbers.failed()) return Fault::no_memory;
    if (!is_odd_factor(p, n)) return Fault::p;
    if (!is_odd_factor(q, n) || BN_cmp(p.get(), q.get()) == 0) return Fault::q;
    numbers.multiply(product, q);
    if (numbers.failed()) return Fault::no_memory;
    if (key.extra.empty() && BN_cmp(product.get(), n.get()) != 0) return Fault::n;
    if (!is_exponent(numbers, dp, e, p)) return Fault::dp;
    if (!is_exponent(numbers, dq, e, q)) return Fault::dq;
    if (!in_range(qinv, p) || !numbers.are_inverse(qinv, q, p)) return Fault::qinv;
    for (const ExtraPrime& more : key.extra) {
        const Fault fault = check_extra(numbers, more, e, n, product);
        if (fault != Fault::ok) return fault;
    }
    return BN_cmp(product.get(), n.get()) == 0 ? Fault::ok : Fault::n;
}

bool is_public(const Components& key) noexcept {
    return key.d.empty() && key.p.empty() && key.q.empty() && key.dp.empty() && key.dq.empty() && key.qinv.empty() &&
           key.extra.empty();
}

Fault check_private(const Components& key) noexcept {
    Numbers numbers;
    const BnPtr n = numbers.load(key.n), e = numbers.load(key.e), d = numbers.load(key.d);
    if (numbers.failed()) return Fault::no_memory;
    if (!BN_is_odd(n.get())) return Fault::n;
    if (!BN_is_odd(e.get())) return Fault::e;
    if (!in_range(d, n)) return Fault::d;
    if (key.p.empty()) return Fault::ok;
    const Fault fault = check_crt(numbers, key, n, e);
    return numbers.failed() ? Fault::no_memory : fault;
}

}  // namespace

Fault check_components(const Components& key) noexcept {
    if (is_public(key)) return Fault::ok;
    KeepErrors keep;
    const Fault fault = check_presence(key);
    return fault == Fault::ok ? check_private(key) : fault;
}

}  // namespace octavo::kernel::rsa
