#include "device/switches.hpp"

#include <cstdlib>
#include <string_view>

namespace octavo::device {
namespace {

bool is_off(const char* variable) noexcept {
    const char* const set = secure_getenv(variable);
    return set != nullptr && std::string_view{set} == "off";
}

}  // namespace

const bool is_counting = !is_off("OCTAVO_STATISTICS"), has_health = !is_off("OCTAVO_HEALTH");

}  // namespace octavo::device
