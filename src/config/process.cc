#include "config/process.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/error.hpp"
#include "base/fork.hpp"
#include "config/locks.hpp"
#include "config/values.hpp"
#include "instance/stats_file.hpp"

namespace octavo::config {
namespace {

using Plan = ProcessPlan;

Plan first_plan() {
    Plan plan;
    plan.number = 1;
    return plan;
}

struct Process {
    fork::Mutex mutex{fork::Rank::section};
    // guarded by the mutex
    std::uint64_t generation = fork::generation();
    bool start_is_due = true;
    std::string wanted;  ///< what was asked for last; "": what OCTAVO_SECTION says
    int lock = -1;
    std::shared_ptr<const Plan> plan = std::make_shared<const Plan>(first_plan());

    std::atomic<std::uint32_t> number{1};
    std::atomic<std::size_t> turns{0};
};

std::uint64_t with_generation(std::uint32_t number) noexcept { return fork::generation() << 32 | number; }

Process* const the_process = new Process;  // see base/fork.hpp
Process& process() noexcept { return *the_process; }

/// Call with the mutex held.
void set_plan(Process& self, Plan plan, const std::string& reason = {}) {
    instance::note_section({static_cast<std::uint32_t>(plan.state), plan.internal_name, reason});
    const auto number = self.number.load(std::memory_order_relaxed) + 1;
    plan.number = with_generation(number);
    self.plan = std::make_shared<const Plan>(std::move(plan));
    self.turns.store(0, std::memory_order_relaxed);
    self.number.store(number, std::memory_order_release);
}

/// Call with the mutex held.
void give_back(Process& self) {
    if (self.lock >= 0) ::close(self.lock);
    self.lock = -1;
}

octavo_status deny(Process& self, octavo_status status, const std::string& reason) {
    Plan plan;
    plan.state = Plan::State::denied;
    set_plan(self, std::move(plan), reason);
    return fail(status, "%s", reason.c_str());
}

Plan plan_for(const InternalSection& section, std::shared_ptr<const Configuration> configuration) {
    Plan plan;
    plan.state = Plan::State::held;
    plan.internal_name = section.name;
    plan.instances = section.crypto();
    plan.of = std::move(configuration);
    for (std::size_t i = 0; i < plan.instances.size(); ++i)
        if ((plan.instances[i].general->services & kAsym) != 0) plan.usable.push_back(i);
    return plan;
}

std::string no_such_section(const Loaded& loaded, const std::string& name) {
    const auto names = section_names(*loaded.configuration);
    return "no section [" + name + "] in the files of " + loaded.where + suggest(name, names);
}

octavo_status take_section(Process& self, const std::string& name, const Loaded& loaded) {
    const auto sections = internal_sections(*loaded.configuration, name);
    std::vector<std::string> names;
    for (const auto& section : sections) names.push_back(section.name);
    if (names.empty()) return deny(self, OCTAVO_ERR_NO_SECTION, "[" + name + "] has NumProcesses = 0: nobody gets one");
    const auto allotment = take_first_free(run_folder(), names);
    if (allotment.result == Allotment::Result::failed)
        return deny(self, OCTAVO_ERR_SYSTEM, "no section: the lock folder " + allotment.error);
    if (allotment.result == Allotment::Result::all_held)
        return deny(self, OCTAVO_ERR_NO_SECTION,
                    "all " + std::to_string(names.size()) + " internal sections of [" + name +
                        "] are taken; raise NumProcesses, or see with \"octavo sections\" who holds them");
    self.lock = allotment.fd;
    set_plan(self, plan_for(sections[allotment.index], loaded.configuration));
    return OCTAVO_OK;
}

std::string bad_name() {
    return "section: a name has 1 to " + std::to_string(kMaxName) +
           " letters, digits, \"_\" and \"-\"; see OCTAVO_SECTION, or octavo_section_start()";
}

/// Call with the mutex held, and nothing held by the process.
octavo_status start(Process& self, const std::string& name) {
    self.start_is_due = false;
    self.wanted = name;
    if (name.empty()) return OCTAVO_OK;
    if (!is_section_name(name)) return deny(self, OCTAVO_ERR_BAD_ARGUMENT, bad_name());
    const auto loaded = load_system();
    if (!loaded.errors.empty()) return deny(self, OCTAVO_ERR_CONFIGURATION, to_string(loaded.errors.front()));
    if (loaded.configuration == nullptr) {
        set_plan(self, {});
        return OCTAVO_OK;
    }
    const auto names = section_names(*loaded.configuration);
    if (std::find(names.begin(), names.end(), name) == names.end())
        return deny(self, OCTAVO_ERR_CONFIGURATION, no_such_section(loaded, name));
    return take_section(self, name, loaded);
}

std::string named_by_environment() {
    const char* const name = secure_getenv("OCTAVO_SECTION");
    return name == nullptr ? "" : name;
}

/// In a child after fork(): the parent's section stays the parent's, and the child's own start is due.
void follow_fork(Process& self) {
    if (self.generation == fork::generation()) return;
    self.generation = fork::generation();
    give_back(self);  // a descriptor and no lock
    const bool had_started = self.plan->state != Plan::State::none;
    self.start_is_due = self.start_is_due || had_started;
    set_plan(self, {});
}

/// Call with the mutex held.
std::shared_ptr<const Plan> current_plan(Process& self) {
    follow_fork(self);
    if (self.start_is_due) {
        const auto name = self.wanted.empty() ? named_by_environment() : self.wanted;
        [[maybe_unused]] const auto status = start(self, name);  // the plan, the counters and `doctor` have the reason
    }
    return self.plan;
}

}  // namespace

octavo_status start_section(const std::string& name) {
    auto& self = process();
    const std::lock_guard lock{self.mutex};
    follow_fork(self);
    if (self.lock >= 0) {
        if (self.wanted == name) return OCTAVO_OK;
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "name: this process holds %s; stop it first",
                    self.plan->internal_name.c_str());
    }
    return start(self, name);
}

octavo_status set_section(const std::string& name) {
    if (!is_section_name(name)) return fail(OCTAVO_ERR_BAD_ARGUMENT, "%s", bad_name().c_str());
    auto& self = process();
    const std::lock_guard lock{self.mutex};
    follow_fork(self);
    if (self.wanted == name) return OCTAVO_OK;
    if (self.lock >= 0)
        return fail(OCTAVO_ERR_STARTED, "name: this process holds %s; stop it first", self.plan->internal_name.c_str());
    set_plan(self, {});
    self.wanted = name;
    self.start_is_due = true;
    return OCTAVO_OK;
}

octavo_status start_section_of_environment() {
    const auto name = named_by_environment();
    if (!name.empty()) return start_section(name);
    stop_section();
    return OCTAVO_OK;
}

void stop_section() {
    auto& self = process();
    const std::lock_guard lock{self.mutex};
    follow_fork(self);
    self.start_is_due = false;
    self.wanted.clear();
    if (self.plan->state == Plan::State::none) return;
    set_plan(self, {});
    give_back(self);
}

std::shared_ptr<const ProcessPlan> process_plan() {
    auto& self = process();
    const std::lock_guard lock{self.mutex};
    return current_plan(self);
}

std::uint64_t plan_number() noexcept { return with_generation(process().number.load(std::memory_order_acquire)); }

std::size_t next_turn(std::size_t count) noexcept {
    return process().turns.fetch_add(1, std::memory_order_relaxed) % count;
}

}  // namespace octavo::config
