#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace octavo::bridge {

/// Base of classes that are made by new (std::nothrow) on boundaries of 64 bytes. The C library's aligned allocation takes as long as a short message,
/// because it keeps no small blocks at hand; this takes an ordinary block and remembers its address before the object.
struct AlignedNew {
    static constexpr std::size_t kBoundary = 64;

    static void* operator new(std::size_t size, std::align_val_t, const std::nothrow_t&) noexcept {
        auto* const block = static_cast<std::uint8_t*>(std::malloc(size + kBoundary + sizeof(void*)));
        if (block == nullptr) return nullptr;
        auto* const first = block + sizeof(void*);
        auto* const place = first + (kBoundary - reinterpret_cast<std::uintptr_t>(first) % kBoundary) % kBoundary;
        reinterpret_cast<void**>(place)[-1] = block;
        return place;
    }
    static void operator delete(void* object, std::align_val_t) noexcept {
        if (object != nullptr) std::free(static_cast<void**>(object)[-1]);
    }
    static void operator delete(void* object, std::align_val_t, const std::nothrow_t&) noexcept {
        operator delete (object, std::align_val_t{kBoundary});
    }
};

}  // namespace octavo::bridge
