#pragma once

#include <openssl/core.h>

#include "frontend/provider/default_side.hpp"
#include "frontend/provider/errors.hpp"
#include "frontend/provider/offers.hpp"

namespace octavo::provider {

/// One loaded provider; OpenSSL hands it to every function that makes something.
struct Provider {
    const OSSL_CORE_HANDLE* core = nullptr;
    Errors errors;
    DefaultSide standard;
    Offers offers;
};

inline constexpr char kProperties[] = "provider=octavo";

template <class Function>
OSSL_DISPATCH entry(int id, Function* function) noexcept {
    return {id, reinterpret_cast<void (*)()>(function)};
}

}  // namespace octavo::provider
