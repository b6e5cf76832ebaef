#pragma once

#include <openssl/ssl.h>

#include <string>

namespace octavo::cli::load {

/// The kind of a failure, as reports name it: few words, the same for the same cause.
///   refused, reset, closed by server, timeout: STAGE, unreachable, no local port, alert: NAME, certificate: REASON,
///   tls: REASON, http: STATUS, ...

/// What a system call's `error` (an errno) means for a connection.
std::string explain_errno(int error);
/// Why SSL_connect or SSL_read on `ssl` failed, from OpenSSL's error queue and, where that is silent, `error` (errno).
std::string explain_tls(SSL* ssl, int ssl_error, int error);

/// The server ended the stream, without an alert.
bool is_end_of_stream(int ssl_error, int error);
/// The server sent a TCP reset.
bool is_reset(int ssl_error, int error);

}  // namespace octavo::cli::load
