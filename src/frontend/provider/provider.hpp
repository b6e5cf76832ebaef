#pragma once

#include <openssl/core.h>

#include "frontend/provider/default_side.hpp"
#include "frontend/provider/errors.hpp"

namespace octavo::provider {

/// One loaded provider; OpenSSL hands it to every function that makes something.
struct Provider {
    const OSSL_CORE_HANDLE* core = nullptr;
    Errors errors;
    DefaultSide standard;
};

/// Tables of capabilities, one per operation.
extern const OSSL_ALGORITHM keymgmt_algorithms[];
extern const OSSL_ALGORITHM signature_algorithms[];
extern const OSSL_ALGORITHM asym_cipher_algorithms[];

/// Where key management finds the parameters that it imports and exports; before any key is made.
void use_key_types(const KeyFunctions& functions) noexcept;

inline constexpr char kProperties[] = "provider=octavo";

template <class Function>
OSSL_DISPATCH entry(int id, Function* function) noexcept {
    return {id, reinterpret_cast<void (*)()>(function)};
}

}  // namespace octavo::provider
