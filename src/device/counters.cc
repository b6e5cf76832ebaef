#include "device/counters.hpp"

#include <cstdlib>
#include <string_view>

namespace octavo::device {
namespace {

bool is_off() noexcept {
    const char* const set = secure_getenv("OCTAVO_STATISTICS");
    return set != nullptr && std::string_view{set} == "off";
}

}  // namespace

const bool is_counting = !is_off();

}  // namespace octavo::device
