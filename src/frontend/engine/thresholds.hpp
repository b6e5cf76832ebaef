#pragma once

#include <string_view>

namespace octavo::engine {

/// SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD: "CIPHER:BYTES,CIPHER:BYTES". From so many bytes on a record is taken over. All of it is taken or,
/// with an error raised, nothing.
bool set_thresholds(std::string_view list) noexcept;
/// Of one of the ciphers in the list, by its NID. A few nanoseconds.
unsigned threshold_of(int nid) noexcept;
void reset_thresholds() noexcept;

}  // namespace octavo::engine
