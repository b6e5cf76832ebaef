#pragma once

#include "frontend/provider/default_side.hpp"

namespace octavo::provider {

/// Where key management finds the parameters that it imports and exports, for OpenSSL asks for these without any context. They are
/// functions of libcrypto itself, the same for every provider that is loaded. To be set before any key is made.
void use_key_types(const DefaultSide& standard) noexcept;

const OSSL_PARAM* import_types_of(KeyKind kind, int selection) noexcept;
const OSSL_PARAM* export_types_of(KeyKind kind, int selection) noexcept;

template <KeyKind kind>
const OSSL_PARAM* import_types(int selection) {
    return import_types_of(kind, selection);
}
template <KeyKind kind>
const OSSL_PARAM* export_types(int selection) {
    return export_types_of(kind, selection);
}

}  // namespace octavo::provider
