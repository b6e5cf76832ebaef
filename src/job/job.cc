#include "job/job.hpp"

#include <mutex>
#include <utility>

#include "base/fork.hpp"

namespace octavo::job::table {

constinit std::array<std::atomic<Chunk*>, kChunks> chunks{};

namespace {

struct Places {
    fork::Mutex mutex{fork::Rank::table};
    std::size_t num_places = 0;
    Job* first_free = nullptr;

    static Places* const all;
    static Places& get() noexcept { return *all; }

    Job* make() noexcept {
        if (num_places == kChunkPlaces * kChunks) return nullptr;
        auto& chunk = chunks[num_places / kChunkPlaces];
        auto* jobs = chunk.load(std::memory_order_relaxed);
        if (jobs == nullptr) {
            jobs = new (std::nothrow) Chunk;
            if (jobs == nullptr) return nullptr;
            chunk.store(jobs, std::memory_order_release);  // the places are made first
        }
        auto& job = (*jobs)[num_places % kChunkPlaces];
        job.index = num_places++;
        return &job;
    }
};
Places* const Places::all = new Places;  // see base/fork.hpp

}  // namespace

Job* take() noexcept {
    auto& places = Places::get();
    const std::lock_guard lock{places.mutex};
    if (places.first_free == nullptr) return places.make();
    return std::exchange(places.first_free, places.first_free->next_free);
}

void give_back(Job& job) noexcept {
    auto& places = Places::get();
    const std::lock_guard lock{places.mutex};
    job.next_free = std::exchange(places.first_free, &job);
}

}  // namespace octavo::job::table
