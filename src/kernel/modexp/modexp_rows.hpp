#pragma once

#include "kernel/modexp/modexp.hpp"
#include "kernel/rsa/rsa_forms.hpp"

/// What the rows of the table are made of. Only modexp.cc and the files that define these read this header.
namespace octavo::kernel::modexp {

/// RSA's lanes know a modulus as part of a public key.
struct Form {
    rsa::PublicForm key;
};

Batch run_avx512ifma, run_ref;

inline constexpr std::size_t kLaneScratchLen = 160 * 1024;

}  // namespace octavo::kernel::modexp
