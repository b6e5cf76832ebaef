#include <new>

#include "frontend/async/async.hpp"

// What the functions do: ASYNC_WAIT_CTX_new(3). ASYNC_WAIT_CTX_free() also discards the job that is paused with the context.

static_assert(ASYNC_STATUS_UNSUPPORTED == OCTAVO_WAIT_UNSUPPORTED && ASYNC_STATUS_ERR == OCTAVO_WAIT_ERROR &&
              ASYNC_STATUS_OK == OCTAVO_WAIT_OK && ASYNC_STATUS_EAGAIN == OCTAVO_WAIT_AGAIN);

namespace octavo::async {
namespace {

using Cleanup = void(ASYNC_WAIT_CTX*, const void*, OSSL_ASYNC_FD, void*);

/// The data of a descriptor that was set through these functions. Those that Octavo sets itself have none.
struct Custom {
    void* data;
    Cleanup* cleanup;
};

void clean_up(octavo_wait_context context, const void* key, int fd, void* data) {
    auto* custom = static_cast<Custom*>(data);
    if (custom->cleanup != nullptr) custom->cleanup(to(context), key, fd, custom->data);
    delete custom;
}

int one_or_zero(octavo_status status) noexcept { return status == OCTAVO_OK ? 1 : 0; }

}  // namespace
}  // namespace octavo::async

using namespace octavo::async;

extern "C" {

#pragma GCC visibility push(default)

ASYNC_WAIT_CTX* ASYNC_WAIT_CTX_new(void) { return to(octavo_wait_new()); }

void ASYNC_WAIT_CTX_free(ASYNC_WAIT_CTX* ctx) { octavo_wait_free(from(ctx)); }

int ASYNC_WAIT_CTX_set_wait_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD fd, void* custom_data,
                               void (*cleanup)(ASYNC_WAIT_CTX*, const void*, OSSL_ASYNC_FD, void*)) {
    auto* custom = new (std::nothrow) Custom{custom_data, cleanup};
    if (custom == nullptr) return 0;
    if (octavo_wait_set_fd(from(ctx), key, fd, custom, clean_up) == OCTAVO_OK) return 1;
    delete custom;
    return 0;
}

int ASYNC_WAIT_CTX_get_fd(ASYNC_WAIT_CTX* ctx, const void* key, OSSL_ASYNC_FD* fd, void** custom_data) {
    void* data = nullptr;
    if (octavo_wait_get_fd(from(ctx), key, fd, &data) != OCTAVO_OK) return 0;
    *custom_data = data == nullptr ? nullptr : static_cast<Custom*>(data)->data;
    return 1;
}

int ASYNC_WAIT_CTX_get_all_fds(ASYNC_WAIT_CTX* ctx, OSSL_ASYNC_FD* fd, size_t* numfds) {
    return one_or_zero(octavo_wait_get_all_fds(from(ctx), fd, numfds));
}

int ASYNC_WAIT_CTX_get_changed_fds(ASYNC_WAIT_CTX* ctx, OSSL_ASYNC_FD* addfd, size_t* numaddfds, OSSL_ASYNC_FD* delfd,
                                   size_t* numdelfds) {
    return one_or_zero(octavo_wait_get_changed_fds(from(ctx), addfd, numaddfds, delfd, numdelfds));
}

int ASYNC_WAIT_CTX_clear_fd(ASYNC_WAIT_CTX* ctx, const void* key) {
    void* data = nullptr;
    if (octavo_wait_get_fd(from(ctx), key, nullptr, &data) != OCTAVO_OK) return 0;
    octavo_wait_clear_fd(from(ctx), key);
    delete static_cast<Custom*>(data);
    return 1;
}

int ASYNC_WAIT_CTX_set_callback(ASYNC_WAIT_CTX* ctx, ASYNC_callback_fn callback, void* callback_arg) {
    return one_or_zero(octavo_wait_set_callback(from(ctx), callback, callback_arg));
}

int ASYNC_WAIT_CTX_get_callback(ASYNC_WAIT_CTX* ctx, ASYNC_callback_fn* callback, void** callback_arg) {
    return one_or_zero(octavo_wait_get_callback(from(ctx), callback, callback_arg));
}

int ASYNC_WAIT_CTX_set_status(ASYNC_WAIT_CTX* ctx, int status) {
    return one_or_zero(octavo_wait_set_status(from(ctx), status));
}

int ASYNC_WAIT_CTX_get_status(ASYNC_WAIT_CTX* ctx) { return octavo_wait_get_status(from(ctx)); }

#pragma GCC visibility pop

}  // extern "C"
