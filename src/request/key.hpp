#pragma once

#include <octavo/octavo.h>

#include <atomic>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/handles.hpp"
#include "kernel/rsa/rsa.hpp"
#include "request/operation.hpp"

namespace octavo::request {

/// A registered key: its numbers, checked once, and its forms for the rows. Safe for any number of threads.
class Key {
public:
    /// Checks as octavo_key_create_rsa() promises. On error `key` is untouched and the error text names the field.
    [[nodiscard]] static octavo_status create(const octavo_rsa_key& numbers, std::unique_ptr<Key>& key) noexcept;

    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;
    ~Key();

    std::size_t length() const noexcept { return modulus_.size(); }
    bool has_private() const noexcept { return !components_.d.empty(); }
    Bytes modulus() const noexcept { return modulus_; }
    Route route(std::uint32_t operation) const noexcept {
        return is_rsa_private(operation) ? private_route_ : public_route_;
    }

    /// The portable row's form; always there.
    const kernel::rsa::KeyForms& portable_forms() const noexcept { return portable_forms_; }
    /// The lane row's form for an operation whose route is a lane class; computed on first use. Null when memory runs out.
    const kernel::rsa::KeyForms* lane_forms(std::uint32_t operation) const noexcept;

private:
    struct LaneForm;

    Key() = default;
    void copy_numbers(const octavo_rsa_key& numbers);
    [[nodiscard]] octavo_status check_numbers() const noexcept;
    [[nodiscard]] octavo_status make_portable() noexcept;
    void find_routes() noexcept;

    std::vector<std::uint8_t> storage_;  // all numbers; its size is fixed before the first pointer into it; wiped
    std::vector<kernel::rsa::ExtraPrime> extra_;
    kernel::rsa::Components components_;
    Bytes modulus_;
    kernel::rsa::RefFormPtr ref_;
    kernel::rsa::KeyForms portable_forms_;
    Route public_route_, private_route_;
    // Published once by compare-exchange: a lock or call_once could be held by a thread that fork() leaves behind.
    mutable std::atomic<LaneForm*> public_form_{nullptr}, private_form_{nullptr};
};

using KeyHandles = Handles<Key>;
/// All keys of the process. Never destroyed: threads may outlive static objects.
KeyHandles& keys() noexcept;

/// A reference to a key by its number; null when the number is none.
class KeyRef {
public:
    KeyRef() = default;
    explicit KeyRef(std::uint64_t id) noexcept : key_(keys().acquire(id)), id_(id) {}
    KeyRef(KeyRef&& other) noexcept : key_(std::exchange(other.key_, nullptr)), id_(other.id_) {}
    KeyRef& operator=(KeyRef&& other) noexcept {
        std::swap(key_, other.key_);
        std::swap(id_, other.id_);
        return *this;
    }
    ~KeyRef() { reset(); }

    void reset() noexcept {
        if (std::exchange(key_, nullptr) != nullptr) keys().release(id_);
    }
    explicit operator bool() const noexcept { return key_ != nullptr; }
    const Key* operator->() const noexcept { return key_; }
    const Key& operator*() const noexcept { return *key_; }

private:
    Key* key_ = nullptr;
    std::uint64_t id_ = 0;
};

}  // namespace octavo::request
