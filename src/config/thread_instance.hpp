#pragma once

#include <cstddef>
#include <cstdint>

#include "instance/instance.hpp"

/// The calling thread's instance, placed as the process's plan says.
namespace octavo::config {

/// As instance::thread_instance(): of the process's section where it holds one, on the portable row where it was denied one. Where the
/// plan has changed, the instance is made anew as soon as it has no requests. May throw std::bad_alloc.
std::uint64_t thread_instance();

/// As instance::configure_thread_instance(); from then on the thread's instance is its caller's, whatever the plan.
[[nodiscard]] octavo_status configure_thread_instance(instance::Instance::Config config);

/// Whether devices of the process are polled by the application: modes external and heuristic, set or in an endpoint's file.
bool application_polls();

/// octavo_section_bind()
[[nodiscard]] octavo_status bind_thread(std::size_t index);
/// octavo_section_binding(): SIZE_MAX for none.
std::size_t thread_binding();

}  // namespace octavo::config
