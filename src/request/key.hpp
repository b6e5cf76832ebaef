#pragma once

#include <octavo/octavo.h>

#include <utility>

#include "base/bytes.hpp"
#include "base/handles.hpp"
#include "request/operation.hpp"

namespace octavo::request {

/// A registered key: its numbers, checked once, and what the rows need of them. Safe for any number of threads.
class Key {
public:
    Key(const Key&) = delete;
    Key& operator=(const Key&) = delete;
    virtual ~Key() = default;

    /// Whether the operation may run on this input. On error the text names the argument.
    [[nodiscard]] virtual octavo_status check(std::uint32_t operation, Bytes input) const noexcept = 0;
    /// Whether a key of this kind knows the operation.
    virtual bool can(std::uint32_t operation) const noexcept = 0;
    /// Bytes of the result of such an operation.
    virtual std::size_t output_length(std::uint32_t operation) const noexcept = 0;
    virtual Route route(std::uint32_t operation) const noexcept = 0;
    /// Runs a checked operation on the portable row: OCTAVO_OK or an error. `out` has output_length() bytes and may be `in`.
    [[nodiscard]] virtual octavo_status run_portable(std::uint32_t operation, Bytes in,
                                                     MutableBytes out) const noexcept = 0;

protected:
    Key() = default;
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
