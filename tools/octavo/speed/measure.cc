#include "speed/measure.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "speed/core_time.hpp"

namespace octavo::cli {
namespace {

using Clock = std::chrono::steady_clock;

// Short against a scheduler's time slice, long against reading the clock.
constexpr double kTargetSlotNs = 5e6;
constexpr std::size_t kMinRounds = 11, kMaxRounds = 201;

struct Span {
    double wall_ns = 0, taken_ns = 0;  ///< taken: by other programs

    double ns(bool take_off) const noexcept { return take_off ? wall_ns - taken_ns : wall_ns; }
};

/// Adds what `calls` calls take. The clock is read outermost, so that no wait counts that it does not cover.
void time_run(Side& side, std::size_t calls, Span& span) {
    side.make_ready();
    const auto start = Clock::now();
    const double waited = waited_for_core_ns();
    side.run(calls);
    if (!side.has_threads()) span.taken_ns += waited_for_core_ns() - waited;
    span.wall_ns += std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

/// How many calls fill a turn, found by doubling; this is the warm-up too.
std::size_t calls_for(Side& side, double slot_ns, bool take_off) {
    std::size_t calls = 1;
    for (;;) {
        Span span;
        time_run(side, calls, span);
        const double ns = span.ns(take_off);
        if (ns >= slot_ns / 2)
            return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(calls) * slot_ns / ns));
        calls *= 2;
    }
}

struct Turn {
    Side* side;
    std::size_t calls;
    Span span{};

    void take() { time_run(*side, calls, span); }
    double ns_per_op(bool take_off) const {
        return span.ns(take_off) / 2 / static_cast<double>(calls * side->ops_per_call());
    }
};

void run_round(std::vector<Turn>& turns) {
    for (auto& turn : turns) turn.span = {};
    std::for_each(turns.begin(), turns.end(), [](Turn& turn) { turn.take(); });
    std::for_each(turns.rbegin(), turns.rend(), [](Turn& turn) { turn.take(); });
}

}  // namespace

Plan make_plan(double seconds, std::size_t num_sides) noexcept {
    const double turns = 2.0 * static_cast<double>(num_sides);
    const auto fitting = static_cast<std::size_t>(seconds * 1e9 / (turns * kTargetSlotNs));
    const std::size_t rounds = std::clamp(fitting, kMinRounds, kMaxRounds) | 1;
    return {rounds, seconds * 1e9 / (turns * static_cast<double>(rounds))};
}

Rounds measure(std::span<Side* const> sides, const Plan& plan, Progress& progress) {
    Rounds rounds{std::vector<std::vector<double>>(sides.size()), 0, false};
    rounds.taken_off = std::none_of(sides.begin(), sides.end(), [](const Side* side) { return side->has_threads(); });
    std::vector<Turn> turns;
    for (Side* side : sides) turns.push_back({side, calls_for(*side, plan.slot_ns, rounds.taken_off)});
    Span all;
    for (std::size_t round = 0; round < plan.rounds; ++round) {
        progress.step(round + 1, plan.rounds);
        run_round(turns);
        for (std::size_t i = 0; i < turns.size(); ++i) {
            const auto& turn = turns[i];
            rounds.ns_per_op[i].push_back(turn.ns_per_op(rounds.taken_off));
            if (turn.side->has_threads()) continue;
            all.wall_ns += turn.span.wall_ns;
            all.taken_ns += turn.span.taken_ns;
        }
    }
    if (all.wall_ns > 0) rounds.core_taken = all.taken_ns / all.wall_ns;
    return rounds;
}

double quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    const double place = part * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (values[above] - values[below]) * (place - static_cast<double>(below));
}

double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

std::vector<double> quotients(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> result(a.size());
    std::transform(a.begin(), a.end(), b.begin(), result.begin(), [](double x, double y) { return x / y; });
    return result;
}

std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> result(a.size());
    std::transform(a.begin(), a.end(), b.begin(), result.begin(), [](double x, double y) { return x - y; });
    return result;
}

}  // namespace octavo::cli
