#pragma once

#include <openssl/ssl.h>

namespace octavo::async {

/// The program's libssl. Looked up when the program first calls one of our SSL functions, not linked: a program without libssl
/// needs none for ASYNC_*.
struct LibSsl {
    decltype(&::SSL_free) free;
    decltype(&::SSL_up_ref) up_ref;
    decltype(&::SSL_waiting_for_async) waiting_for_async;
    decltype(&::SSL_ctrl) ctrl;
    decltype(&::SSL_set_bio) set_bio;
    decltype(&::SSL_set_msg_callback) set_msg_callback;
    decltype(&::SSL_in_init) in_init;
    decltype(&::SSL_do_handshake) do_handshake;
    decltype(&::SSL_peek) peek;
    decltype(&::SSL_get_SSL_CTX) get_context;
    decltype(&::SSL_get_ex_data) get_ex_data;
    decltype(&::SSL_set_ex_data) set_ex_data;
    decltype(&::SSL_CTX_get_ex_data) get_context_ex_data;
    decltype(&::SSL_CTX_set_ex_data) set_context_ex_data;
    decltype(&::SSL_set_info_callback) set_info_callback;
    decltype(&::SSL_get_info_callback) get_info_callback;
    decltype(&::SSL_CTX_set_info_callback) set_context_info_callback;
    decltype(&::SSL_CTX_get_info_callback) get_context_info_callback;

    static const LibSsl& get() noexcept;

private:
    LibSsl() noexcept;
};

}  // namespace octavo::async
