#pragma once

#include "frontend/provider/curve_key.hpp"

namespace octavo::provider {

/// A generation of a key or of parameters in progress. As long as it is known what will come out, it only notes that, and the key may be made
/// by Octavo; anything else that is asked of it is its twin's from then on.
class CurveGeneration {
public:
    CurveGeneration(const Provider& provider, KeyKind kind, int selection) noexcept
        : provider_(provider), kind_(kind), selection_(selection), curve_(only_curve(kind)) {}
    ~CurveGeneration();
    CurveGeneration(const CurveGeneration&) = delete;
    CurveGeneration& operator=(const CurveGeneration&) = delete;

    int set_params(const OSSL_PARAM params[]) noexcept;
    int set_template(CurveKey& from) noexcept;
    const OSSL_PARAM* settable_params() noexcept;
    CurveKey* run(OSSL_CALLBACK* progress, void* argument) noexcept;

private:
    const KeyFunctions& functions() const noexcept { return provider_.standard.keys(kind_); }
    bool plain() const noexcept { return twin_ == nullptr && curve_ != nullptr; }
    void* twin() noexcept;
    bool is_for_octavo() const noexcept;
    CurveKey* run_on_octavo() const noexcept;

    const Provider& provider_;
    const KeyKind kind_;
    const int selection_;
    const Curve* curve_;
    void* twin_ = nullptr;
};

}  // namespace octavo::provider
