#pragma once

#include <cstdint>

#include "octavo/octavo.h"

/// What the engine may take over. Asked at each operation; a few nanoseconds.
namespace octavo::engine {

/// Bits as users of accelerator engines know them from HW_ALGO_BITMAP and SW_ALGO_BITMAP.
enum class Algorithm : std::uint32_t {
    rsa = 0x00001,
    dsa = 0x00002,
    dh = 0x00004,
    ecdsa = 0x00008,
    ecdh = 0x00010,
    x25519 = 0x00020,
    x448 = 0x00040,
    prf = 0x00080,
    hkdf = 0x00100,
    aes_gcm = 0x00400,
    aes_cbc_hmac_sha = 0x00800,
};
/// The bits that these two commands take: others than the above stand for what Octavo leaves to OpenSSL.
inline constexpr std::uint32_t kAlgorithmBits = 0x7ffff;

/// False where OpenSSL's own method must do it: offloading is switched off, for all or for this one, or the library itself asks.
bool is_enabled(Algorithm algorithm) noexcept;

/// Whether OpenSSL's own method must not step in for an operation that did not end with OCTAVO_OK: its job was cancelled, or the device failed and
/// the software fallback is switched off. Raises that.
bool is_final(octavo_status status, const char* where) noexcept;

/// DISABLE_QAT_OFFLOAD, and its end.
void set_offload(bool enabled) noexcept;

enum class Bitmap { hardware, software };
/// Octavo is hardware and software in one: of two bitmaps that were set, either is enough; one that was not set has no say.
void set_bitmap(Bitmap which, std::uint32_t bits) noexcept;

/// All as it was in the beginning.
void reset_offload() noexcept;

}  // namespace octavo::engine
