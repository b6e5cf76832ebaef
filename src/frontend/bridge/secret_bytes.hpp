#pragma once

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace octavo::bridge {

/// Bytes that grow, in place as long as they are few; wiped when they go.
class SecretBytes {
public:
    SecretBytes() noexcept {}  // NOLINT: the bytes are written before they are read
    ~SecretBytes() { drop(); }
    SecretBytes(const SecretBytes&) = delete;
    SecretBytes& operator=(const SecretBytes&) = delete;

    /// Room for `len` bytes in all; false, and nothing changed, when memory has run out.
    [[nodiscard]] bool reserve(std::size_t len) noexcept {
        if (len <= capacity_) return true;
        auto* more = static_cast<std::uint8_t*>(OPENSSL_malloc(len));
        if (more == nullptr) return false;
        const auto had = size_;
        std::copy_n(data_, had, more);
        drop();
        data_ = more;
        capacity_ = len;
        size_ = had;
        return true;
    }
    /// The bytes are not this object's, and there is room for them.
    void append(std::span<const std::uint8_t> bytes) noexcept {
        std::copy_n(bytes.data(), bytes.size(), data_ + size_);
        size_ += bytes.size();
    }
    void clear() noexcept {
        OPENSSL_cleanse(data_, size_);
        size_ = 0;
    }
    [[nodiscard]] bool assign(std::span<const std::uint8_t> bytes) noexcept {
        clear();
        if (!reserve(bytes.size())) return false;
        append(bytes);
        return true;
    }

    std::size_t size() const noexcept { return size_; }
    std::span<const std::uint8_t> span() const noexcept { return {data_, size_}; }
    std::uint8_t* data() noexcept { return data_; }

private:
    void drop() noexcept {
        clear();
        if (data_ != few_.data()) OPENSSL_free(data_);
        data_ = few_.data();
        capacity_ = few_.size();
    }

    std::array<std::uint8_t, 128> few_;
    std::uint8_t* data_ = few_.data();
    std::size_t size_ = 0, capacity_ = few_.size();
};

}  // namespace octavo::bridge
