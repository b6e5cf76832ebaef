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

    double own_ns() const noexcept { return wall_ns - taken_ns; }
};

/// Adds what `calls` calls take. The clock is read outermost, so that no wait counts that it does not cover.
void time_run(Side& side, std::size_t calls, bool alone, Span& span) {
    const auto start = Clock::now();
    const double waited = alone ? waited_for_core_ns() : 0;
    side.run(calls);
    if (alone) span.taken_ns += waited_for_core_ns() - waited;
    span.wall_ns += std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

/// How many calls fill a turn, found by doubling; this is the warm-up too.
std::size_t calls_for(Side& side, double slot_ns, bool alone) {
    std::size_t calls = 1;
    for (;;) {
        Span span;
        time_run(side, calls, alone, span);
        const double ns = span.own_ns();
        if (ns >= slot_ns / 2)
            return std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(calls) * slot_ns / ns));
        calls *= 2;
    }
}

struct Turn {
    Side* side;
    std::size_t calls;
    Span span{};

    void take(bool alone) { time_run(*side, calls, alone, span); }
    double ns_per_op() const { return span.own_ns() / 2 / static_cast<double>(calls * side->ops_per_call()); }
};

void run_round(std::vector<Turn>& turns, bool alone) {
    for (auto& turn : turns) turn.span = {};
    std::for_each(turns.begin(), turns.end(), [alone](Turn& turn) { turn.take(alone); });
    std::for_each(turns.rbegin(), turns.rend(), [alone](Turn& turn) { turn.take(alone); });
}

}  // namespace

Plan make_plan(double seconds, std::size_t num_sides) noexcept {
    const double turns = 2.0 * static_cast<double>(num_sides);
    const auto fitting = static_cast<std::size_t>(seconds * 1e9 / (turns * kTargetSlotNs));
    const std::size_t rounds = std::clamp(fitting, kMinRounds, kMaxRounds) | 1;
    return {rounds, seconds * 1e9 / (turns * static_cast<double>(rounds))};
}

Rounds measure(std::span<Side* const> sides, const Plan& plan, Progress& progress) {
    const bool alone = std::none_of(sides.begin(), sides.end(), [](const Side* side) { return side->has_threads(); });
    std::vector<Turn> turns;
    for (Side* side : sides) turns.push_back({side, calls_for(*side, plan.slot_ns, alone)});
    Rounds rounds{std::vector<std::vector<double>>(sides.size()), 0};
    Span all;
    for (std::size_t round = 0; round < plan.rounds; ++round) {
        progress.step(round + 1, plan.rounds);
        run_round(turns, alone);
        for (std::size_t i = 0; i < turns.size(); ++i) {
            rounds.ns_per_op[i].push_back(turns[i].ns_per_op());
            all.wall_ns += turns[i].span.wall_ns;
            all.taken_ns += turns[i].span.taken_ns;
        }
    }
    rounds.core_taken = all.taken_ns / all.wall_ns;
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
