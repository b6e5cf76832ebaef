#pragma once

#include "base/cpu.hpp"

namespace octavo::kernel {

/// True where the row called `name` may run: the CPU offers what it needs, and OCTAVO_FORCE_ROW (a row's name, read once with
/// secure_getenv) is unset or names it. The row `ref` can always run, so that a forced row that the CPU lacks ends there.
bool row_usable(const char* name, cpu::Features needs) noexcept;

/// The value of OCTAVO_FORCE_ROW, or null.
const char* forced_row() noexcept;

/// The first row of a table that may run, leaving out its last, `ref`; null where there is none.
template <typename Rows>
auto first_usable_lane_row(const Rows& rows) noexcept -> decltype(rows.data()) {
    for (const auto& row : rows)
        if (&row != &rows.back() && row_usable(row.name, row.needs)) return &row;
    return nullptr;
}

}  // namespace octavo::kernel
