#pragma once

#include "instance/instance.hpp"

namespace octavo::instance {

/// The handle of the calling thread's shared instance, made on first use; 0 once the thread is ending. May throw std::bad_alloc.
std::uint64_t thread_instance();

/// Makes it anew from `config`, whose name is a static string. OCTAVO_ERR_BAD_ARGUMENT while it has requests in flight or a callback runs. May throw.
[[nodiscard]] octavo_status configure_thread_instance(const Instance::Config& config);

}  // namespace octavo::instance
