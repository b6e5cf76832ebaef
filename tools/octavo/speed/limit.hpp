#pragma once

#include <optional>

namespace octavo::cli {

/// Vector multiply-adds (vpmadd52 on eight lanes) that this core executes in a nanosecond, from registers and independent of one another:
/// the best of several short loops. Nothing where the CPU (or OCTAVO_DISABLE_CPU) leaves no avx512ifma.
std::optional<double> multiply_add_peak();

}  // namespace octavo::cli
