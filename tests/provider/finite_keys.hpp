#pragma once

#include "sides.hpp"

/// Keys in finite fields.
namespace octavo::test {

/// A key or parameters of these numbers; null where the side refuses them.
Pkey load(OSSL_LIB_CTX* side, const char* type, OSSL_PARAM params[], int selection);

/// The same numbers on another side.
Pkey taken_over(OSSL_LIB_CTX* side, EVP_PKEY* key, int selection = EVP_PKEY_KEYPAIR);

}  // namespace octavo::test
