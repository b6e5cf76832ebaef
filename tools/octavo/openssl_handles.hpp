#pragma once

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <memory>

/// OpenSSL's objects, freed with their scope.
namespace octavo::cli {

template <auto free_function>
struct FreeWith {
    template <typename T>
    void operator()(T* object) const noexcept {
        free_function(object);
    }
};

using LibContext = std::unique_ptr<OSSL_LIB_CTX, FreeWith<OSSL_LIB_CTX_free>>;
using Provider = std::unique_ptr<OSSL_PROVIDER, FreeWith<OSSL_PROVIDER_unload>>;
using Pkey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>;

}  // namespace octavo::cli
