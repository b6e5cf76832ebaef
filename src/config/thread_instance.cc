#include "config/thread_instance.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "config/process.hpp"
#include "instance/thread_instance.hpp"

namespace octavo::config {
namespace {

constexpr std::size_t kNone = SIZE_MAX;

/// How the calling thread follows the plan and the polling settings.
struct Placement {
    std::uint64_t plan = 0;      ///< number of the plan that the instance was made for
    std::uint64_t polling = 0;   ///< the same of the polling settings
    std::size_t index = kNone;   ///< of the section's instance
    bool is_of_plan = false;     ///< the process has a section, or was denied one
    bool is_polled = false;      ///< not in the default mode
    bool is_configured = false;  ///< by configure_thread_instance()
};
thread_local Placement mine;

bool is_default(const instance::Polling& polling) noexcept { return polling.mode == OCTAVO_POLLING_DEFAULT; }

/// What the process has set comes first, then the endpoint's file.
instance::Polling polling_of(const General& general, const instance::Polling& set) noexcept {
    if (!is_default(set)) return set;
    return {static_cast<octavo_polling_mode>(general.polling_mode), OCTAVO_DRIVER_AUTO, general.polling_interval_ns,
            general.event_timeout_ms};
}

octavo_driver driver_of(const SectionInstance& given, const instance::Polling& polling) noexcept {
    if (given.general->driver != OCTAVO_DRIVER_AUTO) return given.general->driver;
    return given.polled != Polled::polled ? OCTAVO_DRIVER_THREADS : polling.driver;
}

bool is_usable(const ProcessPlan& plan, std::size_t index) {
    return std::find(plan.usable.begin(), plan.usable.end(), index) != plan.usable.end();
}

/// Points into the plan.
instance::Instance::Config config_for(const ProcessPlan& plan, std::size_t index, const instance::Polling& set) {
    instance::Instance::Config config{.name = "thread", .ring_size = 1024};
    config.portable_only = plan.state != ProcessPlan::State::none && !is_usable(plan, index);
    config.polling = set;
    if (!is_default(set)) config.driver = set.driver;
    if (index >= plan.instances.size()) return config;
    const auto& given = plan.instances[index];
    config.name = given.name.c_str();
    config.polling = polling_of(*given.general, set);
    config.driver = driver_of(given, config.polling);
    config.ring_size = ring_size(*given.general);
    config.checks_ecdsa = given.checks_ecdsa;
    config.costs = &given.general->costs;
    config.index = index;
    config.health = {given.endpoint, given.general->hang_timeout_ms, given.general->allows_faults};
    if (given.cores) config.cores = {static_cast<int>(given.cores->first), static_cast<int>(given.cores->last)};
    return config;
}

octavo_status place(const ProcessPlan& plan, std::size_t index) {
    const auto number = instance::polling_number();
    const auto set = instance::start_polling();
    const auto status = instance::configure_thread_instance(config_for(plan, index, set));
    const bool is_of_plan = plan.state != ProcessPlan::State::none;
    if (status == OCTAVO_OK) mine = {plan.number, number, index, is_of_plan, !is_default(set), false};
    return status;
}

bool is_followed() noexcept { return mine.plan == plan_number() && mine.polling == instance::polling_number(); }

/// While it has requests, the instance stays as it is.
void follow_plan() {
    const auto plan = process_plan();
    const auto number = instance::polling_number();
    const bool is_outside = plan->state == ProcessPlan::State::none && !mine.is_of_plan;
    const bool is_plain = is_default(instance::start_polling()) && !mine.is_polled;
    if (is_outside && (is_plain || mine.polling == number)) {
        mine.plan = plan->number;
        mine.polling = number;
        return;
    }
    const auto index = plan->usable.empty() ? kNone : plan->usable[next_turn(plan->usable.size())];
    [[maybe_unused]] const auto status = place(*plan, index);
}

}  // namespace

std::uint64_t thread_instance() {
    if (!is_followed() && !mine.is_configured) follow_plan();
    return instance::thread_instance();
}

octavo_status configure_thread_instance(instance::Instance::Config config) {
    config.portable_only = process_plan()->state == ProcessPlan::State::denied;
    const auto status = instance::configure_thread_instance(config);
    if (status == OCTAVO_OK) mine = {0, 0, kNone, true, false, true};
    return status;
}

bool application_polls() {
    const auto set = instance::polling();
    const auto is_external = [](const instance::Polling& polling) {
        return polling.mode == OCTAVO_POLLING_EXTERNAL || polling.mode == OCTAVO_POLLING_HEURISTIC;
    };
    if (!is_default(set)) return is_external(set);
    const auto plan = process_plan();
    return std::any_of(plan->instances.begin(), plan->instances.end(),
                       [&](const SectionInstance& given) { return is_external(polling_of(*given.general, set)); });
}

octavo_status bind_thread(std::size_t index) {
    const auto plan = process_plan();
    if (index < plan->instances.size()) return place(*plan, index);
    return fail(OCTAVO_ERR_BAD_ARGUMENT, "index: %zu; the process's section has %zu instances", index,
                plan->instances.size());
}

std::size_t thread_binding() {
    [[maybe_unused]] const auto id = thread_instance();
    return mine.index;
}

}  // namespace octavo::config
