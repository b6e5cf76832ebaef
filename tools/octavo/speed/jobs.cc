#include "speed/jobs.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "installation.hpp"
#include "speed/api_side.hpp"
#include "speed/polling.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

constexpr int kPatienceMs = 10'000;

}  // namespace

JobLoop::JobLoop(std::size_t num_slots, std::function<bool(std::size_t)> operation)
    : operation_(std::move(operation)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) throw Failure(std::string("epoll_create1: ") + std::strerror(errno));
    if (ASYNC_is_capable() != 1) throw Failure("this OpenSSL has no jobs on this platform: --sync measures without");
    for (std::size_t i = 0; i < num_slots; ++i) slots_.push_back({this, i, ASYNC_WAIT_CTX_new()});
}

JobLoop::~JobLoop() {
    for (auto& slot : slots_) ASYNC_WAIT_CTX_free(slot.wait);
    close(epoll_);
}

void JobLoop::run(std::size_t count) {
    to_start_ = count;
    polls_ = is_polled_by_the_application();
    while (to_start_ > 0 || running_ > 0) {
        fill();
        if (running_ > 0) wait();
    }
}

int JobLoop::job_main(void* argument) {
    const auto& slot = **static_cast<Slot**>(argument);
    return slot.loop->operation_(slot.index) ? 1 : 0;
}

/// At most one operation a slot, so that a slot whose operations end at once does not take those of all others.
void JobLoop::fill() {
    for (auto& slot : slots_) {
        if (to_start_ == 0) return;
        if (slot.job != nullptr) continue;
        --to_start_;
        ++running_;
        go_on(slot);
    }
}

/// Starts or resumes the slot's job.
void JobLoop::go_on(Slot& slot) {
    Slot* argument = &slot;
    int good = 0;
    switch (ASYNC_start_job(&slot.job, slot.wait, &good, job_main, &argument, sizeof argument)) {
        case ASYNC_FINISH:
            --running_;
            slot.job = nullptr;
            if (good != 1) throw Failure("an operation through the provider fails: " + openssl_error());
            return;
        case ASYNC_PAUSE:
            return watch(slot);
        case ASYNC_NO_JOBS:
            throw Failure("OpenSSL gives no more jobs: take a lower --depth");
        default:
            throw Failure("OpenSSL cannot start a job: " + openssl_error());
    }
}

void JobLoop::watch(Slot& slot) {
    std::size_t added = 0, removed = 0;
    ASYNC_WAIT_CTX_get_changed_fds(slot.wait, nullptr, &added, nullptr, &removed);
    if (added + removed == 0) return;
    std::vector<OSSL_ASYNC_FD> new_fds(added), old_fds(removed);
    ASYNC_WAIT_CTX_get_changed_fds(slot.wait, new_fds.data(), &added, old_fds.data(), &removed);
    for (const int fd : old_fds) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    for (const int fd : new_fds) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = &slot;
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0)
            throw Failure(std::string("epoll_ctl: ") + std::strerror(errno));
    }
    slot.num_fds += added;
    slot.num_fds -= removed;
}

/// Resumes the jobs whose descriptors are readable, and those that paused without one.
void JobLoop::wait() {
    if (polls_) require(octavo_polling_poll(OCTAVO_POLLING_ALL, nullptr), "octavo_polling_poll");
    const auto blind = [](const Slot& slot) { return slot.job != nullptr && slot.num_fds == 0; };
    const bool any_blind = std::any_of(slots_.begin(), slots_.end(), blind);
    std::array<epoll_event, 64> events;
    const int num =
        epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), any_blind || polls_ ? 0 : kPatienceMs);
    if (num < 0 && errno != EINTR) throw Failure(std::string("epoll_wait: ") + std::strerror(errno));
    if (num == 0 && !any_blind && !polls_)
        throw Failure("no operation completes for ten seconds: the provider does not wake its waiters");
    for (int i = 0; i < num; ++i)
        if (auto& slot = *static_cast<Slot*>(events[static_cast<std::size_t>(i)].data.ptr); slot.job != nullptr)
            go_on(slot);
    if (!any_blind) return;
    for (auto& slot : slots_)
        if (blind(slot)) go_on(slot);
}

}  // namespace octavo::cli
