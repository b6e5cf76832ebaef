#include "load/failure.hpp"

#include <fmt/format.h>
#include <openssl/err.h>

#include <cerrno>
#include <cstring>

namespace octavo::cli::load {
namespace {

// A fatal alert of the peer is the reason code of this base plus the alert's number (sslerr.h, SSL_AD_REASON_OFFSET).
bool is_alert(unsigned long code) {
    const int reason = ERR_GET_REASON(code);
    return ERR_GET_LIB(code) == ERR_LIB_SSL && reason >= SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
}

std::string explain_certificate(SSL* ssl) {
    return fmt::format("certificate: {}", X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
}

}  // namespace

std::string explain_errno(int error) {
    switch (error) {
        case ECONNREFUSED:
            return "refused";
        case ECONNRESET:
        case EPIPE:
            return "reset";
        case ETIMEDOUT:
            return "timeout: connect";
        case EHOSTUNREACH:
        case ENETUNREACH:
            return "unreachable";
        case EADDRNOTAVAIL:
            return "no local port";
        case EMFILE:
        case ENFILE:
            return "no file descriptor";
        default:
            return std::strerror(error);
    }
}

bool is_end_of_stream(int ssl_error, int error) {
    if (ssl_error == SSL_ERROR_SYSCALL) return error == 0 && ERR_peek_error() == 0;
    return ssl_error == SSL_ERROR_SSL && ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

bool is_reset(int ssl_error, int error) {
    return ssl_error == SSL_ERROR_SYSCALL && (error == ECONNRESET || error == EPIPE);
}

std::string explain_tls(SSL* ssl, int ssl_error, int error) {
    if (is_end_of_stream(ssl_error, error) || ssl_error == SSL_ERROR_ZERO_RETURN) return "closed by server";
    if (ssl_error == SSL_ERROR_SYSCALL) return explain_errno(error);
    const auto code = ERR_peek_error();
    const int reason = ERR_GET_REASON(code);
    if (is_alert(code)) return fmt::format("alert: {}", SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) return explain_certificate(ssl);
    const char* text = ERR_reason_error_string(code);
    return fmt::format("tls: {}", text == nullptr ? "unknown error" : text);
}

}  // namespace octavo::cli::load
