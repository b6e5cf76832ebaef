#pragma once

#include <cstdlib>
#include <memory>
#include <vector>

#include "kernel/modexp/modexp.hpp"
#include "request/key.hpp"

namespace octavo::request {

/// A modulus for exponentiation with exponents of one length.
class ModulusKey final : public Key {
public:
    /// Checks as octavo_key_create_modulus() promises. On error `key` is untouched and the error text names the field.
    [[nodiscard]] static octavo_status create(const octavo_modulus& numbers, std::unique_ptr<Key>& key) noexcept;

    [[nodiscard]] octavo_status check(std::uint32_t operation, Bytes input) const noexcept override;
    std::size_t output_length(std::uint32_t /*operation*/) const noexcept override { return modulus_.size(); }
    bool can(std::uint32_t operation) const noexcept override { return operation == OCTAVO_MOD_EXP; }
    Route route(std::uint32_t /*operation*/) const noexcept override { return route_; }
    [[nodiscard]] octavo_status run_portable(std::uint32_t operation, Bytes in,
                                             MutableBytes out) const noexcept override;

    /// The operation of a checked input.
    kernel::modexp::Job job(Bytes in, std::uint8_t* out) const noexcept;

private:
    struct Free {
        void operator()(void* memory) const noexcept { std::free(memory); }
    };

    ModulusKey() = default;
    void make_lane_form();

    std::vector<std::uint8_t> modulus_;  // no leading zeros
    std::size_t exponent_len_ = 0;
    Route route_;
    std::unique_ptr<void, Free> memory_;
    const kernel::modexp::Form* form_ = nullptr;  // where the route is a lane class
};

}  // namespace octavo::request
