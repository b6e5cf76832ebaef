#include "base/error.hpp"

#include <cstdarg>
#include <cstdio>

namespace octavo {
namespace {
thread_local char error_text[256];
}

octavo_status fail(octavo_status status, const char* format, ...) noexcept {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(error_text, sizeof error_text, format, arguments);
    va_end(arguments);
    return status;
}

const char* last_error_text() noexcept { return error_text; }

}  // namespace octavo
