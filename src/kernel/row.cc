#include "kernel/row.hpp"

#include <stdlib.h>

#include <string_view>

namespace octavo::kernel {

const char* forced_row() noexcept {
    static const char* const name = secure_getenv("OCTAVO_FORCE_ROW");
    return name;
}

bool row_usable(const char* name, cpu::Features needs) noexcept {
    if (std::string_view{name} == "ref") return true;
    const char* forced = forced_row();
    if (forced != nullptr && std::string_view{forced} != name) return false;
    return cpu::has(cpu::available(), needs);
}

}  // namespace octavo::kernel
