#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "frontend/provider/curve_generation.hpp"
#include "frontend/provider/key_types.hpp"
#include "frontend/provider/offers.hpp"

// Key management is the default side's, but for what a handshake asks of a key that has no twin.
namespace octavo::provider {
namespace {

const Provider& provider_of(void* provctx) { return *static_cast<const Provider*>(provctx); }
CurveKey& key_of(void* key) { return *static_cast<CurveKey*>(key); }
/// OpenSSL's const is about the key as an application sees it; the twin may have to be made.
CurveKey& key_of(const void* key) { return *static_cast<CurveKey*>(const_cast<void*>(key)); }

/// The numbers of a key without a twin; null for one that has its twin, which then answers everything.
const Numbers* numbers_alone(CurveKey& key) { return key.has_twin() ? nullptr : key.numbers(); }

template <KeyKind kind>
void* create(void* provctx) {
    const auto& provider = provider_of(provctx);
    return CurveKey::adopt(provider, kind, provider.standard.keys(kind).create(provider.standard.provctx()));
}

void free_key(void* key) {
    if (key != nullptr) key_of(key).release();
}

int has(const void* key, int selection) {
    if (key == nullptr) return 0;
    auto& self = key_of(key);
    if (const auto* numbers = numbers_alone(self))
        return ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0 || numbers->has_public) &&
               ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 || numbers->has_private);
    return self.functions().has(self.twin(), selection);
}

int match(const void* left, const void* right, int selection) {
    auto &one = key_of(left), &other = key_of(right);
    if (one.twin() == nullptr || other.twin() == nullptr) return 0;
    return one.functions().match(one.twin(), other.twin(), selection);
}

int validate(const void* key, int selection, int check_type) {
    auto& self = key_of(key);
    // Octavo's own points, and points that were checked when they were set: see is_point().
    const auto* numbers = selection == OSSL_KEYMGMT_SELECT_PUBLIC_KEY ? numbers_alone(self) : nullptr;
    if (numbers != nullptr && numbers->has_public) return 1;
    return self.twin() != nullptr ? self.functions().validate(self.twin(), selection, check_type) : 0;
}

int import(void* key, int selection, const OSSL_PARAM params[]) {
    if (key == nullptr || !key_of(key).leave_to_twin()) return 0;
    return key_of(key).functions().import(key_of(key).twin(), selection, params);
}

int export_to(void* key, int selection, OSSL_CALLBACK* callback, void* argument) {
    if (key == nullptr || key_of(key).twin() == nullptr) return 0;
    return key_of(key).functions().export_to(key_of(key).twin(), selection, callback, argument);
}

void* dup(const void* from, int selection) {
    auto& key = key_of(from);
    const auto* numbers = numbers_alone(key);
    if (numbers != nullptr && (selection & OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS) != 0) {
        std::unique_ptr<Numbers> copy(new (std::nothrow) Numbers(*numbers));
        if (copy == nullptr) return nullptr;
        copy->has_public = numbers->has_public && (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0;
        if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0) copy->drop_private();
        return CurveKey::make(key.provider(), std::move(copy));
    }
    if (key.twin() == nullptr) return nullptr;
    return CurveKey::adopt(key.provider(), key.kind(), key.functions().dup(key.twin(), selection));
}

/// What OpenSSL asks of every key, and what a key exchange asks of an ephemeral one.
bool answer(const Numbers& numbers, OSSL_PARAM& param) {
    const auto& curve = *numbers.curve;
    if (std::strcmp(param.key, OSSL_PKEY_PARAM_BITS) == 0) return OSSL_PARAM_set_int(&param, curve.bits) == 1;
    if (std::strcmp(param.key, OSSL_PKEY_PARAM_SECURITY_BITS) == 0)
        return OSSL_PARAM_set_int(&param, curve.security_bits) == 1;
    if (std::strcmp(param.key, OSSL_PKEY_PARAM_MAX_SIZE) == 0) return OSSL_PARAM_set_int(&param, curve.max_size) == 1;
    // Asked by OpenSSL 3.5; no curve has one (it is about quantum computers).
    if (std::strcmp(param.key, "security-category") == 0) return OSSL_PARAM_set_int(&param, 0) == 1;
    if (std::strcmp(param.key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY) == 0 && numbers.has_public)
        return OSSL_PARAM_set_octet_string(&param, numbers.public_key().data(), curve.public_len) == 1;
    return false;
}

bool answer_all(CurveKey& key, OSSL_PARAM params[]) {
    const auto* numbers = numbers_alone(key);
    if (numbers == nullptr) return false;
    for (auto* param = params; param->key != nullptr; ++param)
        if (!answer(*numbers, *param)) return false;
    return true;
}

int get_params(void* key, OSSL_PARAM params[]) {
    auto& self = key_of(key);
    if (answer_all(self, params)) return 1;
    return self.twin() != nullptr ? self.functions().get_params(self.twin(), params) : 0;
}

template <KeyKind kind>
const OSSL_PARAM* gettable_params(void* provctx) {
    const auto& standard = provider_of(provctx).standard;
    return standard.keys(kind).gettable_params(standard.provctx());
}

