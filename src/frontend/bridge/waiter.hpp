#pragma once

#include <openssl/async.h>

#include "frontend/bridge/pauser.hpp"

namespace octavo::bridge {

/// What one OpenSSL wait context needs of us: one eventfd, used for one operation after the other, and the request that is in flight, so
/// that a wait context which is freed with its job abandoned cancels it. Kept in the context, and freed with it, from the first pause on:
/// programs watch the descriptors that a paused job reports, and may not expect others in a context.
class Waiter final : public Pauser {
public:
    /// The wait context's own, or one that becomes it with the first pause. Null where none can be made.
    static Waiter* of(ASYNC_WAIT_CTX* context) noexcept;
    /// When the operation is over: one that did not become the context's serves the next operation of the thread.
    void release() noexcept;

    /// The wait context's callback where it has one, else the eventfd.
    octavo_wakeup wakeup() noexcept override;
    void notify() noexcept override;
    void submitted(octavo_instance instance, octavo_request request) noexcept override;
    void finished() noexcept override { in_flight_ = false; }
    octavo_status pause_for_room() noexcept override;
    octavo_status pause() noexcept override;

private:
    struct Spare {
        Waiter* waiter = nullptr;
        ~Spare();
    };

    explicit Waiter(int fd) noexcept;
    ~Waiter() override;

    static void context_freed(ASYNC_WAIT_CTX* context, const void* key, int fd, void* self);
    static void call_back(void* self);
    static void free_orphans() noexcept;
    static Spare& spare() noexcept;
    static Waiter* take_spare() noexcept;
    bool attach() noexcept;
    bool from_before_fork() const noexcept;
    void renew_after_fork() noexcept;
    void drain() noexcept;
    void cancel() noexcept;
    void orphan() noexcept;

    ASYNC_WAIT_CTX* context_ = nullptr;
    bool is_attached_ = false;
    int fd_;
    unsigned fork_count_;
    ASYNC_callback_fn callback_ = nullptr;
    void* callback_argument_ = nullptr;
    bool in_flight_ = false;
    octavo_instance instance_{};
    octavo_request request_{};
    const void* thread_ = nullptr;
    Waiter* next_orphan_ = nullptr;
};

}  // namespace octavo::bridge
