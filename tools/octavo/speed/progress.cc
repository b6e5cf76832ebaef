#include "speed/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace octavo::cli {

Progress::Progress() : terminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::begin(std::string what) {
    what_ = std::move(what);
    show(what_);
}

void Progress::step(std::size_t done, std::size_t total) {
    show(fmt::format("{}: round {} of {}", what_, done, total));
}

void Progress::clear() {
    if (std::exchange(shown_, false)) fmt::print(stderr, "\r\033[K");
}

void Progress::show(const std::string& line) {
    if (!terminal_) return;
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
    shown_ = true;
}

}  // namespace octavo::cli
