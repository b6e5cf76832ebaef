#pragma once

#include <cstdint>
#include <span>

#include "octavo/octavo.h"

/// Operations for OpenSSL front ends, on the thread's instance: pause the job that is current, or wait in place.
namespace octavo::bridge {

/// One raw operation on a registered key.
///   in   what the operation takes (octavo.h); copied before the first pause
///   out  exactly the bytes of its result; may be `in`; written only when the answer is OCTAVO_OK
/// Inside a job of ours (job.h) that has a wait context, or else inside an OpenSSL ASYNC_JOB, it pauses the job until the result is
/// there; errno and the error queue are the job's again when it returns. OCTAVO_CANCELLED: the job was cancelled.
/// Elsewhere it computes in place. On an answer other than OCTAVO_OK nothing was raised in OpenSSL's error queue, and the
/// caller's own fallback decides. Time: that of the operation itself (see octavo.h).
octavo_status run_raw(octavo_key key, octavo_operation operation, std::span<const std::uint8_t> in,
                      std::span<std::uint8_t> out) noexcept;

/// Whether run_raw() is better than what the front end's own OpenSSL would do for this one: there is company to share lanes with or a chance of it,
/// or the lanes are faster even for one. `key` may be one that only names a curve. It is counted. Costs some tens of nanoseconds.
bool is_worth(octavo_key key, octavo_operation operation) noexcept;

/// Whether there is a job to pause: ours, or an OpenSSL ASYNC_JOB. Costs a few nanoseconds.
bool in_job() noexcept;

/// True in a job of ours that was cancelled: what it still computes nobody wants.
bool job_is_cancelled() noexcept;

}  // namespace octavo::bridge
