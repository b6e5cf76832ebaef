#pragma once

#include <cstdint>
#include <span>

namespace octavo::bridge {

/// Writes r || s as an ECDSA-Sig-Value (SEC 1, C.5). `der` has room for the longest one: the curve's max_size. Returns its length.
std::size_t write_signature(std::span<const std::uint8_t> signature, std::uint8_t* der) noexcept;

/// Reads one into r || s. False for anything that is not DER to the last bit, negative, or longer than the curve's numbers: what OpenSSL
/// thinks of it, the default provider knows.
bool read_signature(std::span<const std::uint8_t> der, std::span<std::uint8_t> signature) noexcept;

}  // namespace octavo::bridge
