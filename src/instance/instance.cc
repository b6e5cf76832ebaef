#include "instance/instance.hpp"

#include <errno.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/clock.hpp"
#include "base/cpu.hpp"
#include "base/error.hpp"
#include "base/wipe.hpp"

namespace octavo::instance {
namespace {

using device::add;
using device::Wake;

/// Between two looks at what an injected fault keeps back.
constexpr std::uint64_t kHeldNs = 500'000;

/// What octavo_submit() and octavo_execute() check alike.
octavo_status check_request(const request::KeyRef& key, std::uint32_t operation, Bytes input) noexcept {
    if (!key) return fail(OCTAVO_ERR_BAD_HANDLE, "key: the handle was destroyed or never was");
    if (input.data() == nullptr && !input.empty()) return fail(OCTAVO_ERR_NULL_ARGUMENT, "input: null");
    return key->check(operation, input);
}

octavo_status check_output(Bytes input, MutableBytes output, std::size_t needed) noexcept {
    if (output.data() == nullptr && needed > 0) return fail(OCTAVO_ERR_NULL_ARGUMENT, "output: null");
    if (output.size() < needed)
        return fail(OCTAVO_ERR_BAD_LENGTH, "capacity: %zu bytes; the result has %zu", output.size(), needed);
    const auto in = reinterpret_cast<std::uintptr_t>(input.data()),
               out = reinterpret_cast<std::uintptr_t>(output.data());
    if (in != out && in < out + needed && out < in + input.size())
        return fail(OCTAVO_ERR_OVERLAP, "output: overlaps the input without being the same buffer");
    return OCTAVO_OK;
}

/// The operation ran to its end: a signature that is none, or a point that is none, is what there is to say.
bool is_answer(octavo_status status) noexcept {
    return status == OCTAVO_OK || status == OCTAVO_ERR_BAD_SIGNATURE || status == OCTAVO_ERR_BAD_POINT;
}

void wipe_slot(device::Slot& slot) noexcept {
    wipe(slot.payload.data(), slot.used());
    if (slot.rescued != nullptr) wipe(slot.rescued->data(), slot.output_len);
    slot.rescued.reset();
}

octavo_status endpoint_is_away() noexcept {
    return fail(OCTAVO_ERR_DEVICE, "the endpoint is restarting or down, and there is no software fallback");
}

octavo_status as_error(octavo_status status) noexcept {
    if (status == OCTAVO_ERR_DEVICE) return fail(status, "the endpoint failed, and there is no software fallback");
    if (status == OCTAVO_ERR_OPERATION_FAILED) return fail(status, "the operation failed on every row");
    if (status == OCTAVO_ERR_NO_MEMORY) return fail(status, "memory ran out");
    if (status == OCTAVO_ERR_BAD_SIGNATURE) return fail(status, "it is not the key's signature of this");
    if (status == OCTAVO_ERR_BAD_POINT) return fail(status, "input: no valid public key of the curve");
    return status;
}

}  // namespace

Instance::Instance(const Config& config)
    : config_(config),
      stats_((std::strncpy(name_, config.name, sizeof name_ - 1), std::make_unique<StatsLease>(name_))),
      port_(config.ring_size),
      executor_(port_, config.health.endpoint, config.costs),
      costs_(config.costs),
      tickets_(config.ring_size),
      member_(std::make_unique<Member>(port_, counters().by_rescuer, config.health)) {
    config_.name = name_;
    config_.costs = nullptr;
    free_.reserve(config.ring_size);
    for (std::uint32_t number = config.ring_size; number-- > 0;) free_.push_back(number);
    (*stats_)->driver.store(OCTAVO_DRIVER_INLINE, std::memory_order_relaxed);
    (*stats_)->endpoint.store(config.health.endpoint, std::memory_order_relaxed);
    if (config_.polling.mode != OCTAVO_POLLING_DEFAULT) start_polled();
}

Instance::~Instance() {
    follow_fork();
    member_.reset();
    for (std::uint32_t number = 0; number < tickets_.size(); ++number)
        if (tickets_[number].state != State::free) disarm_wake(number);
    engine_.reset();
    if (polled_ != nullptr) stop_polled();
    for (std::uint32_t number = 0; number < tickets_.size(); ++number)
        if (tickets_[number].state != State::free) wipe_slot(slot(number));
    if (event_ >= 0) ::close(event_);
}

/// Where the application decides when to poll, nothing is computed behind its back.
void Instance::start_polled() {
    auto& polling = config_.polling;
    if (config_.driver == OCTAVO_DRIVER_AUTO) config_.driver = OCTAVO_DRIVER_INLINE;
    polling.driver = config_.driver;
    config_.never_in_place = polling.mode == OCTAVO_POLLING_EXTERNAL || polling.mode == OCTAVO_POLLING_HEURISTIC;
    polled_ = std::make_shared<Polled>(Polled::Parts{executor_, port_, counters().by_engine}, config_.ring_size,
                                       polling, config_.index);
    executor_.divert(polled_.get());
    poller_ = join_pollers(polled_);
}

void Instance::stop_polled() noexcept {
    leave_pollers(*polled_);
    polled_->close();
    poller_.reset();
}

std::optional<std::uint32_t> Instance::find(std::uint64_t request) const noexcept {
    const auto number = static_cast<std::uint32_t>(request) - 1;
    if (number >= tickets_.size()) return std::nullopt;
    const auto& ticket = tickets_[number];
    if (ticket.generation != request >> 32) return std::nullopt;
    return ticket.state == State::in_flight || ticket.state == State::done ? std::optional{number} : std::nullopt;
}

// ---- submission ----

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

/// Asked at the first job and not before: servers pin their threads after they have read their keys.
bool Instance::waiter_computes() noexcept {
    follow_fork();
    if (polled_ != nullptr) return config_.polling.mode == OCTAVO_POLLING_INLINE;
    if (config_.driver != OCTAVO_DRIVER_AUTO || engine_ != nullptr || !config_.cores.any()) return false;
    if (!is_pinned_) is_pinned_ = cpu::is_pinned_to_one_core();
    return *is_pinned_;
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

// ---- completion ----

/// The result, an error or the cancellation of a request is known to the owner.
void Instance::conclude(std::uint32_t number, octavo_status status) noexcept {
    slot(number).status = status;
    tickets_[number].state = State::done;
    if (tickets_[number].callback != nullptr) queue_callback(number);
}

void Instance::finish(std::uint32_t number, octavo_status status) noexcept {
    conclude(number, status);
    if (is_answer(status))
        add(counters().completed, 1);
    else
        add(status == OCTAVO_CANCELLED ? counters().cancelled : counters().failed, 1);
}

/// Waits while another thread is in the middle of a wake-up, which is a moment: the target must outlive it. Not before the request is let go of:
/// of a batch, the first that is woken would wait for all the others.
void Instance::settle_wake(std::uint32_t number) noexcept {
    constexpr int kSpins = 64;
    for (int spins = 0; slot(number).wake.load(std::memory_order_acquire) == Wake::firing; ++spins)
        if (spins >= kSpins) sched_yield();  // the engine may wait for this very core
}

void Instance::disarm_wake(std::uint32_t number) noexcept {
    end_telling(number);
    auto armed = Wake::armed;
    if (!slot(number).wake.compare_exchange_strong(armed, Wake::disarmed, std::memory_order_acq_rel))
        settle_wake(number);
}

/// A waiter whose turn has not come, among those that this very thread wakes, will not be woken: its request is let go of.
void Instance::end_telling(std::uint32_t number) noexcept {
    auto& wake = slot(number).wake;
    if (wake.load(std::memory_order_relaxed) == Wake::telling) wake.store(Wake::disarmed, std::memory_order_relaxed);
}

/// Takes one note off a ring. True where it is news to the owner: not that of a cancelled request, nor that the device has given back what
/// was rescued.
bool Instance::collect_one(std::uint32_t number, bool from_rescuer) noexcept {
    auto& ticket = tickets_[number];
    const bool was_rescued = slot(number).claim.load(std::memory_order_acquire) == device::Claim::rescuer;
    ticket.is_back = ticket.is_back || !from_rescuer;
    ticket.has_result = ticket.has_result || from_rescuer || !was_rescued;
    if (ticket.state == State::zombie) release(number);
    if (ticket.state != State::in_flight || !ticket.has_result) return false;
    --num_in_flight_;
    counters().in_flight.store(num_in_flight_, std::memory_order_relaxed);
    if (num_in_flight_ == 0 && looks_for_company()) alone_.on_idle(now_ns() - slot(number).submitted_ns);
    finish(number, slot(number).status);
    return true;
}

std::size_t Instance::collect(std::size_t most) noexcept {
    std::size_t count = 0;
    std::uint32_t number = 0;
    while (count < most && port_.replies.pop(number) == ring::Pop::item) count += collect_one(number, false);
    while (count < most && port_.rescues.pop(number) == ring::Pop::item) count += collect_one(number, true);
    return count;
}

/// Computes one round where this thread drives the device, or polls. True where something was done.
bool Instance::drive() noexcept {
    if (polled_ != nullptr) return polled_->poll(1) > 0;
    return engine_ == nullptr && executor_.round(counters().by_owner) > 0;
}

/// True where replies may come while this thread sleeps, and none is there.
bool Instance::has_to_sleep() const noexcept {
    return !port_.has_replies() && (polled_ == nullptr || !polled_->holds_replies());
}

/// Not in a callback; `name` is the caller's, for the error.
octavo_status Instance::begin_poll(const char* name) noexcept {
    if (in_callback_) return fail(OCTAVO_ERR_BAD_ARGUMENT, "%s called from a callback of the same instance", name);
    follow_fork();
    drain_event();
    return OCTAVO_OK;
}

/// Reaps what is done, at most `most`.
std::size_t Instance::reap(std::size_t most) noexcept {
    auto num_reaped = run_callbacks(most);
    while (num_reaped < most && collect(1) > 0) {
        ++num_reaped;
        run_callbacks(1);
    }
    return num_reaped;
}

octavo_status Instance::poll(std::size_t quota, std::size_t& num_reaped) noexcept {
    num_reaped = 0;
    if (quota == 0) return fail(OCTAVO_ERR_BAD_ARGUMENT, "quota: 0; it is the most requests to reap, at least 1");
    if (const auto status = begin_poll("octavo_poll()"); status != OCTAVO_OK) return status;
    do {
        num_reaped += reap(quota - num_reaped);
    } while (num_reaped < quota && owner_polls() && drive());
    rearm_event();
    return OCTAVO_OK;
}

octavo_status Instance::poll_batch(std::size_t& num_reaped) noexcept {
    num_reaped = 0;
    if (const auto status = begin_poll("octavo_poll_batch()"); status != OCTAVO_OK) return status;
    num_reaped = reap(SIZE_MAX);
    if (num_reaped == 0 && owner_polls() && drive()) num_reaped = reap(SIZE_MAX);
    rearm_event();
    return OCTAVO_OK;
}

void Instance::queue_callback(std::uint32_t number) noexcept {
    (num_to_call_ == 0 ? first_to_call_ : tickets_[last_to_call_].next_to_call) = number;
    last_to_call_ = number;
    ++num_to_call_;
}

/// For a request that is cancelled between its end and its callback.
void Instance::unqueue_callback(std::uint32_t number) noexcept {
    std::uint32_t before = first_to_call_;
    if (number == first_to_call_) {
        first_to_call_ = tickets_[number].next_to_call;
    } else {
        while (tickets_[before].next_to_call != number) before = tickets_[before].next_to_call;
        tickets_[before].next_to_call = tickets_[number].next_to_call;
        if (last_to_call_ == number) last_to_call_ = before;
    }
    --num_to_call_;
}

std::size_t Instance::run_callbacks(std::size_t most) noexcept {
    std::size_t count = 0;
    for (; count < most && num_to_call_ > 0; ++count) {
        const auto number = first_to_call_;
        unqueue_callback(number);
        call_back(number);
    }
    return count;
}

void Instance::call_back(std::uint32_t number) noexcept {
    const auto& place = slot(number);
    auto& ticket = tickets_[number];
    const bool ok = place.status == OCTAVO_OK;
    settle_wake(number);  // the callback may let go of its target
    ticket.state = State::calling;
    in_callback_ = true;
    ticket.callback(ticket.argument, {handle(number)}, place.status, ok ? place.result() : nullptr,
                    ok ? place.output_len : 0);
    in_callback_ = false;
    release(number);
}

/// The owner is done with the slot: it is free, now or when the device and a rescuer are done with it, too.
void Instance::release(std::uint32_t number) noexcept {
    auto& place = slot(number);
    settle_wake(number);
    end_telling(number);
    auto& ticket = tickets_[number];
    if (!ticket.is_back || !ticket.has_result) {
        ticket.state = State::zombie;
        return;
    }
    wipe_slot(place);
    place.key.reset();
    ticket.state = State::free;
    if (++ticket.generation == 0) ticket.generation = 1;
    free_.push_back(number);
}

octavo_status Instance::wait(std::uint64_t request, std::uint64_t timeout_ns) noexcept {
    follow_fork();
    if (in_callback_) return fail(OCTAVO_ERR_BAD_ARGUMENT, "octavo_wait() called from a callback of the same instance");
    const auto number = find(request);
    if (!number) return fail(OCTAVO_ERR_BAD_HANDLE, "request: the handle is void or never was");
    const auto start = now_ns();
    for (;;) {
        while (collect(1) > 0) {
        }
        if (tickets_[*number].state == State::done) return OCTAVO_OK;
        const auto waited = now_ns() - start;
        if (timeout_ns != UINT64_MAX && waited >= timeout_ns) return OCTAVO_TIMEOUT;
        const bool ailing = device::is_ailing(config_.health.endpoint);
        if (drive() || (engine_ == nullptr && polled_ == nullptr && !ailing)) continue;
        const auto left = timeout_ns == UINT64_MAX ? Parking::kForEver : timeout_ns - waited;
        const auto ticket = port_.owner.announce();
        if (has_to_sleep())
            port_.owner.sleep(ticket, ailing ? std::min(left, kHeldNs) : left);
        else
            port_.owner.withdraw();
    }
}

octavo_status Instance::result(std::uint64_t request, MutableBytes output, std::size_t& output_len) noexcept {
    follow_fork();
    output_len = 0;
    const auto number = find(request);
    if (!number) return fail(OCTAVO_ERR_BAD_HANDLE, "request: the handle is void or never was");
    if (tickets_[*number].callback != nullptr)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "request: it has a callback, which gets the result");
    if (tickets_[*number].state == State::in_flight) return OCTAVO_PENDING;
    const auto& place = slot(*number);
    const auto status = place.status;
    if (status == OCTAVO_OK) {
        const auto checked = check_output({}, output, place.output_len);
        if (checked != OCTAVO_OK) return checked;
        if (place.output_len > 0) std::memcpy(output.data(), place.result(), place.output_len);
        output_len = place.output_len;
    }
    release(*number);
    return as_error(status);
}

octavo_status Instance::cancel(std::uint64_t request) noexcept {
    follow_fork();
    const auto number = find(request);
    if (!number) return OCTAVO_CANCELLED;
    auto& ticket = tickets_[*number];
    if (ticket.state == State::done) {
        if (ticket.callback != nullptr) unqueue_callback(*number);
        release(*number);
        return OCTAVO_OK;
    }
    slot(*number).cancelled.store(true, std::memory_order_relaxed);
    disarm_wake(*number);
    ticket.state = State::zombie;
    --num_in_flight_;
    counters().in_flight.store(num_in_flight_, std::memory_order_relaxed);
    add(counters().cancelled, 1);
    return OCTAVO_OK;
}

// ---- synchronous ----

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
    if (!reference) return fail(OCTAVO_ERR_BAD_HANDLE, "key: the handle was destroyed or never was");
    if (!reference->can(operation))
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "operation: %u is none of this key; see octavo_operation", operation);
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

