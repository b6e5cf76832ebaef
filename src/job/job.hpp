#pragma once

#include <octavo/job.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "base/stack.hpp"
#include "job/sanitizer.hpp"
#include "job/switch.hpp"

namespace octavo::job {

class Thread;
class Wait;

/// What the C++ runtime keeps for each thread about exceptions in flight (Itanium C++ ABI, 2.2.2: __cxa_eh_globals), and should keep
/// for each stack.
struct ExceptionState {
    void* caught = nullptr;
    unsigned int uncaught = 0;

    bool any() const noexcept { return caught != nullptr || uncaught != 0; }
};

/// The arguments of a job: small ones in place.
class Arguments {
public:
    /// Null where memory ran out.
    void* copy(const void* from, std::size_t len) noexcept {
        auto* to = small_.data();
        if (len > small_.size()) {
            large_.reset(new (std::nothrow) std::byte[len]);
            to = large_.get();
        }
        return to == nullptr ? nullptr : std::memcpy(to, from, len);
    }
    void clear() noexcept {
        if (large_) large_.reset();
    }

private:
    alignas(std::max_align_t) std::array<std::byte, 128> small_;
    std::unique_ptr<std::byte[]> large_;
};

/// One job, or the place for one: it is used again and again, and never freed, so that a void handle can be told from a good one.
/// But for `id` and `owner`, everything belongs to the owning thread.
struct Job {
    std::atomic<std::uint64_t> id{0};  // of the job that lives here now; 0 while it is idle
    std::atomic<Thread*> owner{nullptr};

    octavo_job_state state = OCTAVO_JOB_STATE_NONE;
    unsigned blocked = 0, late_pauses = 0;
    Context inner;         // where it goes on; nowhere while its stack is unused
    Context outer;         // where it goes when it leaves
    Job* below = nullptr;  // the job that entered it
    octavo_job* entered_handle = nullptr;
    int* entered_result = nullptr;
    int kept_errno = 0;
    int (*function)(void*) = nullptr;
    void* argument = nullptr;
    int value = 0;
    octavo_wait_context wait{0};
    Wait* wait_object = nullptr;  // while it lives, and serves no other job
    octavo_job_cancel_hook* hook = nullptr;
    void* hook_argument = nullptr;
    const octavo_job_hooks* hooks = nullptr;
    void* hooks_kept = nullptr;
    ExceptionState exceptions, outside;  // its own, and that of whoever entered it
    [[no_unique_address]] sanitizer::Fiber fiber;
    Stack stack;
    Arguments arguments;

    std::uint64_t index = 0;  // of this place
    std::uint32_t generation = 0;
    std::size_t position = 0;  // in its thread's list
    Job* next_free = nullptr;

    octavo_job handle() const noexcept { return {id.load(std::memory_order_relaxed)}; }
    /// A number that was not used before: generation << 32 | index + 1, with 31 bits of generation.
    void begin_life() noexcept {
        generation = (generation + 1) & 0x7fffffff;
        id.store(static_cast<std::uint64_t>(generation) << 32 | (index + 1), std::memory_order_relaxed);
    }
    void end_life() noexcept { id.store(0, std::memory_order_relaxed); }
};

namespace table {

inline constexpr std::size_t kChunkPlaces = 256, kChunks = 4096;
using Chunk = std::array<Job, kChunkPlaces>;
extern constinit std::array<std::atomic<Chunk*>, kChunks> chunks;

/// A place for a job; null when memory or places run out.
Job* take() noexcept;
void give_back(Job& job) noexcept;

/// The job of this number, whosever it is; null for a void one. Lock-free.
inline Job* find(std::uint64_t id) noexcept {
    const auto index = (id & 0xffffffffU) - 1;
    if (index >= kChunkPlaces * kChunks) return nullptr;
    auto* chunk = chunks[index / kChunkPlaces].load(std::memory_order_acquire);
    if (chunk == nullptr) return nullptr;
    auto& job = (*chunk)[index % kChunkPlaces];
    return job.id.load(std::memory_order_relaxed) == id ? &job : nullptr;
}

}  // namespace table

}  // namespace octavo::job
