#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <type_traits>

#include "frontend/async/async.hpp"

// An SSL that is freed while its job is paused. By the time libssl frees the wait context, all that the job works on is gone: the job can
// be discarded then, but not ended in good order, and what its frames had allocated (some KiB) is lost. So
// SSL_free() is ours too: it ends the job while everything is still there, cut off from the program, which may
// have freed its own side of the connection already.

namespace octavo::async {
namespace {

/// The program's libssl. Looked up, not linked: a program without one needs none for ASYNC_*.
struct LibSsl {
    decltype(&::SSL_free) free;
    decltype(&::SSL_up_ref) up_ref;
    decltype(&::SSL_waiting_for_async) waiting_for_async;
    decltype(&::SSL_ctrl) ctrl;
    decltype(&::SSL_set_bio) set_bio;
    decltype(&::SSL_set_info_callback) set_info_callback;
    decltype(&::SSL_set_msg_callback) set_msg_callback;
    decltype(&::SSL_in_init) in_init;
    decltype(&::SSL_do_handshake) do_handshake;
    decltype(&::SSL_peek) peek;
    decltype(&::SSL_get_ex_data) get_ex_data;
    decltype(&::SSL_set_ex_data) set_ex_data;
    int shared_index;  // where an SSL notes that it was ever shared

    static const LibSsl& get() noexcept {
        static const LibSsl libssl;
        return libssl;
    }

private:
    LibSsl() noexcept {
        // Next in line where libssl is the program's own; else it came with a plug-in, in a scope that we do not see.
        void* library =
            dlsym(RTLD_NEXT, "SSL_free") != nullptr ? RTLD_NEXT : dlopen("libssl.so.3", RTLD_LAZY | RTLD_NOLOAD);
        const auto find = [&](auto& function, const char* name) {
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
                library == nullptr ? nullptr : dlsym(library, name));
            if (function == nullptr) std::abort();  // somebody has called SSL_free(), so there is a libssl
        };
        find(free, "SSL_free");
        find(up_ref, "SSL_up_ref");
        find(waiting_for_async, "SSL_waiting_for_async");
        find(ctrl, "SSL_ctrl");
        find(set_bio, "SSL_set_bio");
        find(set_info_callback, "SSL_set_info_callback");
        find(set_msg_callback, "SSL_set_msg_callback");
        find(in_init, "SSL_in_init");
        find(do_handshake, "SSL_do_handshake");
        find(peek, "SSL_peek");
        find(get_ex_data, "SSL_get_ex_data");
        find(set_ex_data, "SSL_set_ex_data");
        shared_index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL, 0, nullptr, nullptr, nullptr, nullptr);
    }
};

void say_nothing(const SSL*, int, int) {}

/// An SSL with a second owner goes on when this one frees it, or may: its job is left alone.
bool can_end(const LibSsl& libssl, const SSL* ssl) noexcept {
    return libssl.waiting_for_async(const_cast<SSL*>(ssl)) == 1 && octavo_job_current().id == 0 &&
           libssl.shared_index >= 0 && libssl.get_ex_data(ssl, libssl.shared_index) == nullptr &&
           (libssl.ctrl(const_cast<SSL*>(ssl), SSL_CTRL_MODE, 0, nullptr) & SSL_MODE_ASYNC) != 0;
}

/// libssl resumes a job from whichever call comes next: that call ends it.
void end_job(const LibSsl& libssl, SSL* ssl) noexcept {
    BIO* nowhere = BIO_new(BIO_s_null());
    if (nowhere == nullptr) return;
    ERR_set_mark();
    libssl.set_info_callback(ssl, say_nothing);  // its own comes before the context's
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
    if (libssl.shared_index >= 0) libssl.set_ex_data(ssl, libssl.shared_index, &shared);
    return libssl.up_ref(ssl);
}

#pragma GCC visibility pop

}  // extern "C"
