#include "frontend/bridge/waiter.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <new>
#include <utility>

#include "frontend/bridge/error_queue.hpp"
#include "frontend/bridge/fork_count.hpp"

namespace octavo::bridge {
namespace {

// Its address is our key in every wait context.
const char wait_key = 0;

// Waiters whose contexts were freed by another thread than the one that owns the instance of their request.
std::atomic<Waiter*> orphans{nullptr};

/// Tells threads apart, also in their last moments.
const void* thread_token() noexcept {
    thread_local const char token = 0;
    return &token;
}

int new_eventfd() noexcept { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

}  // namespace

Waiter::Waiter(int fd) noexcept : fd_(fd), fork_count_(fork_count()) {}

Waiter::~Waiter() { close(fd_); }

Waiter* Waiter::of(ASYNC_WAIT_CTX* context) noexcept {
    free_orphans();
    OSSL_ASYNC_FD fd = -1;
    void* found = nullptr;
    if (ASYNC_WAIT_CTX_get_fd(context, &wait_key, &fd, &found) == 1) {
        auto* waiter = static_cast<Waiter*>(found);
        // Left by a job that was abandoned while the context lives on.
        if (waiter->in_flight_) waiter->cancel();
        if (waiter->from_before_fork()) waiter->renew_after_fork();
        return waiter;
    }
    auto* waiter = take_spare();
    if (waiter != nullptr) waiter->context_ = context;
    return waiter;
}

Waiter* Waiter::take_spare() noexcept {
    auto* waiter = std::exchange(spare().waiter, nullptr);
    if (waiter != nullptr && !waiter->from_before_fork()) return waiter;
    delete waiter;
    const int fd = new_eventfd();
    if (fd < 0) return nullptr;
    waiter = new (std::nothrow) Waiter(fd);
    if (waiter == nullptr) close(fd);
    return waiter;
}

void Waiter::release() noexcept {
    if (is_attached_) return;
    delete std::exchange(spare().waiter, this);
}

Waiter::Spare::~Spare() { delete waiter; }

/// Not inlined: a job may go on in another thread than before its pause.
[[gnu::noinline]] Waiter::Spare& Waiter::spare() noexcept {
    thread_local Spare spare;
    return spare;
}

bool Waiter::attach() noexcept {
    if (!is_attached_) is_attached_ = ASYNC_WAIT_CTX_set_wait_fd(context_, &wait_key, fd_, this, context_freed) == 1;
    return is_attached_;
}

octavo_wakeup Waiter::wakeup() noexcept {
    if (ASYNC_WAIT_CTX_get_callback(context_, &callback_, &callback_argument_) == 1 && callback_ != nullptr)
        return {-1, call_back, this};
    callback_ = nullptr;
    return {fd_, nullptr, nullptr};
}

void Waiter::submitted(octavo_instance instance, octavo_request request) noexcept {
    instance_ = instance;
    request_ = request;
    thread_ = thread_token();
    in_flight_ = true;
    ASYNC_WAIT_CTX_set_status(context_, ASYNC_STATUS_OK);
}

void Waiter::notify() noexcept {
    if (callback_ != nullptr) {
        call_back(this);
        return;
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
}

octavo_status Waiter::pause_for_room() noexcept {
    ASYNC_WAIT_CTX_set_status(context_, ASYNC_STATUS_EAGAIN);
    notify();
    return pause();
}

octavo_status Waiter::pause() noexcept {
    if (!attach()) return OCTAVO_RETRY;
    ThreadErrors errors;
    const bool resumed = ASYNC_pause_job() == 1;
    if (resumed) drain();
    errors.restore();
    return resumed ? OCTAVO_OK : OCTAVO_RETRY;
}

void Waiter::drain() noexcept {
    // After a fork the descriptor is the parent's as well, and so are the wake-ups in it.
    if (callback_ != nullptr || from_before_fork()) return;
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(fd_, &count, sizeof count);
}

void Waiter::context_freed(ASYNC_WAIT_CTX*, const void*, int, void* self) {
    auto* waiter = static_cast<Waiter*>(self);
    if (waiter->in_flight_ && waiter->thread_ != thread_token() && !waiter->from_before_fork()) {
        waiter->orphan();
        return;
    }
    if (waiter->in_flight_) waiter->cancel();
    delete waiter;
}

void Waiter::call_back(void* self) {
    const auto* waiter = static_cast<Waiter*>(self);
    waiter->callback_(waiter->callback_argument_);
}

bool Waiter::from_before_fork() const noexcept { return fork_count_ != fork_count(); }

void Waiter::renew_after_fork() noexcept {
    const int fd = new_eventfd();
    if (fd < 0) return;
    ASYNC_WAIT_CTX_clear_fd(context_, &wait_key);
    if (ASYNC_WAIT_CTX_set_wait_fd(context_, &wait_key, fd, this, context_freed) != 1) {
        close(fd);
        return;
    }
    close(fd_);
    fd_ = fd;
    fork_count_ = fork_count();
}

void Waiter::cancel() noexcept {
    octavo_cancel(instance_, request_);
    in_flight_ = false;
}

/// An instance belongs to one thread: only that one may cancel. Until it does, the wake-up may be used.
void Waiter::orphan() noexcept {
    next_orphan_ = orphans.load(std::memory_order_relaxed);
    // release: whoever takes the list sees the waiter whole
    while (!orphans.compare_exchange_weak(next_orphan_, this, std::memory_order_release, std::memory_order_relaxed)) {
    }
}

void Waiter::free_orphans() noexcept {
    if (orphans.load(std::memory_order_relaxed) == nullptr) return;
    auto* waiter = orphans.exchange(nullptr, std::memory_order_acquire);
    while (waiter != nullptr) {
        auto* next = waiter->next_orphan_;
        if (waiter->thread_ == thread_token()) {
            waiter->cancel();
            delete waiter;
        } else {
            waiter->orphan();
        }
        waiter = next;
    }
}

}  // namespace octavo::bridge
