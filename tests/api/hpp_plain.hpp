#pragma once

#include <octavo/octavo.hpp>

namespace api_test {

/// Public, then private, both by Completion. Compiled with -fno-exceptions and -fno-rtti. The length of the output, or 0.
std::size_t plain_round_trip(const octavo::Key& key, std::span<const std::uint8_t> input,
                             std::span<std::uint8_t> output) noexcept;

}  // namespace api_test
