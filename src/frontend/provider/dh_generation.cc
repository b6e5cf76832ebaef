#include "frontend/provider/dh_generation.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <vector>

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

/// A number for OpenSSL, whose integers are in the byte order of the machine: the block's bytes are turned where that is needed.
OSSL_PARAM integer(const char* name, bridge::Block& number) noexcept {
    const auto bytes = number.bytes();
    if constexpr (std::endian::native == std::endian::little) std::reverse(bytes.begin(), bytes.end());
    return OSSL_PARAM_construct_BN(name, bytes.data(), bytes.size());
}

/// A group of a safe prime. A private key has twice its strength in bits (RFC 7919, A; OpenSSL has the same for those of RFC 3526).
struct Group {
    const char* name;
    unsigned private_bits;
};
constexpr Group kGroups[] = {
    {"ffdhe2048", 225}, {"ffdhe3072", 275}, {"ffdhe4096", 325}, {"ffdhe6144", 375},
    {"ffdhe8192", 400}, {"modp_1536", 200}, {"modp_2048", 225}, {"modp_3072", 275},
    {"modp_4096", 325}, {"modp_6144", 375}, {"modp_8192", 400},
};

/// Big-endian, as long as p.
struct GroupNumbers {
    std::vector<std::uint8_t> p, g;
};
/// In the order of kGroups, each made when it is first asked for: to read a group's numbers costs a tenth of what lanes do with them.
std::array<std::atomic<const GroupNumbers*>, std::size(kGroups)> known_numbers{};

using OwnedKey = std::unique_ptr<Key, Release>;

/// A key of the group that has these parameters. Null where the default side has no such group.
OwnedKey import_key(const Provider& provider, KeyKind kind, int selection, const OSSL_PARAM params[]) noexcept {
    const auto& functions = provider.standard.keys(kind);
    OwnedKey key(Key::adopt(provider, kind, functions.create(provider.standard.provctx())));
    return key != nullptr && functions.import(key->twin(), selection, params) == 1 ? std::move(key) : nullptr;
}

OSSL_PARAM name_param(const char* group) noexcept {
    return OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(group), 0);
}

std::unique_ptr<const GroupNumbers> read_numbers(const Provider& provider, const Group& group) noexcept try {
    FieldNumber p, g;
    const OSSL_PARAM params[] = {name_param(group.name), OSSL_PARAM_construct_end()};
    const auto key = import_key(provider, KeyKind::dh, OSSL_KEYMGMT_SELECT_ALL_PARAMETERS, params);
    if (key == nullptr || !p.read(*key, OSSL_PKEY_PARAM_FFC_P) || !g.read(*key, OSSL_PKEY_PARAM_FFC_G)) return nullptr;
    const auto base = g.padded(p.size());
    return std::make_unique<const GroupNumbers>(
        GroupNumbers{{p.bytes().begin(), p.bytes().end()}, {base.begin(), base.end()}});
} catch (const std::bad_alloc&) {
    return nullptr;
}

/// Null where that fails.
const GroupNumbers* numbers_of(const Provider& provider, const Group& group) noexcept {
    auto& place = known_numbers[static_cast<std::size_t>(&group - kGroups)];
    const auto* known = place.load(std::memory_order_acquire);
    if (known != nullptr) return known;
    auto mine = read_numbers(provider, group);
    // acq_rel: whoever finds it sees it whole
    if (mine == nullptr || place.compare_exchange_strong(known, mine.get(), std::memory_order_acq_rel))
        return mine.release();
    return known;
}

const Group* group_named(std::string_view name) noexcept {
    for (const auto& group : kGroups)
        if (name == group.name) return &group;
    return nullptr;
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

/// The pair x, y as a key of the group.
Key* assemble(const Provider& provider, KeyKind kind, const Group& group, bridge::Block& x, bridge::Block& y) noexcept {
    const OSSL_PARAM params[] = {name_param(group.name), integer(OSSL_PKEY_PARAM_PRIV_KEY, x),
                                 integer(OSSL_PKEY_PARAM_PUB_KEY, y), OSSL_PARAM_construct_end()};
    return import_key(provider, kind, OSSL_KEYMGMT_SELECT_ALL, params).release();
}

/// y = g^x mod p. Null where that is for the twin.
Key* make_pair(const Provider& provider, KeyKind kind, const Group& group) noexcept {
    const auto* numbers = numbers_of(provider, group);
    if (numbers == nullptr) return nullptr;
    const auto len = numbers->p.size();
    bridge::Block x(bridge::exponent_len((group.private_bits + 7) / 8, len)), y(len);
    if (!draw(group.private_bits, provider.standard.libctx(), x.bytes()) ||
        !is_done(bridge::mod_exp(numbers->p, numbers->g, x.bytes(), y.bytes())))
        return nullptr;
    return assemble(provider, kind, group, x, y);
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

Key* DhGeneration::run_on_octavo() const noexcept {
    if (!plain_ || (selection_ & kPair) != kPair || !bridge::in_job()) return nullptr;
    if (pattern_ != nullptr && (!group_.empty() || has_length(*pattern_))) return nullptr;
    const auto name = pattern_ == nullptr ? group_ : named_group(*pattern_);
    const auto* group = group_named(name.data());
    if (group == nullptr) return nullptr;
    ERR_set_mark();
    auto* key = make_pair(provider_, kind_, *group);
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
