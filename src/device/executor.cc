#include "device/executor.hpp"

#include "base/clock.hpp"
#include "device/hand_over.hpp"

namespace octavo::device {
namespace {

Work work_of(Slot& slot) noexcept { return {&*slot.key, slot.route, slot.operation, slot.input(), slot.output()}; }

}  // namespace

std::size_t Executor::round(Counters::Work& counters) noexcept {
    const auto cancelled = take_all();
    auto* queue = next();
    if (queue == nullptr) return cancelled;
    return cancelled + run(class_of(*queue), *queue, counters);
}

/// Returns the number of requests that were cancelled already, which are replied to at once.
std::size_t Executor::take_all() noexcept {
    std::size_t cancelled = 0;
    std::uint32_t number = 0;
    while (port_.requests.pop(number) == ring::Pop::item) {
        auto& slot = port_.slots[number];
        if (slot.cancelled.load(std::memory_order_relaxed)) {
            slot.status = OCTAVO_CANCELLED;
            reply({&number, 1});
            ++cancelled;
            continue;
        }
        auto& queue = queues_[request::index(slot.route.where)];
        (queue.count == 0 ? queue.first : port_.slots[queue.last].next) = number;
        queue.last = number;
        ++queue.count;
    }
    return cancelled;
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

std::size_t Executor::run(request::Class c, Queue& queue, Counters::Work& counters) noexcept {
    const auto start = now_ns();
    const auto lanes = c == request::Class::portable ? 0 : costs_.plan(c, queue.count);
    const auto count = lanes == 0 ? 1 : lanes;
    std::array<std::uint32_t, kMaxBatch> numbers;
    std::array<Work, kMaxBatch> batch;
    for (std::size_t i = 0; i < count; ++i) {
        numbers[i] = take_first(queue);
        auto& slot = port_.slots[numbers[i]];
        batch[i] = work_of(slot);
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
    for (std::size_t i = 0; i < count; ++i) port_.slots[numbers[i]].status = batch[i].status;
    reply({numbers.data(), count});
    return count;
}

void Executor::reply(std::span<const std::uint32_t> slots) noexcept {
    if (outlet_ != nullptr)
        outlet_->put(slots);
    else
        HandOver{port_, slots, HandOver::By::other}.wake();
}

}  // namespace octavo::device
