#pragma once

#include <octavo/octavo.h>

namespace octavo {

/// Notes why a call fails, for octavo_error_text(), and returns `status`. The format is printf's; text beyond 255 bytes is cut.
[[nodiscard]] octavo_status fail(octavo_status status, const char* format, ...) noexcept
    __attribute__((format(printf, 2, 3)));

/// The calling thread's last text; "" when there is none.
const char* last_error_text() noexcept;

}  // namespace octavo
