#pragma once

#include "kernel/rsa/rsa.hpp"

/// What the table in rsa.cc names; one definition per backend file.
namespace octavo::kernel::rsa {

Batch run_public_avx512ifma, run_private_avx512ifma, run_public_ref, run_private_ref;

/// Shapes that the lanes take; the row's `takes_public` and `takes_private`.
bool takes_public_lanes(const Components& key) noexcept;
bool takes_private_lanes(const Components& key) noexcept;

}  // namespace octavo::kernel::rsa
