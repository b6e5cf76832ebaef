#include "finite_keys.hpp"

#include <openssl/params.h>

namespace octavo::test {

Pkey load(OSSL_LIB_CTX* side, const char* type, OSSL_PARAM params[], int selection) {
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(side, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &key, selection, params) != 1)
        return {};
    return Pkey(key);
}

Pkey taken_over(OSSL_LIB_CTX* side, EVP_PKEY* key, int selection) {
    OSSL_PARAM* params = nullptr;
    EXPECT_EQ(EVP_PKEY_todata(key, selection, &params), 1);
    auto made = load(side, EVP_PKEY_get0_type_name(key), params, selection);
    OSSL_PARAM_free(params);
    return made;
}

}  // namespace octavo::test
