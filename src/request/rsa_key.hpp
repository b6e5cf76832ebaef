#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "kernel/rsa/rsa.hpp"
#include "request/key.hpp"

namespace octavo::request {

class RsaKey final : public Key {
public:
    /// Checks as octavo_key_create_rsa() promises. On error `key` is untouched and the error text names the field.
    [[nodiscard]] static octavo_status create(const octavo_rsa_key& numbers, std::unique_ptr<Key>& key) noexcept;
    ~RsaKey() override;

    [[nodiscard]] octavo_status check(std::uint32_t operation, Bytes input) const noexcept override;
    std::size_t output_length(std::uint32_t /*operation*/) const noexcept override { return modulus_.size(); }
    bool can(std::uint32_t operation) const noexcept override {
        return operation == OCTAVO_RSA_PRIVATE || operation == OCTAVO_RSA_PUBLIC;
    }
    Route route(std::uint32_t operation) const noexcept override {
        return operation == OCTAVO_RSA_PRIVATE ? private_route_ : public_route_;
    }
    [[nodiscard]] octavo_status run_portable(std::uint32_t operation, Bytes in,
                                             MutableBytes out) const noexcept override;

    /// The lane row's form for an operation whose route is a lane class; computed on first use. Null when memory runs out.
    const kernel::rsa::KeyForms* lane_forms(std::uint32_t operation) const noexcept;

private:
    struct LaneForm;

    RsaKey() = default;
    void copy_numbers(const octavo_rsa_key& numbers);
    [[nodiscard]] octavo_status check_numbers() const noexcept;
    [[nodiscard]] octavo_status make_portable() noexcept;
    void find_routes() noexcept;
    bool has_private() const noexcept { return !components_.d.empty(); }

    std::vector<std::uint8_t> storage_;  // all numbers; its size is fixed before the first pointer into it; wiped
    std::vector<kernel::rsa::ExtraPrime> extra_;
    kernel::rsa::Components components_;
    Bytes modulus_;
    kernel::rsa::RefFormPtr ref_;
    Route public_route_, private_route_;
    // Published once by compare-exchange: a lock or call_once could be held by a thread that fork() leaves behind.
    mutable std::atomic<LaneForm*> public_form_{nullptr}, private_form_{nullptr};
};

}  // namespace octavo::request
