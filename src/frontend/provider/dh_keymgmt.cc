#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <new>

#include "frontend/bridge/bridge.hpp"
#include "frontend/provider/dh_generation.hpp"
#include "frontend/provider/ffc.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/twin_keymgmt.hpp"

// Keys are the default side's. The exponentiations of a pair's generation and of a public key's check, which OpenSSL makes of every peer in TLS, are Octavo's in a job.
namespace octavo::provider {
namespace {

using namespace twin_keymgmt;

/// y^q mod p = 1 (SP 800-56A, 5.6.2.3.1). False where that is for the twin to find out.
bool is_in_subgroup(const Key& key) noexcept {
    FieldNumber p, q, y;
    if (!bridge::in_job() || named_group(key).empty() || !p.read(key, OSSL_PKEY_PARAM_FFC_P) ||
        !q.read(key, OSSL_PKEY_PARAM_FFC_Q) || !y.read(key, OSSL_PKEY_PARAM_PUB_KEY) || !in_range(y, p))
        return false;
    std::array<std::uint8_t, bridge::kMaxFieldBytes> power;
    if (!mod_exp(p, y, q, std::span{power}.first(p.size()))) return false;
    return power[p.size() - 1] == 1 &&
           std::all_of(power.cbegin(), power.cbegin() + (p.size() - 1), [](auto byte) { return byte == 0; });
}

int validate_dh(const void* key, int selection, int check_type) {
    constexpr int kPublic = OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
    // A quick check is all but the subgroup, where the group is a named one.
    if (selection == kPublic && check_type == OSSL_KEYMGMT_VALIDATE_FULL_CHECK && is_in_subgroup(*key_of(key)))
        return validate(key, selection, OSSL_KEYMGMT_VALIDATE_QUICK_CHECK);
    return validate(key, selection, check_type);
}

int set_params(void* key, const OSSL_PARAM params[]) {
    key_of(key)->forget();
    return key_of(key)->functions().set_params(key_of(key)->twin(), params);
}

template <KeyKind kind>
const OSSL_PARAM* settable_params(void* provctx) {
    const auto& provider = provider_of(provctx);
    return functions_of<kind>(provider).settable_params(provider.standard.provctx());
}

template <KeyKind kind>
void* start(void* provctx, int selection, const OSSL_PARAM params[]) {
    const auto& provider = provider_of(provctx);
    auto* twin = functions_of<kind>(provider).gen_init(provider.standard.provctx(), selection, nullptr);
    if (twin == nullptr) return nullptr;
    auto* generation = new (std::nothrow) DhGeneration(provider, kind, selection, twin);
    if (generation == nullptr) functions_of<kind>(provider).gen_cleanup(twin);
    if (generation == nullptr || generation->set_params(params) == 1) return generation;
    delete generation;
    return nullptr;
}

DhGeneration* generation_of(void* context) { return static_cast<DhGeneration*>(context); }

int set_template(void* context, void* pattern) { return generation_of(context)->set_template(*key_of(pattern)); }
int set_generation(void* context, const OSSL_PARAM params[]) { return generation_of(context)->set_params(params); }

template <KeyKind kind>
const OSSL_PARAM* settable_generation(void* context, void* provctx) {
    const auto& provider = provider_of(provctx);
    return functions_of<kind>(provider).gen_settable_params(
        context == nullptr ? nullptr : generation_of(context)->twin(), provider.standard.provctx());
}

void* run(void* context, OSSL_CALLBACK* progress, void* argument) {
    return generation_of(context)->run(progress, argument);
}

void end(void* context) { delete generation_of(context); }

const char* operation_name(int) { return "DH"; }

#define OCTAVO_DH_KEY_FUNCTIONS(kind)                                                                               \
    OCTAVO_STORED_KEY_FUNCTIONS(kind, validate_dh), entry(OSSL_FUNC_KEYMGMT_SET_PARAMS, set_params),                \
        entry(OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, settable_params<kind>),                                            \
        entry(OSSL_FUNC_KEYMGMT_GEN_INIT, start<kind>), entry(OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, set_template),    \
        entry(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, set_generation),                                                    \
        entry(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, settable_generation<kind>), entry(OSSL_FUNC_KEYMGMT_GEN, run), \
        entry(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, end), entry(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation_name)

const OSSL_DISPATCH dh_functions[] = {OCTAVO_DH_KEY_FUNCTIONS(KeyKind::dh), {0, nullptr}};
const OSSL_DISPATCH dhx_functions[] = {OCTAVO_DH_KEY_FUNCTIONS(KeyKind::dhx), {0, nullptr}};

}  // namespace

const Offer dh_key_offer = {OSSL_OP_KEYMGMT, "DH", dh_functions, "Diffie-Hellman keys for Octavo"};
const Offer dhx_key_offer = {OSSL_OP_KEYMGMT, "DHX", dhx_functions, "Diffie-Hellman keys (X9.42) for Octavo"};

}  // namespace octavo::provider
