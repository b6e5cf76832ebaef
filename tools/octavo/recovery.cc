#include "recovery.hpp"

#include <fmt/format.h>
#include <octavo/octavo.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "instance/fault_file.hpp"
#include "speed/api_side.hpp"
#include "speed/measure.hpp"
#include "speed/rsa.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using Clock = std::chrono::steady_clock;
using instance::Fault;
using instance::FaultControl;
using instance::FaultKind;

constexpr std::size_t kInFlight = 20;
constexpr std::uint64_t kHourNs = 3'600'000'000'000;
constexpr auto kPollEvery = std::chrono::microseconds{50};  // an event loop's pace, which leaves the core to others
constexpr auto kLost = std::chrono::seconds{30};

void expect_ok(FaultControl::Answer answer) {
    if (answer != FaultControl::Answer::ok) throw Failure("this process does not follow its own fault file");
}

/// Requests in flight on an instance of its own.
class Flight {
public:
    Flight(octavo_driver driver, const ApiWork& work) : work_(work), outputs_(work.inputs.size()) {
        octavo_instance_config config{};
        config.size = sizeof config;
        config.name = "recovery";
        config.driver = driver;
        config.never_in_place = 1;
        require(octavo_instance_create(&config, &instance_), "octavo_instance_create");
        for (std::size_t i = 0; i < work_.inputs.size(); ++i) slots_.push_back({this, i});
    }
    Flight(const Flight&) = delete;
    Flight& operator=(const Flight&) = delete;
    ~Flight() { octavo_instance_destroy(instance_); }

    void begin() {
        num_done_ = 0;
        for (auto& output : outputs_) output.clear();
        for (auto& slot : slots_) submit(slot);
    }
    /// Polls until all requests are done. Failure where they do not come.
    void finish() {
        const auto end = Clock::now() + kLost;
        for (;;) {
            require(octavo_poll(instance_, slots_.size(), nullptr), "octavo_poll");
            if (num_done_ >= slots_.size()) return;
            if (Clock::now() > end) throw Failure(fmt::format("{} requests are lost", slots_.size() - num_done_));
            std::this_thread::sleep_for(kPollEvery);
        }
    }
    /// When the first callback ran.
    Clock::time_point first() const noexcept { return first_; }
    void expect_right() const {
        if (num_done_ != slots_.size()) throw Failure("a request was answered twice");
        work_.check(outputs_);
    }
    void wait_until_up() const {
        std::uint32_t state = OCTAVO_ENDPOINT_DOWN;
        while (state != OCTAVO_ENDPOINT_UP) {
            require(octavo_instance_state(instance_, &state), "octavo_instance_state");
            std::this_thread::sleep_for(kPollEvery);
        }
    }

private:
    struct Slot {
        Flight* flight;
        std::size_t index;
    };
    static void done(void* argument, octavo_request, octavo_status status, const std::uint8_t* output,
                     std::size_t len) {
        const auto& slot = *static_cast<Slot*>(argument);
        if (slot.flight->num_done_++ == 0) slot.flight->first_ = Clock::now();
        if (status == OCTAVO_OK) slot.flight->outputs_[slot.index].assign(output, output + len);
    }
    void submit(Slot& slot) {
        octavo_submission submission = OCTAVO_SUBMISSION_INIT;
        submission.key = work_.key.handle();
        submission.operation = work_.operation;
        submission.input = work_.inputs[slot.index].data();
        submission.input_len = work_.inputs[slot.index].size();
        submission.callback = done;
        submission.callback_argument = &slot;
        require(octavo_submit(instance_, &submission, nullptr), "octavo_submit");
    }

    const ApiWork& work_;
    octavo_instance instance_{};
    ByteLists outputs_;
    std::vector<Slot> slots_;
    std::size_t num_done_ = 0;
    Clock::time_point first_;
};

/// The side that `octavo fault` has, on this very process.
std::unique_ptr<FaultControl> open_own() {
    auto answer = FaultControl::Answer::ok;
    auto control = FaultControl::open(static_cast<std::uint32_t>(getpid()), answer);
    if (control == nullptr)
        throw Failure("this process has no fault file: is the folder for statistics (OCTAVO_STATS_DIR) writable?");
    return control;
}

/// Milliseconds from the kill, which is written by another thread, to the first completion.
double time_death(Flight& flight, FaultControl& control) {
    expect_ok(control.add({.kind = FaultKind::delay, .value = kHourNs}));
    flight.begin();
    Clock::time_point death;
    auto answer = FaultControl::Answer::ok;
    std::jthread killer([&] {
        death = Clock::now();
        answer = control.add({.kind = FaultKind::kill});
    });
    flight.finish();
    killer.join();
    expect_ok(answer);
    flight.expect_right();
    expect_ok(control.remove(control.list()));
    flight.wait_until_up();
    return std::chrono::duration<double, std::milli>(flight.first() - death).count();
}

struct Times {
    std::string driver;
    std::vector<double> ms;
};

Times time_deaths(std::string name, octavo_driver driver, const ApiWork& work, std::size_t deaths) {
    Flight flight{driver, work};
    const auto control = open_own();
    Times times{std::move(name), {}};
    while (times.ms.size() < deaths) times.ms.push_back(time_death(flight, *control));
    return times;
}

void print_text(const std::vector<Times>& all, std::size_t deaths) {
    fmt::print("from an endpoint's death to the first of {} operations done elsewhere, in ms; {} deaths, none lost\n\n",
               kInFlight, deaths);
    fmt::print("{:<8} {:>8} {:>8} {:>8}\n", "driver", "least", "median", "worst");
    for (const auto& [driver, ms] : all)
        fmt::print("{:<8} {:>8.2f} {:>8.2f} {:>8.2f}\n", driver, quantile(ms, 0), median(ms), quantile(ms, 1));
}

void print_json(const std::vector<Times>& all, std::size_t deaths) {
    nlohmann::ordered_json drivers = nlohmann::ordered_json::array();
    for (const auto& [driver, ms] : all)
        drivers.push_back({{"driver", driver},
                           {"least_ms", quantile(ms, 0)},
                           {"median_ms", median(ms)},
                           {"worst_ms", quantile(ms, 1)}});
    const nlohmann::ordered_json document = {
        {"deaths", deaths}, {"in_flight", kInFlight}, {"lost", 0}, {"drivers", drivers}};
    fmt::print("{}\n", document.dump(2));
}

}  // namespace

int print_recovery(std::size_t deaths, bool json) {
    setenv("OCTAVO_FAULTS", "1", 1);  // before the first instance
    const RsaOperation operation{"rsa2048-private", "", 2048, true};
    const auto work = rsa_api_work(operation, kInFlight);
    std::vector<Times> all;
    all.push_back(time_deaths("inline", OCTAVO_DRIVER_INLINE, work, deaths));
    all.push_back(time_deaths("threads", OCTAVO_DRIVER_THREADS, work, deaths));
    all.push_back(time_deaths("auto", OCTAVO_DRIVER_AUTO, work, deaths));
    json ? print_json(all, deaths) : print_text(all, deaths);
    return kExitOk;
}

}  // namespace octavo::cli
