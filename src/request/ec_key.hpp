#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "kernel/curve/curve.hpp"
#include "request/key.hpp"

namespace octavo::request {

/// A key on a curve: a pair, a public key, or a curve alone.
class EcKey final : public Key {
public:
    /// Checks as octavo_key_create_ec() promises. On error `key` is untouched and the error text names the field.
    [[nodiscard]] static octavo_status create(const octavo_ec_key& numbers, std::unique_ptr<Key>& key) noexcept;
    ~EcKey() override;

    [[nodiscard]] octavo_status check(std::uint32_t operation, Bytes input) const noexcept override;
    std::size_t output_length(std::uint32_t operation) const noexcept override;
    bool can(std::uint32_t operation) const noexcept override;
    Route route(std::uint32_t operation) const noexcept override;
    [[nodiscard]] octavo_status run_portable(std::uint32_t operation, Bytes in,
                                             MutableBytes out) const noexcept override;

    const kernel::curve::Curve& curve() const noexcept { return curve_; }
    Bytes private_key() const noexcept { return Bytes{private_}.first(private_len_); }
    /// Uncompressed; empty where it was not given.
    Bytes public_key() const noexcept { return Bytes{public_}.first(public_len_); }

private:
    static constexpr std::size_t kMaxPrivate = 66, kMaxPublic = 133;

    explicit EcKey(const kernel::curve::Curve& curve) noexcept : curve_(curve) {}
    [[nodiscard]] octavo_status run_apart(std::uint32_t operation, Bytes in, MutableBytes out) const noexcept;
    [[nodiscard]] octavo_status take_edwards_pair(Bytes given) noexcept;
    const kernel::curve::Form* form() const noexcept;
    bool has_numbers() const noexcept { return private_len_ > 0 || public_len_ > 0; }
    [[nodiscard]] octavo_status take(const octavo_ec_key& numbers) noexcept;

    const kernel::curve::Curve& curve_;
    // Made on first use, published once by compare-exchange: lanes need none, and ephemeral keys are used once.
    mutable std::atomic<kernel::curve::Form*> form_{nullptr};
    std::array<std::uint8_t, kMaxPrivate> private_{};
    std::array<std::uint8_t, kMaxPublic> public_{};
    std::size_t private_len_ = 0, public_len_ = 0;
};

}  // namespace octavo::request
