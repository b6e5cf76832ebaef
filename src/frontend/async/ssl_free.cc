#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "frontend/async/async.hpp"
#include "frontend/async/libssl.hpp"
#include "frontend/bridge/made_once.hpp"

// An SSL that is freed while its job is paused. By the time libssl frees the wait context, all that the job works on is gone: the job can
// be discarded then, but not ended in good order, and what its frames had allocated (some KiB) is lost. So
// SSL_free() is ours too: it ends the job while everything is still there, cut off from the program, which may
// have freed its own side of the connection already.

namespace octavo::async {
namespace {

/// Where an SSL notes that it was ever shared. Negative where there is no place.
int shared_index() noexcept {
    static bridge::MadeOnce<int, -1> once;
    return once.get([] { return CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, nullptr, nullptr, nullptr, nullptr); });
}

/// An SSL with a second owner goes on when this one frees it, or may: its job is left alone.
bool can_end(const LibSsl& libssl, const SSL* ssl) noexcept {
    return libssl.waiting_for_async(const_cast<SSL*>(ssl)) == 1 && octavo_job_current().id == 0 &&
           shared_index() >= 0 && libssl.get_ex_data(ssl, shared_index()) == nullptr &&
           (libssl.ctrl(const_cast<SSL*>(ssl), SSL_CTRL_MODE, 0, nullptr) & SSL_MODE_ASYNC) != 0;
}

/// libssl resumes a job from whichever call comes next: that call ends it.
void end_job(const LibSsl& libssl, SSL* ssl) noexcept {
    BIO* nowhere = BIO_new(BIO_s_null());
    if (nowhere == nullptr) return;
    ERR_set_mark();
    libssl.set_msg_callback(ssl, nullptr);
    libssl.set_bio(ssl, nowhere, nowhere);
    {
        const Ending ending;
        char byte = 0;
        if (libssl.in_init(ssl) != 0)
            libssl.do_handshake(ssl);
        else
            libssl.peek(ssl, &byte, 1);
    }
    ERR_pop_to_mark();
}

}  // namespace
}  // namespace octavo::async

using namespace octavo::async;

extern "C" {

#pragma GCC visibility push(default)

void SSL_free(SSL* ssl) {
    const auto& libssl = LibSsl::get();
    if (ssl != nullptr && can_end(libssl, ssl)) end_job(libssl, ssl);
    libssl.free(ssl);
}

int SSL_up_ref(SSL* ssl) {
    const auto& libssl = LibSsl::get();
    static char shared = 0;
    if (shared_index() >= 0) libssl.set_ex_data(ssl, shared_index(), &shared);
    return libssl.up_ref(ssl);
}

#pragma GCC visibility pop

}  // extern "C"
