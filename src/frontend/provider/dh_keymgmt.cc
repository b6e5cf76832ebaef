#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "frontend/bridge/bridge.hpp"
#include "frontend/provider/ffc.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/twin_keymgmt.hpp"

// Keys are the default side's. The costly part of a public key's check, which OpenSSL makes of every peer in TLS, is Octavo's in a job.
namespace octavo::provider {
namespace {

using namespace twin_keymgmt;

/// Whether it has one of the groups that OpenSSL knows, whose primes are safe.
bool has_named_group(const Key& key) noexcept {
    std::array<char, 64> name{};
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size()),
                           OSSL_PARAM_construct_end()};
    ERR_set_mark();
    const bool has =
        key.functions().get_params(key.twin(), params) == 1 && OSSL_PARAM_modified(params) == 1 && name[0] != '\0';
    ERR_pop_to_mark();
    return has;
}

/// y^q mod p = 1 (SP 800-56A, 5.6.2.3.1). False where that is for the twin to find out.
bool is_in_subgroup(const Key& key) noexcept {
    FieldNumber p, q, y;
    if (!bridge::in_job() || !has_named_group(key) || !p.read(key, OSSL_PKEY_PARAM_FFC_P) ||
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

const char* operation_name(int) { return "DH"; }

#define OCTAVO_DH_KEY_FUNCTIONS(kind)                                                         \
    OCTAVO_KEY_FUNCTIONS(kind, validate_dh), entry(OSSL_FUNC_KEYMGMT_SET_PARAMS, set_params), \
        entry(OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, settable_params<kind>),                      \
        entry(OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, gen_set_template),                          \
        entry(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation_name)

const OSSL_DISPATCH dh_functions[] = {OCTAVO_DH_KEY_FUNCTIONS(KeyKind::dh), {0, nullptr}};
const OSSL_DISPATCH dhx_functions[] = {OCTAVO_DH_KEY_FUNCTIONS(KeyKind::dhx), {0, nullptr}};

}  // namespace

const Offer dh_key_offer = {OSSL_OP_KEYMGMT, "DH", dh_functions, "Diffie-Hellman keys for Octavo"};
const Offer dhx_key_offer = {OSSL_OP_KEYMGMT, "DHX", dhx_functions, "Diffie-Hellman keys (X9.42) for Octavo"};

}  // namespace octavo::provider
