#include "frontend/provider/key_types.hpp"

#include <atomic>

namespace octavo::provider {
namespace {

std::atomic<OSSL_FUNC_keymgmt_import_types_fn*> import_functions[kNumKeyKinds];
std::atomic<OSSL_FUNC_keymgmt_export_types_fn*> export_functions[kNumKeyKinds];

}  // namespace

void use_key_types(const DefaultSide& standard) noexcept {
    for (std::size_t i = 0; i < kNumKeyKinds; ++i) {
        import_functions[i].store(standard.keys(static_cast<KeyKind>(i)).import_types);
        export_functions[i].store(standard.keys(static_cast<KeyKind>(i)).export_types);
    }
}

const OSSL_PARAM* import_types_of(KeyKind kind, int selection) noexcept {
    return import_functions[static_cast<std::size_t>(kind)].load()(selection);
}

const OSSL_PARAM* export_types_of(KeyKind kind, int selection) noexcept {
    return export_functions[static_cast<std::size_t>(kind)].load()(selection);
}

}  // namespace octavo::provider
