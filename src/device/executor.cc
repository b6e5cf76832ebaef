#include "device/executor.hpp"

#include <time.h>

#include <cstring>
#include <utility>

#include "base/clock.hpp"
#include "base/fork.hpp"
#include "base/wipe.hpp"
#include "device/hand_over.hpp"
#include "device/rescue.hpp"

namespace octavo::device {
namespace {

/// Between two looks whether an injected hang is over.
void nap() noexcept {
    constexpr timespec kNap{0, 500'000};
    nanosleep(&kNap, nullptr);
}

}  // namespace

std::size_t Executor::round(Counters::Work& counters, const std::atomic<bool>* stop) noexcept {
    auto done = take_all();
    if (is_ailing(endpoint_) || held_.count > 0) done += meet_faults(counters, stop);
    auto* queue = next();
    if (queue == nullptr) return done;
    if (is_away()) {
        forsake(take_first(*queue), OCTAVO_FALLBACK_ENDPOINT, counters);
        return done + 1;
    }
    return done + run(class_of(*queue), *queue, counters, stop);
}

/// Returns the number of requests that were cancelled already, which are replied to at once.
std::size_t Executor::take_all() noexcept {
    const bool ailing = is_ailing(endpoint_);
    std::size_t cancelled = 0;
    std::uint32_t number = 0;
    while (port_.requests.pop(number) == ring::Pop::item) {
        auto& slot = port_.slots[number];
        if (slot.cancelled.load(std::memory_order_relaxed)) {
            if (slot.take(Claim::device)) slot.status = OCTAVO_CANCELLED;
            reply({&number, 1});
            ++cancelled;
            continue;
        }
        append(ailing ? held_ : queue_of(number), number);
    }
    return cancelled;
}

void Executor::append(Queue& queue, std::uint32_t number) noexcept {
    (queue.count == 0 ? queue.first : port_.slots[queue.last].next) = number;
    queue.last = number;
    ++queue.count;
}

Executor::Queue& Executor::queue_of(std::uint32_t number) noexcept {
    return queues_[request::index(port_.slots[number].route.where)];
}

bool Executor::comes_before(const Queue& left, const Queue& right) const noexcept {
    const auto is_urgent = [&](const Queue& queue) {
        return queue.passed >= kMostPassed || costs_.fills_a_pass(class_of(queue), queue.count);
    };
    const bool left_is_urgent = is_urgent(left), right_is_urgent = is_urgent(right);
    if (left_is_urgent != right_is_urgent) return left_is_urgent;
    if (left_is_urgent) return port_.slots[left.first].submitted_ns < port_.slots[right.first].submitted_ns;
    return costs_.alone_ns(class_of(left)) < costs_.alone_ns(class_of(right));
}

Executor::Queue* Executor::next() noexcept {
    Queue* best = nullptr;
    for (auto& queue : queues_) {
        if (queue.count == 0) continue;
        ++queue.passed;
        if (best == nullptr || comes_before(queue, *best)) best = &queue;
    }
    if (best != nullptr) best->passed = 0;
    return best;
}

std::uint32_t Executor::take_first(Queue& queue) noexcept {
    const auto number = queue.first;
    queue.first = port_.slots[number].next;
    --queue.count;
    return number;
}

std::size_t Executor::run(request::Class c, Queue& queue, Counters::Work& counters,
                          const std::atomic<bool>* stop) noexcept {
    const auto start = now_ns();
    const auto lanes = c == request::Class::portable ? 0 : costs_.plan(c, queue.count);
    const auto count = lanes == 0 ? 1 : lanes;
    std::array<std::uint32_t, kMaxBatch> numbers;
    std::array<Work, kMaxBatch> batch;
    std::size_t used = 0;
    for (std::size_t i = 0; i < count; ++i) {
        numbers[i] = take_first(queue);
        auto& slot = port_.slots[numbers[i]];
        auto* const out = has_health ? results_.get() + used : slot.payload.data();
        batch[i] = {&*slot.key, slot.route, slot.operation, slot.input(), {out, slot.output_len}};
        if (has_health) used += slot.output_len;
        add(counters.queue_time[time_bucket(start - slot.submitted_ns)], 1);
    }
    if (lanes == 0)
        run_portable(batch[0], counters);
    else
        run_lanes({batch.data(), count}, scratch_, counters);
    const auto took = now_ns() - start;
    if (c != request::Class::portable) costs_.observe(c, lanes, took);
    add(counters.batch_size[batch_bucket(count)], 1);
    add(counters.service_time[time_bucket(took)], count);
    if (stop != nullptr && is_ailing(endpoint_)) stall(batch[0].operation, *stop);
    for (std::size_t i = 0; i < count; ++i) conclude(numbers[i], batch[i]);
    wipe(results_.get(), used);
    reply({numbers.data(), count});
    return count;
}

/// The result is the request's, unless a rescuer was faster.
void Executor::conclude(std::uint32_t number, const Work& work) noexcept {
    auto& slot = port_.slots[number];
    if (!slot.take(Claim::device)) return;
    if (has_health && work.status == OCTAVO_OK && !work.out.empty())
        std::memcpy(slot.payload.data(), work.out.data(), work.out.size());
    slot.status = work.status;
}

// ---- faults ----

/// Lets go on what no fault keeps back (any more), and answers what fails. Returns the number of replies.
std::size_t Executor::meet_faults(Counters::Work& counters, const std::atomic<bool>* stop) noexcept {
    std::size_t failed = 0;
    for (auto held = std::exchange(held_, {}); held.count > 0;) {
        const auto number = take_first(held);
        const auto& slot = port_.slots[number];
        if (is_held_back(slot, stop)) {
            append(held_, number);
        } else if (draws_error(slot)) {
            forsake(number, OCTAVO_FALLBACK_DEVICE, counters);
            ++failed;
        } else {
            append(queue_of(number), number);
        }
    }
    return failed;
}

bool Executor::is_held_back(const Slot& slot, const std::atomic<bool>* stop) noexcept {
    if (is_away()) return false;
    auto& it = endpoint(endpoint_);
    const auto& ills = it.ills[slot.operation];
    const auto now = now_ns();
    if (now - slot.submitted_ns < ills.delay_ns.load(std::memory_order_relaxed)) return true;
    if (stop != nullptr || !ills.hangs.load(std::memory_order_relaxed)) return false;
    std::uint64_t never = 0;
    it.hung_since_ns.compare_exchange_strong(never, now, std::memory_order_relaxed);
    return true;
}

bool Executor::draws_error(const Slot& slot) noexcept {
    constexpr std::uint64_t kMillion = 1'000'000;
    const auto rate = endpoint(endpoint_).ills[slot.operation].errors_ppm.load(std::memory_order_relaxed);
    if (rate == 0 || is_away()) return false;
    // xorshift64 (Marsaglia): a rate, not a secret
    dice_ ^= dice_ << 13;
    dice_ ^= dice_ >> 7;
    dice_ ^= dice_ << 17;
    return dice_ % kMillion < rate;
}

/// Until the hang is over. fork() waits for the batch, and keeps the health thread from ending the hang meanwhile: it gets its batch.
void Executor::stall(std::uint32_t operation, const std::atomic<bool>& stop) noexcept {
    auto& it = endpoint(endpoint_);
    while (it.is_up() && it.ills[operation].hangs.load(std::memory_order_relaxed) && !fork::is_waiting() &&
           !stop.load(std::memory_order_acquire)) {
        std::uint64_t never = 0;
        it.hung_since_ns.compare_exchange_strong(never, now_ns(), std::memory_order_relaxed);
        nap();
    }
}

/// Answers a request that the endpoint does not compute.
void Executor::forsake(std::uint32_t number, octavo_fallback reason, Counters::Work& counters) noexcept {
    auto& slot = port_.slots[number];
    if (slot.take(Claim::device)) slot.status = run_elsewhere(slot, slot.payload.data(), reason, counters);
    reply({&number, 1});
}

void Executor::reply(std::span<const std::uint32_t> slots) noexcept {
    if (outlet_ != nullptr)
        outlet_->put(slots);
    else
        HandOver{port_, slots, HandOver::By::other}.wake();
}

}  // namespace octavo::device
