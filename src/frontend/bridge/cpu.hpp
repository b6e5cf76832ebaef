#pragma once

#include <array>
#include <span>

#include "octavo/octavo.h"

/// Where libipsec-mb is faster than OpenSSL 3.0, so that its ciphers are offered. `octavo speed` measures them, `octavo info` lists them.
namespace octavo::bridge {

using Features = std::span<const char* const>;

/// AES and carry-less products on 512-bit registers: AES-GCM is faster at every length, and so are pipelines of AES-CBC-HMAC.
inline constexpr std::array kWideAes = {"avx512f", "avx512bw", "avx512vl", "avx512dq", "vaes", "vpclmulqdq"};
/// What libipsec-mb asks for its fastest ChaCha20-Poly1305.
inline constexpr std::array kWideChaCha20Poly1305 = {"avx512f",    "avx512bw", "avx512vl",  "avx512dq",
                                                     "avx512ifma", "vaes",     "vpclmulqdq"};

/// The first that the CPU lacks or OCTAVO_DISABLE_CPU takes away; null: none.
inline const char* first_missing(Features features) noexcept {
    for (const auto* feature : features)
        if (octavo_cpu_has(feature) != 1) return feature;
    return nullptr;
}

inline bool has_wide_aes() noexcept { return first_missing(kWideAes) == nullptr; }
inline bool has_wide_chacha20_poly1305() noexcept { return first_missing(kWideChaCha20Poly1305) == nullptr; }

}  // namespace octavo::bridge
