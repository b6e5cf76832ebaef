#include "frontend/provider/provider.hpp"

// EVP_PKEY_derive() wants a key even where all that is derived from comes as parameters: the provider itself stands for it.
namespace octavo::provider {
namespace {

void* make(void* provctx) { return provctx; }
void free_key(void*) {}
int has(const void*, int) { return 1; }

const OSSL_DISPATCH functions[] = {
    entry(OSSL_FUNC_KEYMGMT_NEW, make),
    entry(OSSL_FUNC_KEYMGMT_FREE, free_key),
    entry(OSSL_FUNC_KEYMGMT_HAS, has),
    {0, nullptr},
};

}  // namespace

const Offer hkdf_key_offer = {OSSL_OP_KEYMGMT, "HKDF", functions, "HKDF by Octavo"};
const Offer tls1_prf_key_offer = {OSSL_OP_KEYMGMT, "TLS1-PRF", functions, "TLS 1.0 to 1.2's PRF by Octavo"};

}  // namespace octavo::provider
