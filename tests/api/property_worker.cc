#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

#include "property_model.hpp"

namespace api_test::model {
namespace {

constexpr unsigned kStepsOfAChild = 150;
constexpr int kDepth = 3;

/// A callback's argument is its Live, freed by complete().
void on_done(void* argument, octavo_request request, octavo_status status, const std::uint8_t* output,
             std::size_t len) {
    auto& live = *static_cast<Live*>(argument);
    MODEL_CHECK(live.alive == Live::kAlive && live.has_callback);
    MODEL_CHECK(live.request.id == request.id);
    auto& bench = *live.bench;
    ++bench.num_callbacks;
    bench.complete(live, status, {output, len});
    bench.in_callback = true;
    bench.worker.inside_callback(bench);
    bench.in_callback = false;
}

octavo_submission submission_of(const KeyRing::Pick& key) {
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    submission.key.id = key.id;
    submission.operation = key.answer->operation;
    submission.input = key.answer->input.data();
    submission.input_len = key.answer->input.size();
    return submission;
}

}  // namespace

Worker::Worker(Shared& shared, std::uint64_t seed, Options options)
    : shared_(shared), options_(options), random_(seed) {
    for (int i = 0; i < 3; ++i) benches_.push_back(std::make_unique<Bench>(*this, random_));
}

const Worker::Action Worker::kActions[] = {
    {400, &Worker::submit},     {140, &Worker::poll},      {140, &Worker::result},    {90, &Worker::cancel},
    {20, &Worker::cancel_void}, {20, &Worker::use_void},   {60, &Worker::wait_none},  {30, &Worker::wait_done},
    {50, &Worker::execute},     {30, &Worker::submit_bad}, {10, &Worker::statistics}, {3, &Worker::renew_instance},
    {3, &Worker::renew_key},    {4, &Worker::ask_fd},
};

void Worker::run() {
    for (std::uint64_t i = 0; i < options_.steps; ++i) step();
    shared_.all_steps_done.arrive_and_wait();
    finish();
}

void Worker::step() {
    const bool forks = options_.forks && depth_ < kDepth;
    if (forks && random_() % (depth_ == 0 ? 2500 : 100) == 0) return fork_child();
    act(*benches_[random_() % benches_.size()]);
}

void Worker::act(Bench& bench) {
    shared_.operations->fetch_add(1, std::memory_order_relaxed);
    auto dice = static_cast<unsigned>(random_() % 1000);
    const Action* action = kActions;
    while (dice >= action->weight) dice -= (action++)->weight;
    (this->*action->run)(bench);
}

void Worker::inside_callback(Bench& bench) {
    switch (random_() % 16) {
        case 0:
            return submit(bench);
        case 1:
            return cancel(bench);
        case 2:
            return cancel_void(bench);
        case 3:
            return execute(bench);
        case 4:
            MODEL_CHECK(octavo_poll(bench.handle, 1, nullptr) == OCTAVO_ERR_BAD_ARGUMENT);
            return;
        case 5:
            MODEL_CHECK(octavo_instance_destroy(bench.handle) == OCTAVO_ERR_BAD_ARGUMENT);
            return;
        default:
            return;
    }
}

/// Everything accepted comes to its end.
void Worker::finish() {
    for (auto& bench : benches_) {
        while (Live* live = bench->pick(random_)) {
            if (live->has_callback)
                poll(*bench);
            else
                wait_done(*bench), result(*bench);
        }
        bench->check_statistics();
    }
}

// ---- actions ----

void Worker::submit(Bench& bench) {
    const auto key = shared_.keys.pick(random_);
    auto submission = submission_of(key);
    auto live = std::make_unique<Live>();
    live->bench = &bench;
    live->answer = key.answer;
    live->has_callback = random_() % 5 < 3;
    if (live->has_callback) submission.callback = on_done, submission.callback_argument = live.get();
    if (bench.driver != octavo::Driver::in_line && random_() % 3 == 0) {
        live->wake = std::make_unique<WakeTarget>(random_() % 2 == 0);
        submission.wakeup = live->wake->wakeup();
    }
    const auto status = octavo_submit(bench.handle, &submission, &live->request);
    if (status == OCTAVO_RETRY) return bench.check_retry();
    if (status == OCTAVO_ERR_BAD_HANDLE) {
        MODEL_CHECK(!shared_.keys.is_current(key));
        return;
    }
    MODEL_CHECK(status == OCTAVO_PENDING || status == OCTAVO_OK);
    live->pending = status == OCTAVO_PENDING;
    live->done = status == OCTAVO_OK;
    bench.accept(std::move(live));
}

void Worker::submit_bad(Bench& bench) {
    const auto key = shared_.keys.pick(random_);
    auto submission = submission_of(key);
    octavo_request request{1};
    const Buffer large(key.answer->input.size(), 0xff);
    switch (random_() % 6) {
        case 0:
            submission.input_len += random_() % 2 == 0 ? 1 : SIZE_MAX;
            break;
        case 1:
            submission.input = nullptr;
            break;
        case 2:
            submission.input = large.data();
            break;
        case 3:
            submission.operation = static_cast<std::uint32_t>(3 + random_() % 100);
            break;
        case 4:
            submission.key.id ^= 1ULL << (20 + random_() % 44);
            break;
        default:
            submission.size = random_() % 1000 + 1000;
            break;
    }
    MODEL_CHECK(octavo_submit(bench.handle, &submission, &request) < OCTAVO_OK);
    MODEL_CHECK(request.id == 0);
}

void Worker::poll(Bench& bench) {
    const std::size_t quota = random_() % 3 == 0 ? SIZE_MAX : 1 + random_() % 16;
    const auto callbacks_before = bench.num_callbacks;
    std::size_t num_reaped = 0;
    MODEL_CHECK(octavo_poll(bench.handle, quota, &num_reaped) == OCTAVO_OK);
    bench.check_polled(quota, num_reaped, callbacks_before);
}

void Worker::result(Bench& bench) {
    Live* live = bench.pick(random_);
    if (live == nullptr) return;
    std::uint8_t output[256];
    const auto right_len = live->answer->output.size();
    const auto capacity = random_() % 10 == 0 ? right_len - 1 : sizeof output;
    std::size_t len = 0;
    const auto status = octavo_result(bench.handle, live->request, output, capacity, &len);
    if (live->has_callback) return MODEL_CHECK(status == OCTAVO_ERR_BAD_ARGUMENT);
    if (status == OCTAVO_PENDING) return MODEL_CHECK(!live->done && !live->inherited);
    if (status == OCTAVO_ERR_BAD_LENGTH) {
        MODEL_CHECK(capacity < right_len);
        live->done = true;
        return;
    }
    MODEL_CHECK(status == OCTAVO_CANCELLED || capacity >= right_len);
    bench.complete(*live, status, {output, len});
}

void Worker::cancel(Bench& bench) {
    Live* live = bench.pick(random_);
    if (live == nullptr) return;
    MODEL_CHECK(octavo_cancel(bench.handle, live->request) == OCTAVO_OK);
    const auto request = live->request;
    bench.cancelled(*live);
    if (random_() % 4 == 0) MODEL_CHECK(octavo_cancel(bench.handle, request) == OCTAVO_CANCELLED);
}

void Worker::cancel_void(Bench& bench) {
    MODEL_CHECK(octavo_cancel(bench.handle, {bench.void_handle(random_)}) == OCTAVO_CANCELLED);
}

void Worker::use_void(Bench& bench) {
    std::uint8_t output[256];
    std::size_t len = 0;
    const octavo_request request{bench.void_handle(random_)};
    MODEL_CHECK(octavo_wait(bench.handle, request, 0) == OCTAVO_ERR_BAD_HANDLE);
    MODEL_CHECK(octavo_result(bench.handle, request, output, sizeof output, &len) == OCTAVO_ERR_BAD_HANDLE);
}

void Worker::wait(Bench& bench, std::uint64_t timeout_ns) {
    Live* live = bench.pick(random_);
    if (live == nullptr) return;
    const auto callbacks_before = bench.num_callbacks;
    const auto status = octavo_wait(bench.handle, live->request, timeout_ns);
    MODEL_CHECK(bench.num_callbacks == callbacks_before);
    if (status == OCTAVO_TIMEOUT) return MODEL_CHECK(timeout_ns != UINT64_MAX && !live->done && !live->inherited);
    MODEL_CHECK(status == OCTAVO_OK);
    live->done = true;
}

void Worker::wait_none(Bench& bench) { wait(bench, random_() % 2 == 0 ? 0 : random_() % 20'000); }
void Worker::wait_done(Bench& bench) { wait(bench, UINT64_MAX); }

void Worker::execute(Bench& bench) {
    const auto key = shared_.keys.pick(random_);
    const auto& input = key.answer->input;
    std::uint8_t output[256];
    std::size_t len = 0;
    const auto status = octavo_execute(bench.handle, {key.id}, key.answer->operation, input.data(), input.size(),
                                       output, sizeof output, &len);
    if (status == OCTAVO_ERR_BAD_HANDLE) return MODEL_CHECK(!shared_.keys.is_current(key));
    MODEL_CHECK(status == OCTAVO_OK);
    MODEL_CHECK(len == input.size() && std::equal(output, output + len, key.answer->output.begin()));
    ++bench.executed;
}

void Worker::statistics(Bench& bench) { bench.check_statistics(); }

/// An engine thread ends here.
void Worker::renew_instance(Bench& bench) {
    {
        std::unique_lock<std::mutex> lock;
        if (options_.gated && depth_ == 0) lock = std::unique_lock{shared_.gate};
        bench.destroy();
    }
    bench.create(random_);
}

void Worker::renew_key(Bench&) { shared_.keys.replace(random_); }

void Worker::ask_fd(Bench& bench) {
    int fd = -1;
    const auto status = octavo_instance_fd(bench.handle, &fd);
    if (bench.driver == octavo::Driver::in_line) return MODEL_CHECK(status == OCTAVO_ERR_UNSUPPORTED);
    MODEL_CHECK(status == OCTAVO_OK && fd >= 0);
}

// ---- fork ----

void Worker::fork_child() {
    std::unique_lock<std::mutex> lock;
    if (options_.gated && depth_ == 0) lock = std::unique_lock{shared_.gate};  // in a child there is nobody else
    const auto child = fork();
    MODEL_CHECK(child >= 0);
    if (child == 0) live_as_child();
    if (lock) lock.unlock();
    int status = 0;
    MODEL_CHECK(waitpid(child, &status, 0) == child);
    if (status != 0) std::fprintf(stderr, "a child ended with status %d\n", status);
    MODEL_CHECK(status == 0);
}

/// The other threads are gone, with whatever they held; what is ours goes on.
void Worker::live_as_child() {
    alarm(120);  // a deadlock ends as a signal
    ++depth_;
    random_.seed(random_() + static_cast<std::uint64_t>(depth_));
    for (auto& bench : benches_) bench->inherit();
    for (unsigned i = 0; i < kStepsOfAChild; ++i) step();
    finish();
    benches_.clear();
    _exit(0);
}

}  // namespace api_test::model
