#pragma once

#include <string_view>

namespace octavo::engine {

/// SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD: "CIPHER:BYTES,CIPHER:BYTES". From so many bytes on a record is taken over. All of it is taken or,
/// with an error raised, nothing.
bool set_thresholds(std::string_view list) noexcept;
void reset_thresholds() noexcept;

}  // namespace octavo::engine
