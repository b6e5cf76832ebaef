#include "frontend/provider/offers.hpp"
#include "frontend/provider/twin_keymgmt.hpp"

namespace octavo::provider {
namespace {

using namespace twin_keymgmt;

/// RSA-PSS keys work under the name of RSA; what they must not do, the operation refuses.
const char* operation_name(int) { return "RSA"; }

const OSSL_DISPATCH rsa_functions[] = {OCTAVO_KEY_FUNCTIONS(KeyKind::rsa, validate), {0, nullptr}};
const OSSL_DISPATCH rsa_pss_functions[] = {
    OCTAVO_KEY_FUNCTIONS(KeyKind::rsa_pss, validate),
    entry(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, operation_name),
    {0, nullptr},
};

}  // namespace

const Offer rsa_key_offer = {OSSL_OP_KEYMGMT, "RSA", rsa_functions, "RSA keys for Octavo"};
const Offer rsa_pss_key_offer = {OSSL_OP_KEYMGMT, "RSA-PSS", rsa_pss_functions, "RSA-PSS keys for Octavo"};

}  // namespace octavo::provider
