#include "hpp_plain.hpp"

#include <algorithm>

namespace api_test {

std::size_t plain_round_trip(const octavo::Key& key, std::span<const std::uint8_t> input,
                             std::span<std::uint8_t> output) noexcept {
    auto instance = octavo::Instance::create({.driver = octavo::Driver::in_line});
    if (!instance) return 0;
    std::size_t len = 0;
    octavo::Completion back{[&](octavo::Status status, std::span<const std::uint8_t> result) {
        if (status != octavo::Status::ok || result.size() > output.size()) return;
        std::copy(result.begin(), result.end(), output.begin());
        len = result.size();
    }};
    octavo::Completion forth{[&](octavo::Status, std::span<const std::uint8_t> result) {
        if (is_error(instance->submit(key, octavo::Operation::rsa_private, result, back))) len = 0;
    }};
    if (is_error(instance->submit(key, octavo::Operation::rsa_public, input, forth))) return 0;
    while (forth.in_flight() || back.in_flight())
        if (!instance->poll()) return 0;
    return len;
}

}  // namespace api_test