// ---- events, statistics, fork ----

octavo_status Instance::event_fd(int& fd) noexcept {
    follow_fork();
    fd = -1;
    if (config_.driver == OCTAVO_DRIVER_INLINE && polled_ == nullptr)
        return fail(OCTAVO_ERR_UNSUPPORTED, "an inline instance has no descriptor: nothing completes but by a poll");
    if (event_ < 0) event_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (event_ < 0) return fail(OCTAVO_ERR_SYSTEM, "eventfd: %s", std::strerror(errno));
    const bool has_engine = polled_ == nullptr || config_.driver == OCTAVO_DRIVER_THREADS;
    if (has_engine && !ensure_engine()) return fail(OCTAVO_ERR_SYSTEM, "no engine thread could be started");
    port_.reply_event.store(event_, std::memory_order_release);
    fd = event_;
    rearm_event();
    return OCTAVO_OK;
}

void Instance::drain_event() noexcept {
    if (event_ < 0) return;
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(event_, &count, sizeof count);
}

/// What poll() leaves behind, or finds done in place, must show on the descriptor.
void Instance::rearm_event() noexcept {
    if (event_ < 0 || (!port_.has_replies() && num_to_call_ == 0)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

void Instance::statistics(octavo_statistics& statistics) noexcept {
    follow_fork();
    add_up(counters(), statistics);
}

/// In the child: the requests in flight stay the parent's, the rings and the engine thread are gone.
void Instance::after_fork() noexcept {
    engine_.reset();
    generation_ = fork::generation();
    port_.forget();
    executor_.forget();
    if (event_ >= 0) ::close(event_);
    event_ = -1;
    stats_->renew(name_);
    (*stats_)->driver.store(OCTAVO_DRIVER_INLINE, std::memory_order_relaxed);
    (*stats_)->endpoint.store(config_.health.endpoint, std::memory_order_relaxed);
    member_->renew(counters().by_rescuer);
    alone_ = Alone{};
    is_pinned_.reset();
    for (std::uint32_t number = 0; number < tickets_.size(); ++number) {
        slot(number).claim.store(device::Claim::none, std::memory_order_relaxed);
        tickets_[number].is_back = tickets_[number].has_result = true;
        slot(number).wake.store(Wake::none, std::memory_order_relaxed);
        if (tickets_[number].state == State::zombie) release(number);
        if (tickets_[number].state != State::in_flight) continue;
        add(counters().by_owner.fallback[OCTAVO_FALLBACK_FORK], 1);
        conclude(number, OCTAVO_CANCELLED);  // the parent counts it
    }
    num_in_flight_ = 0;
    if (polled_ == nullptr) return;
    poller_.reset();
    start_polled();
}

InstanceHandles& instances() noexcept {
    static auto* const handles = new InstanceHandles;
    return *handles;
}

}  // namespace octavo::instance
