#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "frontend/bridge/modulus.hpp"
#include "frontend/provider/key.hpp"

/// Numbers of finite-field keys, as Octavo takes them.
namespace octavo::provider {

/// A number of a key's twin, big-endian; wiped when it goes.
class FieldNumber {
public:
    FieldNumber() = default;
    FieldNumber(const FieldNumber&) = delete;
    FieldNumber& operator=(const FieldNumber&) = delete;
    ~FieldNumber();

    /// Reads OSSL_PKEY_PARAM_...; false where the key has no such number, or one that is 0 or too long.
    bool read(const Key& key, const char* name) noexcept;
    /// Without leading zeros.
    std::span<const std::uint8_t> bytes() const noexcept { return std::span{bytes_}.last(len_); }
    /// With zeros in front, `len` bytes in all; len is at least that of the number.
    std::span<const std::uint8_t> padded(std::size_t len) const noexcept { return std::span{bytes_}.last(len); }
    std::size_t size() const noexcept { return len_; }

private:
    std::array<std::uint8_t, bridge::kMaxFieldBytes> bytes_{};
    std::size_t len_ = 0;
};

/// The name of a group, as OpenSSL spells it.
class GroupName {
public:
    /// False for one that is too long.
    bool assign(std::string_view name) noexcept;
    bool empty() const noexcept { return text_[0] == '\0'; }
    const char* data() const noexcept { return text_.data(); }
    char* data() noexcept { return text_.data(); }
    static constexpr std::size_t capacity() noexcept { return kMost; }

private:
    static constexpr std::size_t kMost = 64;
    std::array<char, kMost> text_{};
};

/// The group of a key, where it is one of those that OpenSSL knows, whose primes are safe; else empty.
GroupName named_group(const Key& key) noexcept;

/// How many zero bytes begin a number, found without a branch on it.
std::size_t leading_zeros(std::span<const std::uint8_t> number) noexcept;

/// Whether 2 <= y <= p - 2.
bool in_range(const FieldNumber& y, const FieldNumber& p) noexcept;

/// out = base^exponent mod p, out as long as p; bridge::mod_exp().
bool mod_exp(const FieldNumber& p, const FieldNumber& base, const FieldNumber& exponent,
             std::span<std::uint8_t> out) noexcept;

}  // namespace octavo::provider
