#include <openssl/crypto.h>

#include "frontend/async/async.hpp"
#include "frontend/async/libssl.hpp"
#include "frontend/bridge/made_once.hpp"

// libssl looks up the program's info callback when a handshake begins, and calls it when the handshake ends: also when SSL_free() has
// ended it, and the program has freed what its callback looks at. So we stand in front of it.

namespace octavo::async {
namespace {

using InfoCallback = void(const SSL*, int, int);

int new_index(int kind) noexcept { return CRYPTO_get_ex_new_index(kind, 0, nullptr, nullptr, nullptr, nullptr); }

int ssl_index() noexcept {
    static bridge::MadeOnce<int, -1> once;
    return once.get([] { return new_index(CRYPTO_EX_INDEX_SSL); });
}
int context_index() noexcept {
    static bridge::MadeOnce<int, -1> once;
    return once.get([] { return new_index(CRYPTO_EX_INDEX_SSL_CTX); });
}

InfoCallback* of(const SSL* ssl) noexcept {
    return reinterpret_cast<InfoCallback*>(LibSsl::get().get_ex_data(ssl, ssl_index()));
}
InfoCallback* of(const SSL_CTX* context) noexcept {
    return reinterpret_cast<InfoCallback*>(LibSsl::get().get_context_ex_data(context, context_index()));
}

void call_ssls(const SSL* ssl, int where, int ret) {
    if (auto* callback = Ending::now() ? nullptr : of(ssl)) callback(ssl, where, ret);
}

void call_contexts(const SSL* ssl, int where, int ret) {
    if (auto* callback = Ending::now() ? nullptr : of(LibSsl::get().get_context(ssl))) callback(ssl, where, ret);
}

}  // namespace
}  // namespace octavo::async

using namespace octavo::async;

extern "C" {

#pragma GCC visibility push(default)

void SSL_set_info_callback(SSL* ssl, void (*cb)(const SSL*, int, int)) {
    const auto& libssl = LibSsl::get();
    const bool noted = libssl.set_ex_data(ssl, ssl_index(), reinterpret_cast<void*>(cb)) == 1;
    libssl.set_info_callback(ssl, noted && cb != nullptr ? call_ssls : cb);
}

void (*SSL_get_info_callback(const SSL* ssl))(const SSL*, int, int) {
    auto* callback = LibSsl::get().get_info_callback(ssl);
    return callback == call_ssls ? of(ssl) : callback;
}

void SSL_CTX_set_info_callback(SSL_CTX* ctx, void (*cb)(const SSL*, int, int)) {
    const auto& libssl = LibSsl::get();
    const bool noted = libssl.set_context_ex_data(ctx, context_index(), reinterpret_cast<void*>(cb)) == 1;
    libssl.set_context_info_callback(ctx, noted && cb != nullptr ? call_contexts : cb);
}

void (*SSL_CTX_get_info_callback(SSL_CTX* ctx))(const SSL*, int, int) {
    auto* callback = LibSsl::get().get_context_info_callback(ctx);
    return callback == call_contexts ? of(ctx) : callback;
}

#pragma GCC visibility pop

}  // extern "C"
