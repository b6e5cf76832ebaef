#pragma once

#include <deque>
#include <string>

#include "load/handles.hpp"
#include "load/lean_library.hpp"
#include "load/plan.hpp"

namespace octavo::cli::load {

/// What a handshake settled on; empty before the first one.
struct Negotiated {
    std::string tls, cipher, group, certificate;
};

/// One thread's client side: the default provider's algorithms and no configuration file, so that neither OPENSSL_CONF
/// nor another thread's locks reach it. Throws UsageError where OpenSSL refuses a wish.
class TlsClient {
public:
    explicit TlsClient(const TlsWishes& wishes, bool keep_sessions);
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    /// A client object over a socket BIO that has no socket yet; never null.
    [[nodiscard]] Ssl make();
    /// A session to resume, or null when none is left. TLS 1.3 tickets are used once, TLS 1.2 sessions again and again.
    [[nodiscard]] Session take_session();
    /// The server's handshake is done: remembers what it settled on, if it is the first.
    void note(SSL* ssl);
    [[nodiscard]] const Negotiated& negotiated() const { return negotiated_; }

private:
    void apply(const TlsWishes& wishes);
    void verify_nothing();
    void verify_against(const std::string& ca_file);
    static int keep(SSL* ssl, SSL_SESSION* session);

    LeanLibrary library_;
    SslContext context_;
    std::string server_name_, verified_name_;  // the second is empty where certificates are not verified
    std::deque<Session> sessions_;
    Negotiated negotiated_;
};

}  // namespace octavo::cli::load
