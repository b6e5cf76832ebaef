#include <cstring>

#include "base/clock.hpp"
#include "base/cpu.hpp"
#include "base/error.hpp"
#include "instance/answers.hpp"
#include "instance/instance.hpp"

/// An instance's side that takes requests: into the ring, or computed in place.
namespace octavo::instance {

namespace {

/// A lane pass of so little is over before an engine thread has been woken for it, has been given it, and has woken the waiters.
constexpr std::uint64_t kShortPassNs = 110'000;

}  // namespace

using device::add;
using device::Wake;

octavo_status Instance::submit(const octavo_submission& submission, std::uint64_t& request) noexcept {
    follow_fork();
    request::KeyRef key{submission.key.id};
    const Bytes input{submission.input, submission.input_len};
    if (const auto status = check_request(key, submission.operation, input); status != OCTAVO_OK) return status;
    if (input.size() > request::kMaxOperand)
        return fail(OCTAVO_ERR_BAD_LENGTH, "input_len: %zu bytes; at most %zu go through a ring: octavo_execute()",
                    input.size(), request::kMaxOperand);
    const bool needs_engine = wants_engine(submission.wakeup);
    if (config_.driver == OCTAVO_DRIVER_INLINE && needs_engine && polled_ == nullptr)
        return fail(OCTAVO_ERR_UNSUPPORTED, "wakeup: an inline instance has nobody to wake the waiter; poll it");
    const bool ailing = device::is_ailing(config_.health.endpoint), away = ailing && is_away();
    if (away && !device::software_fallback()) return endpoint_is_away();
    if (free_.empty()) {
        add(counters().retried, 1);
        count_retry();
        return OCTAVO_RETRY;
    }
    const auto number = free_.back();
    free_.pop_back();
    fill_slot(number, submission, std::move(key));
    add(counters().submitted, 1);
    counters().last_submit_ns.store(slot(number).submitted_ns, std::memory_order_relaxed);
    request = handle(number);
    if (away && (engine_ != nullptr || needs_engine)) return run_in_place(number);
    const bool alone = !ailing && (needs_engine || looks_for_company()) && alone_.on_submit(num_in_flight_);
    if ((alone && !config_.never_in_place) || (needs_engine && !ensure_engine())) return run_in_place(number);
    return enqueue(number);
}

/// Whether an engine thread would save the waiter more than the hand-over costs both: where there is work for both, the waiter's own batch being
/// full, and it takes long. The cores are looked at then and not before: servers pin their threads after they have read their keys.
bool Instance::engine_would_pay(const request::Key& key, std::uint32_t operation) noexcept {
    const auto where = key.route(operation).where;
    const bool is_portable = where == request::Class::portable;
    if (num_in_flight_ < (is_portable ? 1 : costs_.max_batch(where))) return false;
    if (!is_portable && costs_.pass_ns(where) <= kShortPassNs) return false;
    if (!is_pinned_) is_pinned_ = cpu::is_pinned_to_one_core();
    return !*is_pinned_;
}

octavo_status Instance::waiter_computes(std::uint64_t key, std::uint32_t operation, bool& computes) noexcept {
    follow_fork();
    computes = polled_ != nullptr && config_.polling.mode == OCTAVO_POLLING_INLINE;
    const request::KeyRef reference{key};
    if (const auto status = check_operation(reference, operation); status != OCTAVO_OK) return status;
    if (polled_ != nullptr || config_.driver != OCTAVO_DRIVER_AUTO || engine_ != nullptr || !config_.cores.any())
        return OCTAVO_OK;
    computes = !engine_would_pay(*reference, operation);
    has_waiters_ = has_waiters_ || computes;
    return OCTAVO_OK;
}

request::Route Instance::route(const request::Key& key, std::uint32_t operation) const noexcept {
    auto route = key.route(operation);
    if (is_away()) route = {request::Class::portable, OCTAVO_FALLBACK_ENDPOINT};
    if (config_.portable_only) route = {request::Class::portable, OCTAVO_FALLBACK_SECTION};
    route.is_checked = config_.checks_ecdsa && operation == OCTAVO_ECDSA_SIGN;
    return route;
}

bool Instance::wants_engine(const octavo_wakeup& wakeup) const noexcept {
    if (polled_ != nullptr) return config_.driver == OCTAVO_DRIVER_THREADS;
    return config_.driver == OCTAVO_DRIVER_THREADS || wakeup.fd >= 0 || wakeup.call != nullptr;
}

void Instance::fill_slot(std::uint32_t number, const octavo_submission& submission, request::KeyRef key) noexcept {
    auto& place = slot(number);
    place.route = route(*key, submission.operation);
    place.operation = submission.operation;
    place.input_len = static_cast<std::uint32_t>(submission.input_len);
    place.output_len = static_cast<std::uint32_t>(key->output_length(submission.operation));
    place.submitted_ns = now_ns();
    place.key = std::move(key);
    place.wakeup = submission.wakeup;
    place.cancelled.store(false, std::memory_order_relaxed);
    const bool wakes = submission.wakeup.fd >= 0 || submission.wakeup.call != nullptr;
    place.wake.store(wakes ? Wake::armed : Wake::none, std::memory_order_relaxed);
    place.status = OCTAVO_PENDING;
    if (submission.input_len > 0) std::memcpy(place.payload.data(), submission.input, submission.input_len);
    auto& ticket = tickets_[number];
    ticket.callback = submission.callback;
    ticket.argument = submission.callback_argument;
}

octavo_status Instance::enqueue(std::uint32_t number) noexcept {
    tickets_[number].state = State::in_flight;
    tickets_[number].is_back = tickets_[number].has_result = false;
    slot(number).claim.store(device::Claim::open, std::memory_order_release);  // all else of the slot is visible first
    ++num_in_flight_;
    ++num_queued_;
    counters().in_flight.store(num_in_flight_, std::memory_order_relaxed);
    port_.requests.push(number);
    if (engine_ != nullptr) engine_->notify();
    if (polled_ != nullptr) polled_->submitted(kind_of(slot(number).operation));
    return OCTAVO_PENDING;
}

octavo_status Instance::run_in_place(std::uint32_t number) noexcept {
    auto& place = slot(number);
    device::Work work{&*place.key, place.route, place.operation, place.input(), place.output()};
    device::run_alone(work, costs_, scratch_, counters().by_owner);
    alone_.on_in_place(now_ns() - place.submitted_ns);
    place.wake.store(Wake::none, std::memory_order_relaxed);
    add(counters().in_place, 1);
    finish(number, work.status);
    rearm_event();
    return OCTAVO_OK;
}

/// False where the system gives no thread.
bool Instance::ensure_engine() noexcept {
    if (engine_ == nullptr) engine_ = device::Engine::start(executor_, port_, counters().by_engine, config_.cores);
    if (engine_ == nullptr) return false;
    (*stats_)->driver.store(OCTAVO_DRIVER_THREADS, std::memory_order_relaxed);
    member_->watch_engine();
    return true;
}

octavo_status Instance::execute(std::uint64_t key, std::uint32_t operation, Bytes input, MutableBytes output,
                                std::size_t& output_len) noexcept {
    follow_fork();
    output_len = 0;
    const request::KeyRef reference{key};
    if (const auto status = check_request(reference, operation, input); status != OCTAVO_OK) return status;
    const auto needed = reference->output_length(operation);
    if (const auto status = check_output(input, output, needed); status != OCTAVO_OK) return status;
    if (is_away() && !device::software_fallback()) return endpoint_is_away();
    if (engine_ == nullptr && num_in_flight_ > 0 && !in_callback_ && !free_.empty())
        return execute_through_ring(key, operation, input, output, output_len);
    add(counters().submitted, 1);
    counters().last_submit_ns.store(now_ns(), std::memory_order_relaxed);
    device::Work work{&*reference, route(*reference, operation), operation, input, output.first(needed)};
    device::run_alone(work, costs_, scratch_, counters().by_owner);
    add(counters().in_place, 1);
    add(is_answer(work.status) ? counters().completed : counters().failed, 1);
    if (work.status == OCTAVO_OK) output_len = needed;
    return as_error(work.status);
}

/// Folds the operation with those that wait.
octavo_status Instance::execute_through_ring(std::uint64_t key, std::uint32_t operation, Bytes input,
                                             MutableBytes output, std::size_t& output_len) noexcept {
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    submission.key.id = key;
    submission.operation = operation;
    submission.input = input.data();
    submission.input_len = input.size();
    std::uint64_t request = 0;
    if (const auto status = submit(submission, request); status < OCTAVO_OK) return status;
    if (const auto status = wait(request, UINT64_MAX); status != OCTAVO_OK) return status;
    return result(request, output, output_len);
}

/// Whether an operation that this thread would do in place has nobody to be folded with.
bool Instance::is_alone(bool will_wait) noexcept {
    if (will_wait) return !config_.never_in_place && alone_.on_consult(num_in_flight_);
    return engine_ != nullptr || num_in_flight_ == 0 || in_callback_;
}

octavo_status Instance::consult(std::uint64_t key, std::uint32_t operation, bool will_wait) noexcept {
    follow_fork();
    const request::KeyRef reference{key};
    if (const auto status = check_operation(reference, operation); status != OCTAVO_OK) return status;
    if (is_away() && !device::software_fallback()) return OCTAVO_OK;  // to fail, which the front end would not do
    const auto [where, reason, is_checked] = route(*reference, operation);
    const bool has_lanes = where != request::Class::portable;
    if (is_checked || (has_lanes && costs_.plan(where, 1) > 0) || !is_alone(will_wait)) return OCTAVO_OK;
    if (has_lanes && will_wait) alone_.on_in_place(costs_.alone_ns(where));
    add(counters().submitted, 1);
    counters().last_submit_ns.store(now_ns(), std::memory_order_relaxed);
    add(counters().in_place, 1);
    add(counters().completed, 1);
    add(counters().by_owner.fallback[has_lanes ? OCTAVO_FALLBACK_ALONE : reason], 1);
    return OCTAVO_PORTABLE;
}

}  // namespace octavo::instance
