#include "frontend/provider/dh_generation.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "frontend/bridge/block.hpp"
#include "frontend/bridge/bridge.hpp"
#include "frontend/provider/ffc.hpp"
#include "frontend/provider/run.hpp"

namespace octavo::provider {
namespace {

constexpr int kPair = OSSL_KEYMGMT_SELECT_KEYPAIR;

struct Release {
    void operator()(Key* key) const noexcept { key->release(); }
};
using OwnedKey = std::unique_ptr<Key, Release>;

/// A number for OpenSSL, whose integers are in the byte order of the machine: the block's bytes are turned where that is needed.
OSSL_PARAM integer(const char* name, bridge::Block& number) noexcept {
    const auto bytes = number.bytes();
    if constexpr (std::endian::native == std::endian::little) std::reverse(bytes.begin(), bytes.end());
    return OSSL_PARAM_construct_BN(name, bytes.data(), bytes.size());
}

/// Groups of safe primes: twice the strength of each, which a private key has in bits (RFC 7919, A; OpenSSL has the same for those of RFC 3526).
struct KeyLength {
    std::size_t modulus_bits;
    unsigned bits;
};
constexpr KeyLength kKeyLengths[] = {{1536, 200}, {2048, 225}, {3072, 275}, {4096, 325}, {6144, 375}, {8192, 400}};

/// The bits of a private key; 0 where the group is of another kind.
unsigned private_bits(const GroupName& group, std::size_t modulus_bits) noexcept {
    const std::string_view name = group.data();
    if (!name.starts_with("ffdhe") && !name.starts_with("modp_")) return 0;
    for (const auto& known : kKeyLengths)
        if (known.modulus_bits == modulus_bits) return known.bits;
    return 0;
}

/// Whether the parameters want a length of their own, or may.
bool has_length(const Key& parameters) noexcept {
    int bits = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_DH_PRIV_LEN, &bits), OSSL_PARAM_construct_end()};
    return parameters.functions().get_params(parameters.twin(), params) != 1 || OSSL_PARAM_modified(params) == 1;
}

/// 1 <= x < 2^bits (SP 800-56A, 5.6.1.1.3). False where there is no randomness.
bool draw(unsigned bits, OSSL_LIB_CTX* libctx, std::span<std::uint8_t> x) noexcept {
    const auto len = (bits + 7) / 8;
    const auto number = x.last(len);
    std::fill(x.begin(), x.end(), std::uint8_t{0});
    if (RAND_priv_bytes_ex(libctx, number.data(), len, 0) != 1) return false;
    number[0] &= static_cast<std::uint8_t>(0xff >> (8 * len - bits));
    std::uint8_t any = 0;
    for (const auto byte : number) any |= byte;
    return any != 0;
}

/// The pair x, y as a key of the parameters' group.
Key* assemble(const Key& parameters, const GroupName& group, bridge::Block& x, bridge::Block& y) noexcept {
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group.data()), 0),
        integer(OSSL_PKEY_PARAM_PRIV_KEY, x), integer(OSSL_PKEY_PARAM_PUB_KEY, y), OSSL_PARAM_construct_end()};
    const auto& functions = parameters.functions();
    OwnedKey key(Key::adopt(parameters.provider(), parameters.kind(),
                            functions.create(parameters.provider().standard.provctx())));
    const bool good = key != nullptr && functions.import(key->twin(), OSSL_KEYMGMT_SELECT_ALL, params) == 1;
    return good ? key.release() : nullptr;
}

/// y = g^x mod p in the parameters' group. Null where that is for the twin.
Key* make_pair(const Key& parameters) noexcept {
    FieldNumber p, g;
    const auto group = named_group(parameters);
    if (has_length(parameters) || !p.read(parameters, OSSL_PKEY_PARAM_FFC_P) ||
        !g.read(parameters, OSSL_PKEY_PARAM_FFC_G))
        return nullptr;
    const auto bits = private_bits(group, 8 * p.size());
    if (bits == 0) return nullptr;
    bridge::Block x(bridge::exponent_len((bits + 7) / 8, p.size())), y(p.size());
    if (!draw(bits, parameters.provider().standard.libctx(), x.bytes()) || !mod_exp(p, g, x.bytes(), y.bytes()))
        return nullptr;
    return assemble(parameters, group, x, y);
}

}  // namespace

DhGeneration::~DhGeneration() {
    functions().gen_cleanup(twin_);
    if (pattern_ != nullptr) pattern_->release();
}

int DhGeneration::set_params(const OSSL_PARAM params[]) noexcept {
    if (functions().gen_set_params(twin_, params) != 1) return 0;
    for (; params != nullptr && params->key != nullptr; ++params) {
        const char* name = nullptr;
        const bool names = std::strcmp(params->key, OSSL_PKEY_PARAM_GROUP_NAME) == 0 &&
                           OSSL_PARAM_get_utf8_string_ptr(params, &name) == 1 && name != nullptr;
        plain_ = plain_ && names && group_.assign(name);
    }
    return 1;
}

int DhGeneration::set_template(Key& pattern) noexcept {
    if (functions().gen_set_template(twin_, pattern.twin()) != 1) return 0;
    auto* before = pattern_;
    pattern_ = pattern.retain();
    if (before != nullptr) before->release();
    return 1;
}

/// A key that has the parameters alone. Null where there is no one group.
Key* DhGeneration::parameters() const noexcept {
    if (pattern_ != nullptr) return group_.empty() ? pattern_->retain() : nullptr;
    if (group_.empty()) return nullptr;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group_.data()), 0),
        OSSL_PARAM_construct_end()};
    OwnedKey key(Key::adopt(provider_, kind_, functions().create(provider_.standard.provctx())));
    const bool good =
        key != nullptr && functions().import(key->twin(), OSSL_KEYMGMT_SELECT_ALL_PARAMETERS, params) == 1;
    return good ? key.release() : nullptr;
}

Key* DhGeneration::run_on_octavo() const noexcept {
    if (!plain_ || (selection_ & kPair) != kPair || !bridge::in_job()) return nullptr;
    ERR_set_mark();
    const OwnedKey from(parameters());
    auto* key = from == nullptr ? nullptr : make_pair(*from);
    ERR_pop_to_mark();
    return key;
}

Key* DhGeneration::run(OSSL_CALLBACK* progress, void* argument) noexcept {
    if (auto* key = run_on_octavo()) return key;
    if (const auto why = refusal()) {
        provider_.errors.raise(*why, __func__);
        return nullptr;
    }
    return Key::adopt(provider_, kind_, functions().gen(twin_, progress, argument));
}

}  // namespace octavo::provider
