#include "load/tls_client.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "usage.hpp"

namespace octavo::cli::load {
namespace {

constexpr std::size_t kMaxSessions = 4096;
constexpr const char* kGroups = "X25519:P-256:P-384:P-521";

std::string last_error() {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason == nullptr ? "refused by OpenSSL" : reason;
}

void demand(bool ok, std::string_view option, const std::string& value, std::string_view cure) {
    if (!ok) throw UsageError(fmt::format("{} \"{}\": {}; {}", option, value, last_error(), cure));
}

int protocol_of(const std::string& version) {
    if (version.empty()) return 0;
    return version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
}

std::string describe_certificate(SSL* ssl) {
    const X509* leaf = SSL_get0_peer_certificate(ssl);
    EVP_PKEY* key = leaf == nullptr ? nullptr : X509_get0_pubkey(leaf);
    if (key == nullptr) return "";
    const char* type = EVP_PKEY_get0_type_name(key);
    return fmt::format("{} {}", type == nullptr ? "?" : type, EVP_PKEY_get_bits(key));
}

std::string describe_group(SSL* ssl) {
    const auto id = SSL_get_negotiated_group(ssl);
    const char* name = id == NID_undef ? nullptr : OBJ_nid2sn(static_cast<int>(id));
    return name == nullptr ? "" : name;
}

}  // namespace

TlsClient::TlsClient(const TlsWishes& wishes, bool keep_sessions)
    : server_name_(wishes.server_name), verified_name_(wishes.ca_file.empty() ? "" : wishes.verified_name) {
    // Before anything else of libssl: its [system_default] settings would reach every SSL_CTX of the process.
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
    context_.reset(SSL_CTX_new_ex(library_.get(), nullptr, TLS_client_method()));
    if (!context_) throw Failure("OpenSSL makes no TLS client: " + last_error());
    // One read() takes a whole flight; without it every record costs two.
    SSL_CTX_set_read_ahead(context_.get(), 1);
    SSL_CTX_set_session_cache_mode(
        context_.get(), keep_sessions ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_OFF);
    SSL_CTX_set_app_data(context_.get(), this);
    if (keep_sessions) SSL_CTX_sess_set_new_cb(context_.get(), keep);
    apply(wishes);
    if (wishes.ca_file.empty())
        verify_nothing();
    else
        verify_against(wishes.ca_file);
}

void TlsClient::apply(const TlsWishes& wishes) {
    SSL_CTX* context = context_.get();
    ERR_clear_error();
    const int protocol = protocol_of(wishes.version);
    SSL_CTX_set_min_proto_version(context, protocol == 0 ? TLS1_2_VERSION : protocol);
    SSL_CTX_set_max_proto_version(context, protocol);
    const std::string& groups = wishes.groups.empty() ? kGroups : wishes.groups;
    demand(SSL_CTX_set1_groups_list(context, groups.c_str()) == 1, "--groups", groups,
           "give names separated by colons, such as X25519:P-256");
    if (!wishes.ciphers.empty())
        demand(SSL_CTX_set_cipher_list(context, wishes.ciphers.c_str()) == 1, "--ciphers", wishes.ciphers,
               "\"openssl ciphers -tls1_2\" lists those of TLS 1.2; --ciphersuites is for TLS 1.3");
    if (!wishes.ciphersuites.empty())
        demand(SSL_CTX_set_ciphersuites(context, wishes.ciphersuites.c_str()) == 1, "--ciphersuites",
               wishes.ciphersuites, "\"openssl ciphers -s -tls1_3\" lists those of TLS 1.3; --ciphers is for TLS 1.2");
}

void TlsClient::verify_nothing() {
    // SSL_VERIFY_NONE alone would build and check the chain, and then ignore the result.
    const auto accept = [](X509_STORE_CTX*, void*) { return 1; };
    SSL_CTX_set_cert_verify_callback(context_.get(), accept, nullptr);
}

void TlsClient::verify_against(const std::string& ca_file) {
    demand(SSL_CTX_load_verify_file(context_.get(), ca_file.c_str()) == 1, "--ca", ca_file,
           "give a readable file of PEM certificates");
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
}

Ssl TlsClient::make() {
    Ssl ssl(SSL_new(context_.get()));
    BIO* bio = ssl ? BIO_new(BIO_s_socket()) : nullptr;
    if (bio == nullptr) throw std::bad_alloc();
    SSL_set_bio(ssl.get(), bio, bio);
    if (!server_name_.empty()) SSL_set_tlsext_host_name(ssl.get(), server_name_.c_str());
    if (!verified_name_.empty()) SSL_set1_host(ssl.get(), verified_name_.c_str());
    return ssl;
}

Session TlsClient::take_session() {
    while (!sessions_.empty() && SSL_SESSION_is_resumable(sessions_.front().get()) == 0) sessions_.pop_front();
    if (sessions_.empty()) return nullptr;
    Session session = std::move(sessions_.front());
    sessions_.pop_front();
    if (SSL_SESSION_get_protocol_version(session.get()) >= TLS1_3_VERSION) return session;
    SSL_SESSION_up_ref(session.get());
    sessions_.emplace_back(session.get());
    return session;
}

int TlsClient::keep(SSL* ssl, SSL_SESSION* session) {
    auto& self = *static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    if (self.sessions_.size() >= kMaxSessions) self.sessions_.pop_front();
    self.sessions_.emplace_back(session);
    return 1;  // the reference is ours now
}

void TlsClient::note(SSL* ssl) {
    if (!negotiated_.tls.empty()) return;
    negotiated_.tls = SSL_version(ssl) == TLS1_3_VERSION ? "1.3" : "1.2";
    negotiated_.cipher = SSL_get_cipher_name(ssl);
    negotiated_.group = describe_group(ssl);
    negotiated_.certificate = describe_certificate(ssl);
}

}  // namespace octavo::cli::load
