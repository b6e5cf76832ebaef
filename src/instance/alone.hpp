#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace octavo::instance {

/// Tells whether a submitter with an engine thread is alone: whether its requests never overlap. One that is alone computes in place, which saves it
/// the hand-over; now and then it probes, because in place nothing can overlap: the request is handed over, and whoever
/// comes meanwhile shows. Probes cost less than one part in a hundred.
class Alone {
public:
    /// A request comes while `in_flight` others are. True: compute it in place.
    [[nodiscard]] bool on_submit(std::size_t in_flight) noexcept {
        if (in_flight > 0) {
            overlapped_ = true;
            streak_ = 0;
            return false;
        }
        overlapped_ = false;
        if (streak_ < kProof) return false;
        if (++since_probe_ < probe_interval()) return true;
        since_probe_ = 0;
        return false;
    }

    /// Before a submission: true where on_submit() would be, and the submitter does the operation elsewhere instead.
    [[nodiscard]] bool on_consult(std::size_t in_flight) noexcept {
        if (in_flight > 0 || streak_ < kProof || since_probe_ + 1 >= probe_interval()) return false;
        ++since_probe_;
        return true;
    }

    /// The last request in flight has come back, `round_trip_ns` after its submission.
    void on_idle(std::uint64_t round_trip_ns) noexcept {
        if (overlapped_) return;
        streak_ = std::min(streak_ + 1, kProof);
        if (in_place_ns_ == 0) return;
        const auto hand_over = round_trip_ns > in_place_ns_ ? round_trip_ns - in_place_ns_ : 0;
        // the waiter may have been busy with other things: one long round trip says little
        hand_over_ns_ =
            std::clamp((7 * hand_over_ns_ + std::min(hand_over, 2 * hand_over_ns_)) / 8, kMinHandOver, kMaxHandOver);
    }

    void on_in_place(std::uint64_t took_ns) noexcept {
        in_place_ns_ = in_place_ns_ == 0 ? took_ns : (7 * in_place_ns_ + took_ns) / 8;
    }

    [[nodiscard]] std::size_t probe_interval() const noexcept {
        if (in_place_ns_ == 0) return kMinInterval;
        return std::clamp<std::size_t>(hand_over_ns_ * kBudget / in_place_ns_, kMinInterval, kMaxInterval);
    }

private:
    static constexpr std::size_t kProof = 4;       // requests on end without company
    static constexpr std::uint64_t kBudget = 150;  // one part in so many goes to probes
    static constexpr std::size_t kMinInterval = 4, kMaxInterval = 256;
    static constexpr std::uint64_t kMinHandOver = 2'000, kMaxHandOver = 50'000;

    std::size_t streak_ = 0, since_probe_ = 0;
    std::uint64_t hand_over_ns_ = 8'000, in_place_ns_ = 0;
    bool overlapped_ = false;
};

}  // namespace octavo::instance
