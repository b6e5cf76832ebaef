#pragma once

#include <cstddef>

#include "frontend/provider/key.hpp"

namespace octavo::provider {

/// What a signature context is set to, as its twin has it.
struct SignaturePlan {
    enum class Form {
        other, /* the twin's own affair: X9.31, a digest or a padding that the fast path does not know */
        raw,   /* no padding */
        pkcs1,
        pss
    };
    Form form = Form::other;
    const Digest* digest = nullptr;
    const Digest* mgf1 = nullptr;
    int salt_len = 0;
};

/// Asks the twin. Raises nothing.
SignaturePlan read_plan(const DefaultSide& standard, void* twin) noexcept;

}  // namespace octavo::provider
