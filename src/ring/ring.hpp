#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace octavo::ring {

enum class Pop { item, empty, lost };

/// A ring of slot numbers from one producer thread to one consumer thread. It lies in memory of the caller's, which may be shared with another
/// process: the header and `capacity` entries. Counters run free; the capacity is a power of two and never less than the number of slots in
/// circulation, so that push() always has room.
class Ring {
public:
    struct Header {
        alignas(64) std::atomic<std::uint32_t> tail{0};  // written by the producer
        alignas(64) std::atomic<std::uint32_t> head{0};  // written by the consumer
    };

    Ring(Header* header, std::atomic<std::uint32_t>* entries, std::uint32_t capacity) noexcept
        : header_(header), entries_(entries), mask_(capacity - 1) {}

    /// Producer: all that it wrote before is visible to the consumer that pops `slot`.
    void push(std::uint32_t slot) noexcept {
        const auto tail = header_->tail.load(std::memory_order_relaxed);
        entries_[tail & mask_].store(slot, std::memory_order_relaxed);
        header_->tail.store(tail + 1, std::memory_order_release);  // the entry is visible first
    }

    /// Consumer. `lost`: the counters or the entry make no sense (slots are below the capacity): the producer is not to be trusted.
    [[nodiscard]] Pop pop(std::uint32_t& slot) noexcept {
        const auto head = header_->head.load(std::memory_order_relaxed);
        const auto used = header_->tail.load(std::memory_order_acquire) - head;
        if (used == 0) return Pop::empty;
        if (used > mask_ + 1) return Pop::lost;
        slot = entries_[head & mask_].load(std::memory_order_relaxed);
        if (slot > mask_) return Pop::lost;
        header_->head.store(head + 1, std::memory_order_release);  // the entry was read first
        return Pop::item;
    }

    /// Empties the ring. Neither side may be at work.
    void reset() noexcept {
        header_->tail.store(0, std::memory_order_relaxed);
        header_->head.store(0, std::memory_order_relaxed);
    }

    /// Either side.
    [[nodiscard]] bool empty() const noexcept {
        return header_->tail.load(std::memory_order_acquire) == header_->head.load(std::memory_order_acquire);
    }

private:
    Header* header_;
    std::atomic<std::uint32_t>* entries_;
    std::uint32_t mask_;
};

/// A ring with memory of its own.
class OwnedRing : public Ring {
public:
    explicit OwnedRing(std::uint32_t capacity) : OwnedRing(std::make_unique<Memory>(capacity), capacity) {}

private:
    struct Memory {
        explicit Memory(std::uint32_t capacity) : entries(new std::atomic<std::uint32_t>[capacity]) {}
        Header header;
        std::unique_ptr<std::atomic<std::uint32_t>[]> entries;
    };
    OwnedRing(std::unique_ptr<Memory> memory, std::uint32_t capacity)
        : Ring(&memory->header, memory->entries.get(), capacity), memory_(std::move(memory)) {}

    std::unique_ptr<Memory> memory_;
};

}  // namespace octavo::ring
