#pragma once

#include <openssl/crypto.h>

#include <array>
#include <cstdint>
#include <span>

namespace octavo::bridge {

/// The largest modulus that Octavo takes, 16384 bits. Two blocks of it fit the stack of a fibre (32 KiB in OpenSSL).
inline constexpr std::size_t kMaxModulusBytes = 2048;

/// Bytes of a modulus's length on the stack, wiped when they go.
class Block {
public:
    /// `len` is at most kMaxModulusBytes.
    explicit Block(std::size_t len) noexcept : len_(len) {}  // NOLINT: the bytes are written before they are read
    ~Block() { OPENSSL_cleanse(bytes_.data(), len_); }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    std::span<std::uint8_t> bytes() noexcept { return {bytes_.data(), len_}; }
    std::uint8_t* data() noexcept { return bytes_.data(); }
    /// As OpenSSL counts.
    int size() const noexcept { return static_cast<int>(len_); }

private:
    std::array<std::uint8_t, kMaxModulusBytes> bytes_;
    std::size_t len_;
};

}  // namespace octavo::bridge
