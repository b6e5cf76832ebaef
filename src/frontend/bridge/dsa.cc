#include "frontend/bridge/dsa.hpp"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <memory>

#include "frontend/bridge/bridge.hpp"
#include "frontend/bridge/modulus.hpp"

namespace octavo::bridge {
namespace {

using Bytes = std::span<const std::uint8_t>;

template <auto free_function>
struct FreeWith {
    template <class T>
    void operator()(T* object) const noexcept {
        free_function(object);
    }
};
using Scratch = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;
using Montgomery = std::unique_ptr<BN_MONT_CTX, FreeWith<BN_MONT_CTX_free>>;

BIGNUM* secret_number() noexcept {
    auto* number = BN_secure_new();
    if (number != nullptr) BN_set_flags(number, BN_FLG_CONSTTIME);
    return number;
}

/// Wiped when it goes.
struct Secret {
    BIGNUM* const bn = secret_number();
    Secret() = default;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { BN_clear_free(bn); }
    bool read(Bytes bytes) noexcept {
        return bn != nullptr && BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), bn) != nullptr;
    }
};

/// The numbers below q.
class Subgroup {
public:
    explicit Subgroup(OSSL_LIB_CTX* libctx) noexcept
        : scratch_(BN_CTX_secure_new_ex(libctx)), form_(BN_MONT_CTX_new()) {}

    bool open(Bytes q) noexcept {
        return scratch_ != nullptr && form_ != nullptr && q_.read(q) &&
               BN_MONT_CTX_set(form_.get(), q_.bn, scratch_.get()) == 1;
    }
    const BIGNUM* order() const noexcept { return q_.bn; }
    BN_CTX* scratch() const noexcept { return scratch_.get(); }

    bool has(const Secret& value) const noexcept { return BN_is_zero(value.bn) == 0 && BN_cmp(value.bn, q_.bn) < 0; }
    bool read_reduced(Secret& out, Bytes bytes) const noexcept {
        return out.read(bytes) && BN_nnmod(out.bn, out.bn, q_.bn, scratch_.get()) == 1;
    }
    /// out = a b; out may be either.
    bool multiply(Secret& out, const Secret& a, const Secret& b) const noexcept {
        const Secret in_form;
        return in_form.bn != nullptr && BN_to_montgomery(in_form.bn, a.bn, form_.get(), scratch_.get()) == 1 &&
               BN_mod_mul_montgomery(out.bn, in_form.bn, b.bn, form_.get(), scratch_.get()) == 1;
    }
    bool add(Secret& out, const Secret& a, const Secret& b) const noexcept {
        return BN_mod_add_quick(out.bn, a.bn, b.bn, q_.bn) == 1;
    }
    /// out = a^(q - 2): Euclid's algorithm would depend on a.
    bool invert(Secret& out, const Secret& a) const noexcept {
        Secret exponent;
        return exponent.bn != nullptr && BN_copy(exponent.bn, q_.bn) != nullptr && BN_sub_word(exponent.bn, 2) == 1 &&
               BN_mod_exp_mont_consttime(out.bn, a.bn, exponent.bn, q_.bn, scratch_.get(), form_.get()) == 1;
    }
    bool write(const Secret& value, std::span<std::uint8_t> out) const noexcept {
        return BN_bn2binpad(value.bn, out.data(), static_cast<int>(out.size())) >= 0;
    }

private:
    Scratch scratch_;
    Montgomery form_;
    Secret q_;
};

/// r = (g^k mod p) mod q
bool compute_r(const Subgroup& group, const DsaNumbers& key, const Secret& k, Secret& r) noexcept {
    std::array<std::uint8_t, kExponentStep*((kMaxSubgroupBytes + kExponentStep - 1) / kExponentStep)> memory;
    const auto exponent = std::span(memory).first(exponent_len(key.q.size(), key.p.size()));
    std::array<std::uint8_t, kMaxFieldBytes> power;
    const auto out = std::span(power).first(key.p.size());
    const bool good = group.write(k, exponent) && mod_exp(key.p, key.g, exponent, out) == OCTAVO_OK;
    OPENSSL_cleanse(memory.data(), memory.size());
    return good && group.read_reduced(r, out) && group.has(r);
}

/// s = (b h + b x r) / (b k), where b is random: neither x nor k is multiplied by anything that others know.
bool compute_s(const Subgroup& group, const Secret& x, const Secret& k, Bytes digest, const Secret& r,
               Secret& s) noexcept {
    Secret h, b, divisor;
    return h.bn != nullptr && b.bn != nullptr && divisor.bn != nullptr &&
           BN_priv_rand_range_ex(b.bn, group.order(), 0, group.scratch()) == 1 && group.has(b) &&
           group.multiply(divisor, b, k) && group.invert(divisor, divisor) && group.read_reduced(h, digest) &&
           group.multiply(h, b, h) && group.multiply(b, b, x) && group.multiply(s, b, r) && group.add(s, s, h) &&
           group.multiply(s, s, divisor) && group.has(s);
}

bool sign(const DsaNumbers& key, Bytes digest, OSSL_LIB_CTX* libctx, std::span<std::uint8_t> signature) noexcept {
    Subgroup group(libctx);
    Secret x, k, r, s;
    return group.open(key.q) && x.read(key.x) && group.has(x) && k.bn != nullptr && r.bn != nullptr &&
           s.bn != nullptr &&
           BN_generate_dsa_nonce(k.bn, group.order(), x.bn, digest.data(), digest.size(), group.scratch()) == 1 &&
           group.has(k) && compute_r(group, key, k, r) && compute_s(group, x, k, digest, r, s) &&
           group.write(r, signature.first(key.q.size())) && group.write(s, signature.last(key.q.size()));
}

}  // namespace

bool dsa_sign(const DsaNumbers& key, Bytes digest, OSSL_LIB_CTX* libctx, std::span<std::uint8_t> signature) noexcept {
    if (!in_job() || key.q.size() < kMinSubgroupBytes || key.q.size() > kMaxSubgroupBytes ||
        key.q.size() > key.p.size() || key.p.size() > kMaxFieldBytes)
        return false;
    ERR_set_mark();
    const bool good = sign(key, digest.first(std::min(digest.size(), key.q.size())), libctx, signature);
    ERR_pop_to_mark();
    return good;
}

}  // namespace octavo::bridge
