#define OPENSSL_SUPPRESS_DEPRECATED  // DH_METHODs and DSA_METHODs are what an ENGINE is about
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/dh.h>
#include <openssl/dsa.h>

#include <algorithm>
#include <array>

#include "frontend/bridge/bridge.hpp"
#include "frontend/bridge/made_once.hpp"
#include "frontend/bridge/modulus.hpp"
#include "frontend/engine/methods.hpp"
#include "frontend/engine/offload.hpp"

// The exponentiations of Diffie-Hellman, its key pairs included, and of DSA signatures. All around them, every check included, is OpenSSL's.
namespace octavo::engine {
namespace {

/// A number as Octavo takes it; wiped when it goes.
class Bytes {
public:
    Bytes() = default;  // NOLINT: the bytes are written before they are read
    Bytes(const Bytes&) = delete;
    Bytes& operator=(const Bytes&) = delete;
    ~Bytes() { OPENSSL_cleanse(bytes_.data(), len_); }

    /// False for one that is too long.
    bool read(const BIGNUM* number, std::size_t len) noexcept {
        if (len > bytes_.size() || BN_bn2binpad(number, bytes_.data(), static_cast<int>(len)) < 0) return false;
        len_ = len;
        return true;
    }
    std::span<std::uint8_t> span() noexcept { return {bytes_.data(), len_}; }

private:
    std::array<std::uint8_t, bridge::kMaxFieldBytes> bytes_;
    std::size_t len_ = 0;
};

/// r = base^exponent mod modulus; OCTAVO_PORTABLE where OpenSSL is to do it.
octavo_status mod_exp(BIGNUM* r, const BIGNUM* base, const BIGNUM* exponent, std::size_t exponent_len,
                      const BIGNUM* modulus) {
    const auto len = static_cast<std::size_t>(BN_num_bytes(modulus));
    Bytes m, b, e;
    if (BN_is_negative(base) != 0 || BN_is_negative(exponent) != 0 || BN_ucmp(base, modulus) >= 0 ||
        !m.read(modulus, len) || !b.read(base, len) || !e.read(exponent, exponent_len))
        return OCTAVO_PORTABLE;
    const auto status = bridge::mod_exp(m.span(), b.span(), e.span(), b.span());
    if (status != OCTAVO_OK) return status;
    return BN_bin2bn(b.span().data(), static_cast<int>(len), r) != nullptr ? OCTAVO_OK : OCTAVO_PORTABLE;
}

std::size_t length_of(const BIGNUM* number) { return static_cast<std::size_t>(BN_num_bytes(number)); }

int dh_mod_exp(const DH* dh, BIGNUM* r, const BIGNUM* base, const BIGNUM* exponent, const BIGNUM* modulus,
               BN_CTX* context, BN_MONT_CTX* montgomery) {
    if (is_enabled(Algorithm::dh) && bridge::in_job()) {
        const auto len = bridge::exponent_len(length_of(exponent), length_of(modulus));
        const auto status = mod_exp(r, base, exponent, len, modulus);
        if (status == OCTAVO_OK) return 1;
        if (is_final(status, __func__)) return 0;
    }
    return DH_meth_get_bn_mod_exp(DH_OpenSSL())(dh, r, base, exponent, modulus, context, montgomery);
}

/// The length that every nonce of a key is given, so that none shows its own: OpenSSL adds a multiple of q, up to one bit more than q has.
std::size_t nonce_len(const DSA* dsa) {
    const BIGNUM* q = nullptr;
    DSA_get0_pqg(dsa, nullptr, &q, nullptr);
    return q == nullptr ? 0 : static_cast<std::size_t>(BN_num_bits(q)) / 8 + 1;
}

int dsa_mod_exp(DSA* dsa, BIGNUM* r, const BIGNUM* base, const BIGNUM* exponent, const BIGNUM* modulus, BN_CTX* context,
                BN_MONT_CTX* montgomery) {
    if (is_enabled(Algorithm::dsa) && bridge::in_job()) {
        const auto status = mod_exp(r, base, exponent, nonce_len(dsa), modulus);
        if (status == OCTAVO_OK) return 1;
        if (is_final(status, __func__)) return 0;
    }
    return BN_mod_exp_mont(r, base, exponent, modulus, context, montgomery);
}

DH_METHOD* make_dh() noexcept {
    auto* method = DH_meth_dup(DH_OpenSSL());
    if (method == nullptr || DH_meth_set1_name(method, "Octavo DH") != 1) return nullptr;
    DH_meth_set_bn_mod_exp(method, dh_mod_exp);
    return method;
}

DSA_METHOD* make_dsa() noexcept {
    auto* method = DSA_meth_dup(DSA_OpenSSL());
    if (method == nullptr || DSA_meth_set1_name(method, "Octavo DSA") != 1) return nullptr;
    DSA_meth_set_bn_mod_exp(method, dsa_mod_exp);
    return method;
}

}  // namespace

const DH_METHOD* dh_method() noexcept {
    static bridge::MadeOnce<const DH_METHOD*, nullptr> once;
    return once.get(make_dh);
}

const DSA_METHOD* dsa_method() noexcept {
    static bridge::MadeOnce<const DSA_METHOD*, nullptr> once;
    return once.get(make_dsa);
}

}  // namespace octavo::engine
