#include <sched.h>

#include <algorithm>
#include <cstring>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/wipe.hpp"
#include "instance/answers.hpp"
#include "instance/instance.hpp"

/// An instance's side that gives requests back: polled, waited for, fetched or cancelled.
namespace octavo::instance {
namespace {

/// Between two looks at what an injected fault keeps back.
constexpr std::uint64_t kHeldNs = 500'000;

}  // namespace

using device::add;
using device::Wake;

void Instance::wipe_slot(device::Slot& slot) noexcept {
    wipe(slot.payload.data(), slot.used());
    if (slot.rescued != nullptr) wipe(slot.rescued->data(), slot.output_len);
    slot.rescued.reset();
}

std::optional<std::uint32_t> Instance::find(std::uint64_t request) const noexcept {
    const auto number = static_cast<std::uint32_t>(request) - 1;
    if (number >= tickets_.size()) return std::nullopt;
    const auto& ticket = tickets_[number];
    if (ticket.generation != request >> 32) return std::nullopt;
    return ticket.state == State::in_flight || ticket.state == State::done ? std::optional{number} : std::nullopt;
}

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

}  // namespace octavo::instance
