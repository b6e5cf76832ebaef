#pragma once

#include <octavo/octavo.h>

#include "base/bytes.hpp"
#include "request/key.hpp"

/// What is refused of a request before it is taken, and how the end of one is answered. All leave the sentence for octavo_error_text().
namespace octavo::instance {

/// That the key is there, and can do the operation.
[[nodiscard]] octavo_status check_operation(const request::KeyRef& key, std::uint32_t operation) noexcept;
/// What octavo_submit() and octavo_execute() check alike.
[[nodiscard]] octavo_status check_request(const request::KeyRef& key, std::uint32_t operation, Bytes input) noexcept;
/// That `output` has room for `needed` bytes, and is the input's own buffer or none of it.
[[nodiscard]] octavo_status check_output(Bytes input, MutableBytes output, std::size_t needed) noexcept;
/// OCTAVO_ERR_DEVICE, before anything was computed.
[[nodiscard]] octavo_status endpoint_is_away() noexcept;

/// The operation ran to its end: a signature that is none, or a point that is none, is what there is to say.
bool is_answer(octavo_status status) noexcept;
/// The status of a request that has ended, with its sentence where it is an error.
[[nodiscard]] octavo_status as_error(octavo_status status) noexcept;

}  // namespace octavo::instance
