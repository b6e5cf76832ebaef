#include "records.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>

namespace octavo::test {
namespace {

constexpr Suite kAll[] = {
    {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
    {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
    {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},
    {TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256"},
    {TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384"},
    {TLS1_2_VERSION, "AES128-GCM-SHA256"},
    {TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305"},
    {TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA"},
    {TLS1_2_VERSION, "ECDHE-RSA-AES256-SHA"},
    {TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256"},
    {TLS1_2_VERSION, "AES256-SHA256"},
};
constexpr const char* kDescriptors = "OCTAVO_RECORDS_FDS";

struct FreeAny : FreeTls {
    using FreeTls::operator();
    void operator()(X509* p) const { X509_free(p); }
    void operator()(BIO* p) const { BIO_free(p); }
};
template <class T>
using Owner = std::unique_ptr<T, FreeAny>;

std::string pem_of(const std::function<int(BIO*)>& write) {
    const Owner<BIO> bio(BIO_new(BIO_s_mem()));
    EXPECT_EQ(write(bio.get()), 1);
    const char* text = nullptr;
    const auto len = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(len)};
}

struct Identity {
    std::string key, certificate;
};

/// Of the default provider, once in a process.
const Identity& identity() {
    static const Identity once = [] {
        const Pkey key(EVP_PKEY_Q_keygen(without_octavo(), nullptr, "RSA", std::size_t{2048}));
        const Owner<X509> certificate(X509_new_ex(without_octavo(), nullptr));
        auto* const x = certificate.get();
        X509_set_version(x, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
        X509_gmtime_adj(X509_getm_notBefore(x), -86400);
        X509_gmtime_adj(X509_getm_notAfter(x), 86400);
        X509_set_pubkey(x, key.get());
        EXPECT_GT(X509_sign(x, key.get(), EVP_sha256()), 0);
        return Identity{pem_of([&](BIO* bio) {
                            return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
                        }),
                        pem_of([&](BIO* bio) { return PEM_write_bio_X509(bio, x); })};
    }();
    return once;
}

Owner<BIO> reader(const std::string& text) {
    return Owner<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void identify(SSL_CTX* tls, OSSL_LIB_CTX* context) {
    const Pkey key(
        PEM_read_bio_PrivateKey_ex(reader(identity().key).get(), nullptr, nullptr, nullptr, context, nullptr));
    const Owner<X509> certificate(PEM_read_bio_X509(reader(identity().certificate).get(), nullptr, nullptr, nullptr));
    EXPECT_EQ(SSL_CTX_use_certificate(tls, certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(tls, key.get()), 1);
}

/// What is sent: bytes that no record of another place has.
void fill(Data& bytes, std::size_t at) {
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>((at + i) * 2654435761U >> 13);
}

constexpr std::size_t kPiece =
    49152;  // three records at most, unless a test has smaller ones: then pipelines, or several in one call

bool send(SSL* ssl, std::size_t total) {
    Data piece(kPiece);
    for (std::size_t at = 0; at < total; at += kPiece) {
        fill(piece, at);
        std::size_t done = 0;
        if (SSL_write_ex(ssl, piece.data(), piece.size(), &done) != 1 || done != piece.size()) return false;
    }
    return true;
}

bool receive(SSL* ssl, std::size_t total) {
    Data piece(kPiece), expected(kPiece);
    for (std::size_t at = 0, in_piece = 0; at < total;) {
        std::size_t done = 0;
        if (SSL_read_ex(ssl, piece.data() + in_piece, kPiece - in_piece, &done) != 1) return false;
        in_piece += done;
        if (in_piece < kPiece) continue;
        fill(expected, at);
        if (piece != expected) return false;
        at += kPiece;
        in_piece = 0;
    }
    return true;
}

struct End {
    OSSL_LIB_CTX* context;
    int fd;
    bool is_server;
    std::function<void(SSL_CTX*)> prepare;
};

/// Null where OpenSSL does not know the suite.
Owner<SSL_CTX> make_tls(OSSL_LIB_CTX* context, const Suite& suite, bool is_server) {
    Owner<SSL_CTX> tls(SSL_CTX_new_ex(context, nullptr, TLS_method()));
    SSL_CTX_set_min_proto_version(tls.get(), suite.version);
    SSL_CTX_set_max_proto_version(tls.get(), suite.version);
    // Stitched ciphers know the order MAC, then encryption.
    SSL_CTX_set_options(tls.get(), SSL_OP_NO_ENCRYPT_THEN_MAC);
    SSL_CTX_set_security_level(tls.get(), 0);
    const int known = suite.version == TLS1_3_VERSION ? SSL_CTX_set_ciphersuites(tls.get(), suite.name)
                                                      : SSL_CTX_set_cipher_list(tls.get(), suite.name);
    if (known != 1) return nullptr;
    if (is_server) identify(tls.get(), context);
    return tls;
}

/// Handshake and data on one end. What went wrong, or "".
std::string run(const End& end, const Suite& suite) {
    std::signal(SIGPIPE, SIG_IGN);  // an end that failed shall say so by itself
    const auto tls = make_tls(end.context, suite, end.is_server);
    if (tls == nullptr) return "unknown to OpenSSL";
    if (end.prepare) end.prepare(tls.get());
    const Owner<SSL> ssl(SSL_new(tls.get()));
    SSL_set_fd(ssl.get(), end.fd);
    if ((end.is_server ? SSL_accept(ssl.get()) : SSL_connect(ssl.get())) != 1)
        return "handshake: " + std::string(ERR_reason_error_string(ERR_peek_error()));
    if (std::string(SSL_get_cipher_name(ssl.get())) != suite.name) return "another suite was agreed on";
    const auto len = bulk_len() / kPiece * kPiece;
    const bool good = end.is_server ? receive(ssl.get(), len) && send(ssl.get(), len)
                                    : send(ssl.get(), len) && receive(ssl.get(), len);
    return good ? "" : "data: " + std::to_string(SSL_get_error(ssl.get(), 0));
}

/// Runs this program again as the plain side, with its ends of the connections.
pid_t start_peer(const std::string& descriptors) {
    const auto child = fork();
    if (child != 0) return child;
    setenv(kDescriptors, descriptors.c_str(), 1);
    execl("/proc/self/exe", "peer", "--gtest_filter=RecordsPeer.*", "--gtest_also_run_disabled_tests",
          "--gtest_brief=1", static_cast<char*>(nullptr));
    _exit(127);
}

}  // namespace

const std::span<const Suite> kSuites = kAll;

Connection connect_in_memory(OSSL_LIB_CTX* context, const Suite& suite) {
    constexpr std::size_t kRoom = 65536;
    const auto server_tls = make_tls(context, suite, true), client_tls = make_tls(context, suite, false);
    if (server_tls == nullptr || client_tls == nullptr) return {};
    Connection made{std::unique_ptr<SSL, FreeTls>(SSL_new(server_tls.get())),
                    std::unique_ptr<SSL, FreeTls>(SSL_new(client_tls.get()))};
    BIO *server_end = nullptr, *client_end = nullptr;
    BIO_new_bio_pair(&server_end, kRoom, &client_end, kRoom);
    SSL_set_bio(made.server.get(), server_end, server_end);
    SSL_set_bio(made.client.get(), client_end, client_end);
    SSL_set_accept_state(made.server.get());
    SSL_set_connect_state(made.client.get());
    for (int i = 0; i < 10; ++i) {
        const int client = SSL_do_handshake(made.client.get());
        if (client == 1 && SSL_do_handshake(made.server.get()) == 1) return made;
        SSL_do_handshake(made.server.get());
    }
    return {};
}

std::size_t bulk_len() { return (std::getenv("OCTAVO_LONG_TESTS") != nullptr ? 100U : 2U) << 20U; }

void exchange_all(OSSL_LIB_CTX* context, const std::function<void(SSL_CTX*)>& prepare) {
    std::vector<int> ours;
    std::string theirs;
    for (std::size_t i = 0; i < 2 * kSuites.size(); ++i) {
        int pair[2];
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        fcntl(pair[0], F_SETFD, FD_CLOEXEC);
        ours.push_back(pair[0]);
        theirs += std::to_string(pair[1]) + " ";
    }
    const auto child = start_peer(theirs);
    std::istringstream numbers(theirs);
    for (int fd = -1; numbers >> fd;) close(fd);
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const auto& suite = kSuites[i / 2];
        const bool is_server = i % 2 == 0;
        EXPECT_EQ(run({context, ours[i], is_server, prepare}, suite), "")
            << suite.name << (is_server ? " as server" : " as client");
        close(ours[i]);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << "the plain side found something wrong";
}

TEST(RecordsPeer, DISABLED_answers) {
    const char* descriptors = std::getenv(kDescriptors);
    ASSERT_NE(descriptors, nullptr) << "runs as a part of other tests";
    std::istringstream numbers(descriptors);
    std::size_t i = 0;
    for (int fd = -1; numbers >> fd; ++i) {
        EXPECT_EQ(run({without_octavo(), fd, i % 2 != 0, nullptr}, kSuites[i / 2]), "") << kSuites[i / 2].name;
        close(fd);
    }
}

}  // namespace octavo::test
