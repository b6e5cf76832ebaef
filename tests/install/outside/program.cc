// The same as program.c, by submission and poll: 2^65537 modulo 2^2047 + 1 is 2^33.
#include <algorithm>
#include <array>
#include <cstdio>
#include <octavo/octavo.hpp>

namespace {

using Number = std::array<std::uint8_t, 256>;

Number power_of_two(std::size_t exponent) {
    Number number{};
    number[number.size() - 1 - exponent / 8] = static_cast<std::uint8_t>(1 << (exponent % 8));
    return number;
}

int fail(const char* what) {
    std::fprintf(stderr, "%s: %s\n", what, octavo::error_text().data());
    return 1;
}

}  // namespace

int main() {
    Number n = power_of_two(2047);
    n.back() |= 1;
    const std::array<std::uint8_t, 3> e{1, 0, 1};
    const auto key = octavo::Key::create_rsa({.n = n, .e = e});
    if (!key) return fail("create_rsa");
    auto instance = octavo::Instance::create();
    if (!instance) return fail("Instance::create");

    bool done = false, right = false;
    octavo::Completion completion{[&](octavo::Status status, std::span<const std::uint8_t> output) {
        done = true;
        right = status == octavo::Status::ok && std::ranges::equal(output, power_of_two(33));
    }};
    const auto status = instance->submit(*key, octavo::Operation::rsa_public, power_of_two(1), completion);
    if (octavo::is_error(status)) return fail("submit");
    while (!done)
        if (!instance->poll()) return fail("poll");
    std::printf("C++: %s\n", right ? "right" : "WRONG");
    return right ? 0 : 1;
}
