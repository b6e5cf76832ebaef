#pragma once

#include "openssl_handles.hpp"

/// Library contexts of the program's own, whatever the configuration says.
namespace octavo::cli {

/// Holds OpenSSL's default provider and nothing else.
OSSL_LIB_CTX* default_context();

/// Holds Octavo's provider and the default one, as a configuration file would set them up.
OSSL_LIB_CTX* octavo_context();

/// Whom EVP calls address.
struct EvpPlace {
    OSSL_LIB_CTX* context;
    const char* properties;
    /// A key pair of the default context as it is held here.
    Pkey (*take)(EVP_PKEY* pair);
};
EvpPlace default_place();
EvpPlace octavo_place();

/// Failure unless `provider`, which does what `name` names, is Octavo's.
void require_octavo(const OSSL_PROVIDER* provider, const char* name);

}  // namespace octavo::cli