/// The peer's public key in a handshake: the one parameter, on a key that is nothing but its curve.
bool set_public(CurveKey& key, const OSSL_PARAM params[]) {
    if (key.has_twin() || params[0].key == nullptr || params[1].key != nullptr ||
        std::strcmp(params[0].key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY) != 0 ||
        params[0].data_type != OSSL_PARAM_OCTET_STRING || params[0].data == nullptr)
        return false;
    return key.set_public({static_cast<const std::uint8_t*>(params[0].data), params[0].data_size});
}

int set_params(void* key, const OSSL_PARAM params[]) {
    auto& self = key_of(key);
    if (params == nullptr || set_public(self, params)) return 1;
    return self.leave_to_twin() ? self.functions().set_params(self.twin(), params) : 0;
}

template <KeyKind kind>
const OSSL_PARAM* settable_params(void* provctx) {
    const auto& standard = provider_of(provctx).standard;
    return standard.keys(kind).settable_params(standard.provctx());
}

CurveGeneration& generation_of(void* context) { return *static_cast<CurveGeneration*>(context); }

template <KeyKind kind>
void* gen_init(void* provctx, int selection, const OSSL_PARAM params[]) {
    std::unique_ptr<CurveGeneration> generation(new (std::nothrow)
                                                    CurveGeneration(provider_of(provctx), kind, selection));
    if (generation == nullptr || generation->set_params(params) != 1) return nullptr;
    return generation.release();
}

int gen_set_params(void* context, const OSSL_PARAM params[]) { return generation_of(context).set_params(params); }

int gen_set_template(void* context, void* from) {
    return from != nullptr && generation_of(context).set_template(key_of(from));
}

template <KeyKind kind>
const OSSL_PARAM* gen_settable_params(void* context, void* provctx) {
    if (context != nullptr) return generation_of(context).settable_params();
    const auto& standard = provider_of(provctx).standard;
    return standard.keys(kind).gen_settable_params(nullptr, standard.provctx());
}

void* gen(void* context, OSSL_CALLBACK* progress, void* argument) {
    return generation_of(context).run(progress, argument);
}

void gen_cleanup(void* context) { delete static_cast<CurveGeneration*>(context); }

const char* ec_operation_name(int operation) {
    switch (operation) {
        case OSSL_OP_KEYEXCH:
            return "ECDH";
        case OSSL_OP_SIGNATURE:
            return "ECDSA";
        default:
            return nullptr;
    }
}

#define OCTAVO_CURVE_KEY_FUNCTIONS(kind)                                                                            \
    entry(OSSL_FUNC_KEYMGMT_NEW, create<kind>), entry(OSSL_FUNC_KEYMGMT_FREE, free_key),                            \
        entry(OSSL_FUNC_KEYMGMT_HAS, has), entry(OSSL_FUNC_KEYMGMT_MATCH, match),                                   \
        entry(OSSL_FUNC_KEYMGMT_VALIDATE, validate), entry(OSSL_FUNC_KEYMGMT_IMPORT, import),                       \
        entry(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_types<kind>), entry(OSSL_FUNC_KEYMGMT_EXPORT, export_to),      \
        entry(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, export_types<kind>), entry(OSSL_FUNC_KEYMGMT_DUP, dup),               \
        entry(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params),                                                            \
        entry(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_params<kind>),                                            \
        entry(OSSL_FUNC_KEYMGMT_SET_PARAMS, set_params),                                                            \
        entry(OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, settable_params<kind>),                                            \
        entry(OSSL_FUNC_KEYMGMT_GEN_INIT, gen_init<kind>), entry(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, gen_set_params), \
        entry(OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, gen_set_template),                                                \
        entry(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, gen_settable_params<kind>), entry(OSSL_FUNC_KEYMGMT_GEN, gen), \
        entry(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, gen_cleanup)

const OSSL_DISPATCH ec_functions[] = {
    OCTAVO_CURVE_KEY_FUNCTIONS(KeyKind::ec),
    entry(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation_name),
    {0, nullptr},
};
const OSSL_DISPATCH x25519_functions[] = {OCTAVO_CURVE_KEY_FUNCTIONS(KeyKind::x25519), {0, nullptr}};
const OSSL_DISPATCH x448_functions[] = {OCTAVO_CURVE_KEY_FUNCTIONS(KeyKind::x448), {0, nullptr}};
const OSSL_DISPATCH ed25519_functions[] = {OCTAVO_CURVE_KEY_FUNCTIONS(KeyKind::ed25519), {0, nullptr}};
const OSSL_DISPATCH ed448_functions[] = {OCTAVO_CURVE_KEY_FUNCTIONS(KeyKind::ed448), {0, nullptr}};

}  // namespace

const Offer ec_key_offer = {OSSL_OP_KEYMGMT, "EC", ec_functions, "EC keys for Octavo"};
const Offer x25519_key_offer = {OSSL_OP_KEYMGMT, "X25519", x25519_functions, "X25519 keys for Octavo"};
const Offer x448_key_offer = {OSSL_OP_KEYMGMT, "X448", x448_functions, "X448 keys for Octavo"};
const Offer ed25519_key_offer = {OSSL_OP_KEYMGMT, "ED25519", ed25519_functions, "Ed25519 keys for Octavo"};
const Offer ed448_key_offer = {OSSL_OP_KEYMGMT, "ED448", ed448_functions, "Ed448 keys for Octavo"};

}  // namespace octavo::provider
