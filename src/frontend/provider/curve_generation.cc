#include "frontend/provider/curve_generation.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <cstring>
#include <new>

#include "frontend/provider/run.hpp"

namespace octavo::provider {
namespace {

bool empty(const OSSL_PARAM params[]) { return params == nullptr || params[0].key == nullptr; }

/// The curve that the parameters name, where they do that and nothing else.
const Curve* curve_in(KeyKind kind, const OSSL_PARAM params[]) {
    const char* name = nullptr;
    if (params[1].key != nullptr || std::strcmp(params[0].key, OSSL_PKEY_PARAM_GROUP_NAME) != 0 ||
        OSSL_PARAM_get_utf8_string_ptr(&params[0], &name) != 1 || name == nullptr)
        return nullptr;
    return curve_named(kind, name);
}

}  // namespace

CurveGeneration::~CurveGeneration() {
    if (twin_ != nullptr) functions().gen_cleanup(twin_);
}

void* CurveGeneration::twin() noexcept {
    if (twin_ != nullptr) return twin_;
    twin_ = functions().gen_init(provider_.standard.provctx(), selection_, nullptr);
    if (twin_ == nullptr || kind_ != KeyKind::ec || curve_ == nullptr) return twin_;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve_->names[0]), 0),
        OSSL_PARAM_construct_end()};
    if (functions().gen_set_params(twin_, params) == 1) return twin_;
    functions().gen_cleanup(twin_);
    return twin_ = nullptr;
}

int CurveGeneration::set_params(const OSSL_PARAM params[]) noexcept {
    if (twin_ == nullptr) {
        if (empty(params)) return 1;
        if (const auto* named = curve_in(kind_, params)) {
            curve_ = named;
            return 1;
        }
    }
    return twin() != nullptr ? functions().gen_set_params(twin_, params) : 0;
}

int CurveGeneration::set_template(CurveKey& from) noexcept {
    if (twin_ == nullptr && !from.has_twin()) {
        curve_ = from.numbers()->curve;
        return 1;
    }
    auto* from_twin = from.twin();
    return from_twin != nullptr && twin() != nullptr ? functions().gen_set_template(twin_, from_twin) : 0;
}

const OSSL_PARAM* CurveGeneration::settable_params() noexcept {
    return twin() == nullptr ? nullptr : functions().gen_settable_params(twin_, provider_.standard.provctx());
}

CurveKey* CurveGeneration::run_on_octavo() const noexcept {
    std::unique_ptr<Numbers> numbers(new (std::nothrow) Numbers(curve_));
    if (numbers == nullptr) return nullptr;
    if ((selection_ & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0) {
        octavo_key handle{};
        numbers->has_private = numbers->has_public = true;
        if (!generator(*curve_, handle) || !run_raw(handle, OCTAVO_EC_GENERATE, {}, numbers->pair())) return nullptr;
    }
    return CurveKey::make(provider_, std::move(numbers));
}

/// A curve's parameters alone cost nothing.
bool CurveGeneration::is_for_octavo() const noexcept {
    const bool pair = (selection_ & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
    return pair ? offload(*curve_, OCTAVO_EC_GENERATE) : may_offload(*curve_, OCTAVO_EC_GENERATE);
}

CurveKey* CurveGeneration::run(OSSL_CALLBACK* progress, void* argument) noexcept {
    if (plain() && is_for_octavo()) {
        if (auto* key = run_on_octavo()) return key;
        if (const auto why = refusal()) {
            provider_.errors.raise(*why, __func__);
            return nullptr;
        }
    }
    if (twin() == nullptr) return nullptr;
    return CurveKey::adopt(provider_, kind_, functions().gen(twin_, progress, argument));
}

}  // namespace octavo::provider
