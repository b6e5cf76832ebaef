#pragma once

namespace octavo::engine {

/// Reasons of the engine's own error library. What OpenSSL's own methods refuse, they word themselves.
enum class Reason : int {
    version = 100,
    no_memory,
    job_cancelled,
    unknown_command,
    already_initialised,
    not_initialised,
    already_set,
    conflicting_mode,
    out_of_range,
    null_argument,
    bad_section_name,
    section_refused,
    no_such_instance,
    bad_bitmap,
    bad_threshold,
    refused,
    device,
};

/// Makes the library known to OpenSSL, once in a process. False when memory has run out.
bool load_errors() noexcept;
/// Puts an error into the calling thread's queue, with a printf text that may be null. Always 0, OpenSSL's "failed".
int raise(Reason reason, const char* where, const char* format = nullptr, ...) noexcept
    __attribute__((format(printf, 3, 4)));

}  // namespace octavo::engine
