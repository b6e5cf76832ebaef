#include "speed/core_time.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace octavo::cli {

double waited_for_core_ns() noexcept {
    static const int file = ::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    std::array<char, 128> text;
    const auto len = file < 0 ? -1 : ::pread(file, text.data(), text.size(), 0);
    if (len <= 0) return 0;
    const std::string_view fields{text.data(), static_cast<std::size_t>(len)};
    const auto second = fields.find(' ');
    if (second == std::string_view::npos) return 0;
    std::uint64_t waited = 0;
    std::from_chars(fields.data() + second + 1, fields.data() + fields.size(), waited);
    return static_cast<double>(waited);
}

}  // namespace octavo::cli
