#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "frontend/provider/errors.hpp"
#include "octavo/octavo.h"

namespace octavo::provider {

/// Whether the answer is OCTAVO_OK, with a note of it for refusal().
bool is_done(octavo_status answer) noexcept;

/// bridge::run_raw(), with a note for refusal(). True where it is done.
bool run_raw(octavo_key key, octavo_operation operation, std::span<const std::uint8_t> in,
             std::span<std::uint8_t> out) noexcept;

/// After an operation that Octavo has not done: why the default provider must not do it either: the job was cancelled, or this thread's last
/// run_raw() failed with its endpoint and the software fallback is off. Told once. Nothing where the default provider may.
std::optional<Reason> refusal() noexcept;

}  // namespace octavo::provider
