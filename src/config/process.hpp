#pragma once

#include <octavo/octavo.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/configuration.hpp"

/// What this process has of the configuration: an internal section, or none and why. octavo.h, "sections", says how it behaves. All functions may
/// be called by any thread, and may throw std::bad_alloc.
namespace octavo::config {

/// Takes a free internal section of `name`.
[[nodiscard]] octavo_status start_section(const std::string& name);
/// A free internal section of `name` is to be taken when it is first asked for; now nothing is.
[[nodiscard]] octavo_status set_section(const std::string& name);
/// Takes one of the section that OCTAVO_SECTION names, if it names one.
[[nodiscard]] octavo_status start_section_of_environment();
/// Gives it back.
void stop_section();

/// What threads go by. Taken once per change, and then kept by each thread.
struct ProcessPlan {
    enum class State { none, held, denied } state = State::none;
    std::uint64_t number = 0;                 ///< plan_number() while this is the plan
    std::string internal_name;                ///< "" unless held
    std::vector<SectionInstance> instances;   ///< crypto instances; empty unless held
    std::vector<std::size_t> usable;          ///< those whose endpoint serves asymmetric operations, by their place
    std::shared_ptr<const Configuration> of;  ///< keeps what the instances point to
};
/// The plan of this moment. Before the first start, and in a child after fork(), it first tries the start that is due: the one of the
/// parent, or that of OCTAVO_SECTION.
std::shared_ptr<const ProcessPlan> process_plan();
/// A number that changes with each new plan and with fork(). No lock; never 0.
std::uint64_t plan_number() noexcept;
/// The next in turn of `count` instances, for a thread that begins.
std::size_t next_turn(std::size_t count) noexcept;

}  // namespace octavo::config
