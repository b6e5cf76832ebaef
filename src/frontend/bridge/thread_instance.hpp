#pragma once

#include "octavo/octavo.h"

namespace octavo::bridge {

/// The calling thread's instance, made on first use and destroyed when the thread ends. {0} where there can be none: it could
/// not be made, or the thread is past the destructors of its thread-local objects.
octavo_instance thread_instance() noexcept;

/// Tells threads apart for as long as they live. Never null.
const void* thread_token() noexcept;

}  // namespace octavo::bridge
