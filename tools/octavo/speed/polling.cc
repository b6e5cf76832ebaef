#include "speed/polling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.hpp"
#include "speed/api_side.hpp"
#include "speed/measure.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

constexpr const char* kNames[] = {"default", "timer", "event", "external", "heuristic", "inline"};

octavo_polling settings_of(octavo_polling_mode mode) {
    octavo_polling settings{};
    settings.size = sizeof settings;
    settings.mode = static_cast<std::uint32_t>(mode);
    return settings;
}

octavo_polling current_settings() {
    auto settings = settings_of(OCTAVO_POLLING_DEFAULT);
    require(octavo_polling_get(&settings), "octavo_polling_get");
    return settings;
}

/// The layer provider in one mode, which is the process's: before its turn the mode is set, and the fresh instance learns what its work costs.
class PolledSide final : public Side {
public:
    PolledSide(SidePtr inner, octavo_polling_mode mode) : inner_(std::move(inner)), mode_(mode) {}

    void make_ready() override {
        if (current_settings().mode == static_cast<std::uint32_t>(mode_)) return;
        const auto settings = settings_of(mode_);
        require(octavo_polling_reset(), "octavo_polling_reset");
        require(octavo_polling_set(&settings), "octavo_polling_set");
        constexpr std::size_t kLessons = 32;
        inner_->run(std::max<std::size_t>(2, kLessons / inner_->ops_per_call()));
    }
    void run(std::size_t calls) override { inner_->run(calls); }
    std::size_t ops_per_call() const noexcept override { return inner_->ops_per_call(); }
    void check() const override { inner_->check(); }
    bool has_threads() const noexcept override { return inner_->has_threads(); }

private:
    SidePtr inner_;
    octavo_polling_mode mode_;
};

/// Rates of one mode by those of another, round by round: their median.
double compare(const Rounds& rounds, std::size_t mode, std::size_t other) {
    return median(quotients(rounds.ns_per_op[other], rounds.ns_per_op[mode]));
}

/// "" where there is nothing to compare.
std::string compare_default(const Case& row, const PollingModes& modes, const Rounds& rounds) {
    const auto standard =
        static_cast<std::size_t>(std::find(modes.begin(), modes.end(), OCTAVO_POLLING_DEFAULT) - modes.begin());
    if (standard == modes.size() || modes.size() == 1) return {};
    std::size_t best = standard == 0 ? 1 : 0;
    for (std::size_t i = 0; i < modes.size(); ++i)
        if (i != standard && compare(rounds, i, best) > 1) best = i;
    return fmt::format("{} depth {:2}: the default is {:.2f} times as fast as the best of the other modes ({})",
                       row.operation.name(), row.depth, compare(rounds, standard, best), name(modes[best]));
}

}  // namespace

const char* name(octavo_polling_mode mode) noexcept { return kNames[mode]; }

PollingModes parse_polling_modes(const std::string& list) {
    const std::vector<std::string> names(std::begin(kNames), std::end(kNames));
    PollingModes modes;
    for_each_item(list, ',', [&](std::string_view text) {
        const auto place = std::find(names.begin(), names.end(), text) - names.begin();
        if (text == "all")
            for (std::size_t i = 0; i < names.size(); ++i) modes.push_back(static_cast<octavo_polling_mode>(i));
        else if (place == static_cast<std::ptrdiff_t>(names.size()))
            throw UsageError(fmt::format("--polling takes {}, or all, not \"{}\"{}", fmt::join(names, ", "), text,
                                         did_you_mean(std::string(text), names)));
        else
            modes.push_back(static_cast<octavo_polling_mode>(place));
    });
    return modes;
}

bool is_polled_by_the_application() {
    const auto mode = current_settings().mode;
    return mode == OCTAVO_POLLING_EXTERNAL || mode == OCTAVO_POLLING_HEURISTIC;
}

std::vector<Result> measure_polling(const Case& row, const PollingModes& modes, double seconds, Progress& progress) {
    std::vector<SidePtr> owners;
    for (const auto mode : modes)
        owners.push_back(std::make_unique<PolledSide>(row.operation.provider(row.depth, true), mode));
    owners.push_back(row.operation.openssl(Counterpart::provider));
    std::vector<Side*> sides;
    for (const auto& owner : owners) {
        owner->make_ready();
        check_first_batch(*owner);
        sides.push_back(owner.get());
    }
    const auto rounds = measure(sides, make_plan(seconds * static_cast<double>(modes.size()), sides.size()), progress);
    std::vector<Result> results;
    for (std::size_t i = 0; i < modes.size(); ++i) {
        results.push_back(summarize(row, *sides[i], rounds, {i, modes.size()}));
        results.back().mode = name(modes[i]);
        const auto note = compare_default(row, modes, rounds);
        if (modes[i] == OCTAVO_POLLING_DEFAULT && !note.empty()) results.back().notes.push_back(note);
    }
    require(octavo_polling_reset(), "octavo_polling_reset");
    return results;
}

}  // namespace octavo::cli
