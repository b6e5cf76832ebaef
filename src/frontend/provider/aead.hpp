#pragma once

#include <openssl/core.h>
#include <openssl/params.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "frontend/provider/errors.hpp"

/// What the provider's AEAD ciphers have in common: parameters.
namespace octavo::provider {

inline bool is_bytes(const OSSL_PARAM& param) noexcept {
    return param.data_type == OSSL_PARAM_OCTET_STRING && param.data != nullptr;
}
inline std::span<const std::uint8_t> bytes_of(const OSSL_PARAM& param) noexcept {
    return {static_cast<const std::uint8_t*>(param.data), param.data_size};
}

/// A parameter by name. They are taken in the order of the table, whatever the caller's.
template <class Context, class Param>
struct Parameter {
    std::string_view name;
    int (*run)(Context&, Param&);
};

/// In one pass: looking each name up by itself is what these calls cost in the default provider. A name counts where it comes first. 0 with the
/// first that answers so.
template <class Context, class Param, std::size_t n>
int run_parameters(Context& self, Param* params, const Parameter<Context, Param> (&table)[n]) {
    if (params == nullptr) return 1;
    std::array<Param*, n> found{};
    for (auto* param = params; param->key != nullptr; ++param) {
        const std::string_view name = param->key;
        for (std::size_t i = 0; i < n; ++i)
            if (found[i] == nullptr && name == table[i].name) found[i] = param;
    }
    for (std::size_t i = 0; i < n; ++i)
        if (found[i] != nullptr && table[i].run(self, *found[i]) != 1) return 0;
    return 1;
}

/// Answers a parameter that asks for a number.
template <class Context>
int get_number(const Context& self, OSSL_PARAM& param, std::size_t value) {
    return OSSL_PARAM_set_size_t(&param, value) == 1 ? 1 : self.fail(Reason::parameter_not_set, __func__);
}

/// Of an algorithm with IVs of 12 bytes, for OSSL_FUNC_CIPHER_GET_PARAMS and OSSL_FUNC_CIPHER_GETTABLE_PARAMS.
int get_aead_params(OSSL_PARAM params[], unsigned mode, std::size_t key_len) noexcept;
const OSSL_PARAM* gettable_aead_params(void* provctx) noexcept;

}  // namespace octavo::provider
