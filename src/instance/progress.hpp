#pragma once

#include <cstdint>

namespace octavo::instance {

/// What the system says of a thread.
struct ThreadTime {
    bool is_ready = false;     ///< it runs, or waits for a processor
    std::uint64_t cpu_ns = 0;  ///< that it has had, counted in ticks of the system (10 ms)
};

/// Tells whether an engine thread is stuck: at the same batch since the hang timeout. One that only waits for a processor is not, however
/// long a busy machine lets it: where it is ready to run it must have computed for half that time, too.
/// Used by one thread at a time.
class Progress {
public:
    /// At `now_ns` the thread's count of beats is `beats`, odd in a batch.
    [[nodiscard]] bool is_stuck(std::uint64_t beats, const ThreadTime& thread, std::uint64_t now_ns,
                                std::uint64_t hang_timeout_ns) noexcept {
        if (beats != beats_ || beats % 2 == 0) {
            beats_ = beats;
            since_ns_ = now_ns;
            cpu_ns_ = thread.cpu_ns;
            return false;
        }
        const bool starves = thread.is_ready && thread.cpu_ns - cpu_ns_ < hang_timeout_ns / 2;
        return now_ns - since_ns_ >= hang_timeout_ns && !starves;
    }

private:
    std::uint64_t beats_ = 0, since_ns_ = 0, cpu_ns_ = 0;
};

}  // namespace octavo::instance
