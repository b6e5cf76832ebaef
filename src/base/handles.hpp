#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "base/fork.hpp"
#include "base/zero_pages.hpp"

namespace octavo {

/// Numbers for objects: looking one up is lock-free, and a number whose object was destroyed is recognised for ever (2^31
/// generations of each place). Objects are reference-counted: destroy() takes the number away, the last release() deletes the object.
template <typename T>
class Handles {
public:
    Handles() = default;
    Handles(const Handles&) = delete;
    Handles& operator=(const Handles&) = delete;
    /// Objects that still have a number are not deleted: tables of a process live as long as it does.
    ~Handles() {
        for (auto& chunk : chunks_) unmap_zeros(chunk.load(std::memory_order_relaxed), sizeof(Chunk));
    }

    /// 0 when memory or places run out.
    [[nodiscard]] std::uint64_t add(std::unique_ptr<T> object) noexcept {
        const std::lock_guard lock{mutex_};
        const auto index = take_place();
        if (index == kNone) return 0;
        auto& place = *find(index);
        place.object = object.release();
        const auto generation = place.state.load(std::memory_order_relaxed) >> 32 & kGenerations;
        place.state.store(generation << 32 | 1, std::memory_order_release);  // the object is visible first
        return generation << 32 | (index + 1);
    }

    /// The object with a reference taken, or null for a number that is none (any more).
    [[nodiscard]] T* acquire(std::uint64_t id) noexcept {
        Place* place = find(index_of(id));
        if (place == nullptr) return nullptr;
        auto state = place->state.load(std::memory_order_acquire);
        do {
            if (state >> 32 != id >> 32 || (state & kReferences) == 0) return nullptr;
        } while (!place->state.compare_exchange_weak(state, state + 1, std::memory_order_acquire));
        return place->object;
    }

    /// The object without a reference: for objects that their users do not destroy while they use them.
    [[nodiscard]] T* look_up(std::uint64_t id) noexcept {
        Place* place = find(index_of(id));
        if (place == nullptr) return nullptr;
        const auto state = place->state.load(std::memory_order_acquire);
        return state >> 32 == id >> 32 && (state & kReferences) != 0 ? place->object : nullptr;
    }

    /// Gives back one reference that acquire() took under this number.
    void release(std::uint64_t id) noexcept {
        Place* place = find(index_of(id));
        // release: our last use of the object comes before another thread's deletion of it; acquire: theirs before ours
        if ((place->state.fetch_sub(1, std::memory_order_acq_rel) & kReferences) == 1) reclaim(index_of(id), *place);
    }

    /// Takes the number away. False where it is none (any more).
    [[nodiscard]] bool destroy(std::uint64_t id) noexcept {
        Place* place = find(index_of(id));
        if (place == nullptr) return false;
        auto state = place->state.load(std::memory_order_acquire);
        do {
            if (state >> 32 != id >> 32 || (state & kReferences) == 0) return false;
        } while (!place->state.compare_exchange_weak(state, state | kDestroyed, std::memory_order_acq_rel));
        release(id);
        return true;
    }

private:
    // A place's state: [63] destroyed, [62:32] generation, [31:0] references. A number is generation << 32 | index + 1, so that a
    // destroyed place, whose top bit is set, matches none.
    static constexpr std::uint64_t kReferences = 0xffffffffU, kGenerations = 0x7fffffffU, kDestroyed = 1ULL << 63;
    static constexpr std::uint64_t kNone = UINT64_MAX;
    static constexpr std::size_t kChunkPlaces = 4096, kChunks = 256;

    /// Zero bytes are one that was never used.
    struct Place {
        std::atomic<std::uint64_t> state;
        T* object;
        std::uint64_t next_free;
    };
    using Chunk = std::array<Place, kChunkPlaces>;

    static std::uint64_t index_of(std::uint64_t id) noexcept {
        return (id & kDestroyed) != 0 ? kNone : (id & 0xffffffffU) - 1;
    }

    Place* find(std::uint64_t index) noexcept {
        if (index >= kChunkPlaces * kChunks) return nullptr;
        Chunk* chunk = chunks_[index / kChunkPlaces].load(std::memory_order_acquire);
        return chunk == nullptr ? nullptr : &(*chunk)[index % kChunkPlaces];
    }

    std::uint64_t take_place() noexcept {
        if (first_free_ != kNone) return std::exchange(first_free_, find(first_free_)->next_free);
        if (num_places_ == kChunkPlaces * kChunks) return kNone;
        auto& chunk = chunks_[num_places_ / kChunkPlaces];
        if (chunk.load(std::memory_order_relaxed) == nullptr) {
            auto* fresh = static_cast<Chunk*>(map_zeros(sizeof(Chunk)));
            if (fresh == nullptr) return kNone;
            chunk.store(fresh, std::memory_order_release);
        }
        return num_places_++;
    }

    void reclaim(std::uint64_t index, Place& place) noexcept {
        delete std::exchange(place.object, nullptr);
        const std::lock_guard lock{mutex_};
        const auto generation = (place.state.load(std::memory_order_relaxed) >> 32) + 1;
        place.state.store((generation & kGenerations) << 32, std::memory_order_relaxed);
        place.next_free = std::exchange(first_free_, index);
    }

    fork::Mutex mutex_{fork::Rank::table};
    std::array<std::atomic<Chunk*>, kChunks> chunks_{};
    std::uint64_t num_places_ = 0, first_free_ = kNone;
};

}  // namespace octavo
