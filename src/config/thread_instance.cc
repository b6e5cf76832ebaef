#include "config/thread_instance.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "config/process.hpp"
#include "instance/thread_instance.hpp"

namespace octavo::config {
namespace {

constexpr std::size_t kNone = SIZE_MAX;

/// How the calling thread follows the plan.
struct Placement {
    std::uint64_t plan = 0;      ///< number of the plan that the instance was made for
    std::size_t index = kNone;   ///< of the section's instance
    bool is_placed = false;      ///< made here, not with the defaults
    bool is_configured = false;  ///< by configure_thread_instance()
};
thread_local Placement mine;

octavo_driver driver_of(const SectionInstance& given) noexcept {
    const bool is_told = given.general->driver == OCTAVO_DRIVER_AUTO && given.polled != Polled::polled;
    return is_told ? OCTAVO_DRIVER_THREADS : given.general->driver;
}

bool is_usable(const ProcessPlan& plan, std::size_t index) {
    return std::find(plan.usable.begin(), plan.usable.end(), index) != plan.usable.end();
}

/// Points into the plan.
instance::Instance::Config config_for(const ProcessPlan& plan, std::size_t index) {
    instance::Instance::Config config{.name = "thread", .ring_size = 1024};
    config.portable_only = plan.state != ProcessPlan::State::none && !is_usable(plan, index);
    if (index >= plan.instances.size()) return config;
    const auto& given = plan.instances[index];
    config.name = given.name.c_str();
    config.driver = driver_of(given);
    config.ring_size = ring_size(*given.general);
    if (given.cores) config.cores = {static_cast<int>(given.cores->first), static_cast<int>(given.cores->last)};
    return config;
}

octavo_status place(const ProcessPlan& plan, std::size_t index) {
    const auto status = instance::configure_thread_instance(config_for(plan, index));
    if (status == OCTAVO_OK) mine = {plan.number, index, plan.state != ProcessPlan::State::none, false};
    return status;
}

void follow_plan() {
    const auto plan = process_plan();
    if (plan->state == ProcessPlan::State::none && !mine.is_placed) {
        mine.plan = plan->number;
        return;
    }
    const auto index = plan->usable.empty() ? kNone : plan->usable[next_turn(plan->usable.size())];
    [[maybe_unused]] const auto status = place(*plan, index);  // while it has requests it stays as it is
}

}  // namespace

std::uint64_t thread_instance() {
    if (mine.plan != plan_number() && !mine.is_configured) follow_plan();
    return instance::thread_instance();
}

octavo_status configure_thread_instance(instance::Instance::Config config) {
    config.portable_only = process_plan()->state == ProcessPlan::State::denied;
    const auto status = instance::configure_thread_instance(config);
    if (status == OCTAVO_OK) mine = {0, kNone, true, true};
    return status;
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
