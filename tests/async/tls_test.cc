// TLS handshakes of libssl in its asynchronous mode, on the drop-in, in memory. The server's key pauses before each operation.
#include <gtest/gtest.h>
#include <openssl/async.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

namespace {

constexpr bool kDropIn = OCTAVO_DROP_IN;
// A pauser that does not mind why a pause returned, as many engines do not.
bool obstinate = false;

int pausing_private(int len, const unsigned char* from, unsigned char* to, RSA* rsa, int padding) {
    static const char key = 0;
    auto* job = ASYNC_get_current_job();
    if (job != nullptr) {
        auto* wait = ASYNC_get_wait_ctx(job);
        OSSL_ASYNC_FD fd = -1;
        void* custom = nullptr;
        if (ASYNC_WAIT_CTX_get_fd(wait, &key, &fd, &custom) != 1)
            ASYNC_WAIT_CTX_set_wait_fd(wait, &key, 1, nullptr, nullptr);
        if (ASYNC_pause_job() != 1 && !obstinate) return -1;
    }
    return RSA_meth_get_priv_enc(RSA_PKCS1_OpenSSL())(len, from, to, rsa, padding);
}

template <typename T, void (*Free)(T*)>
using Owner = std::unique_ptr<T, decltype([](T* object) { Free(object); })>;
using Key = Owner<EVP_PKEY, EVP_PKEY_free>;
using Certificate = Owner<X509, X509_free>;
using Context = Owner<SSL_CTX, SSL_CTX_free>;
using Ssl = Owner<SSL, SSL_free>;

Key make_key() {
    static RSA_METHOD* const method = [] {
        auto* copy = RSA_meth_dup(RSA_PKCS1_OpenSSL());
        RSA_meth_set_priv_enc(copy, pausing_private);
        return copy;
    }();
    const Key plain(EVP_RSA_gen(2048));
    auto* rsa = EVP_PKEY_get1_RSA(plain.get());
    RSA_set_method(rsa, method);
    Key key(EVP_PKEY_new());
    EVP_PKEY_assign_RSA(key.get(), rsa);
    return key;
}

Certificate make_certificate(EVP_PKEY* key) {
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400);
    X509_set_pubkey(certificate.get(), key);
    auto* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_sign(certificate.get(), key, EVP_sha256());
    return certificate;
}

class AsyncTls : public testing::TestWithParam<int> {
protected:
    static void SetUpTestSuite() {
        key() = make_key();
        certificate() = make_certificate(key().get());
    }
    static void TearDownTestSuite() {
        key().reset();
        certificate().reset();
    }
    void SetUp() override {
        obstinate = false;
        server_.reset(SSL_CTX_new(TLS_server_method()));
        client_.reset(SSL_CTX_new(TLS_client_method()));
        for (auto* context : {server_.get(), client_.get()}) {
            SSL_CTX_set_min_proto_version(context, GetParam());
            SSL_CTX_set_max_proto_version(context, GetParam());
            SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        }
        SSL_CTX_set_mode(server_.get(), SSL_MODE_ASYNC);
        ASSERT_EQ(SSL_CTX_use_certificate(server_.get(), certificate().get()), 1);
        ASSERT_EQ(SSL_CTX_use_PrivateKey(server_.get(), key().get()), 1);
    }

    struct Connection {
        Ssl server, client;
    };
    Connection connect() {
        Connection c{Ssl(SSL_new(server_.get())), Ssl(SSL_new(client_.get()))};
        BIO *inside = nullptr, *outside = nullptr;
        EXPECT_EQ(BIO_new_bio_pair(&inside, 0, &outside, 0), 1);
        SSL_set_bio(c.server.get(), inside, inside);
        SSL_set_bio(c.client.get(), outside, outside);
        SSL_set_accept_state(c.server.get());
        SSL_set_connect_state(c.client.get());
        return c;
    }
    /// True when the server's job has paused; false when the handshake is done or has failed.
    static bool until_paused(Connection& c) {
        for (int i = 0; i < 20; ++i) {
            const int client = SSL_do_handshake(c.client.get());
            const int server = SSL_do_handshake(c.server.get());
            if (SSL_get_error(c.server.get(), server) == SSL_ERROR_WANT_ASYNC) return true;
            if (client == 1 && server == 1) return false;
        }
        return false;
    }
    static bool is_done(const Connection& c) {
        return SSL_is_init_finished(c.server.get()) == 1 && SSL_is_init_finished(c.client.get()) == 1;
    }

    Context server_, client_;

private:
    static Key& key() {
        static Key key;
        return key;
    }
    static Certificate& certificate() {
        static Certificate certificate;
        return certificate;
    }
};

TEST_P(AsyncTls, HandshakesPauseAndFinish) {
    for (int i = 0; i < 20; ++i) {
        auto c = connect();
        EXPECT_TRUE(until_paused(c));
        std::size_t num_fds = 0;
        EXPECT_EQ(SSL_get_all_async_fds(c.server.get(), nullptr, &num_fds), 1);
        EXPECT_EQ(num_fds, 1U);
        EXPECT_FALSE(until_paused(c));
        EXPECT_TRUE(is_done(c));
    }
}

TEST_P(AsyncTls, ManyAtOnce) {
    std::vector<Connection> all;
    for (int i = 0; i < 200; ++i) all.push_back(connect());
    for (auto& c : all) EXPECT_TRUE(until_paused(c));
    for (auto c = all.rbegin(); c != all.rend(); ++c) EXPECT_FALSE(until_paused(*c));
    for (auto& c : all) EXPECT_TRUE(is_done(c));
}

/// KiB; without the sanitizers' and files' share.
std::size_t resident() {
    auto* file = std::fopen("/proc/self/statm", "r");
    unsigned long total = 0, now = 0, shared = 0;
    if (file == nullptr || std::fscanf(file, "%lu %lu %lu", &total, &now, &shared) != 3) return 0;
    std::fclose(file);
    return (now - shared) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

/// What so many handshakes that are given up while they are paused leave behind, in KiB.
template <typename GiveUp>
std::size_t loss(int times, GiveUp&& give_up) {
    for (int i = 0; i < 500; ++i) give_up();
    const auto before = resident();
    for (int i = 0; i < times; ++i) give_up();
    const auto after = resident();
    return after > before ? after - before : 0;
}

TEST_P(AsyncTls, TenThousandAbortedHandshakesLoseNothing) {
    const auto lost = loss(10000, [&] {
        auto c = connect();
        ASSERT_TRUE(until_paused(c));
    });
    std::printf("%zu KiB for 10000 aborted handshakes\n", lost);
    EXPECT_LE(lost, kDropIn ? 400U : SIZE_MAX);
    EXPECT_EQ(ERR_peek_error(), 0UL);
}

/// Even where whoever paused goes on as if nothing had happened.
TEST_P(AsyncTls, AbortedUnderAnObstinateEngine) {
    obstinate = true;
    const auto lost = loss(1000, [&] {
        auto c = connect();
        ASSERT_TRUE(until_paused(c));
    });
    EXPECT_LE(lost, kDropIn ? 400U : SIZE_MAX);
}

/// An SSL that its job outlives in another owner's hands is not touched.
TEST_P(AsyncTls, ASharedSslGoesOn) {
    auto c = connect();
    EXPECT_TRUE(until_paused(c));
    EXPECT_EQ(SSL_up_ref(c.server.get()), 1);
    SSL_free(c.server.get());
    EXPECT_FALSE(until_paused(c));
    EXPECT_TRUE(is_done(c));
}

/// The program's callbacks and BIOs may be gone when it frees an SSL: none is called.
TEST_P(AsyncTls, TheProgramHearsNothingOfTheEnd) {
    static bool freeing = false;
    SSL_CTX_set_info_callback(server_.get(), [](const SSL*, int, int) { EXPECT_FALSE(freeing); });
    SSL_CTX_set_msg_callback(server_.get(),
                             [](int, int, int, const void*, std::size_t, SSL*, void*) { EXPECT_FALSE(freeing); });
    SSL_CTX_set_keylog_callback(server_.get(), [](const SSL*, const char*) { EXPECT_FALSE(freeing); });
    auto c = connect();
    EXPECT_TRUE(until_paused(c));
    freeing = true;
    c.server.reset();
    freeing = false;
    EXPECT_EQ(BIO_ctrl_pending(SSL_get_rbio(c.client.get())), 0U);  // not a byte on the wire
}

TEST_P(AsyncTls, InfoCallbacksComeAsTheyWere) {
    static int of_context = 0, of_ssl = 0;
    of_context = of_ssl = 0;
    void (*const first)(const SSL*, int, int) = [](const SSL*, int, int) { ++of_context; };
    void (*const second)(const SSL*, int, int) = [](const SSL*, int, int) { ++of_ssl; };
    EXPECT_EQ(SSL_CTX_get_info_callback(server_.get()), nullptr);
    SSL_CTX_set_info_callback(server_.get(), first);
    EXPECT_EQ(SSL_CTX_get_info_callback(server_.get()), first);
    auto c = connect(), other = connect();
    SSL_set_info_callback(other.server.get(), second);
    EXPECT_EQ(SSL_get_info_callback(other.server.get()), second);
    EXPECT_TRUE(until_paused(c));
    EXPECT_GT(of_context, 0);
    EXPECT_EQ(of_ssl, 0);
    of_context = 0;
    EXPECT_TRUE(until_paused(other));
    EXPECT_EQ(of_context, 0);
    EXPECT_GT(of_ssl, 0);
    SSL_CTX_set_info_callback(server_.get(), nullptr);
    EXPECT_EQ(SSL_CTX_get_info_callback(server_.get()), nullptr);
}

TEST_P(AsyncTls, ErrorsOfTheProgramStay) {
    auto c = connect();
    EXPECT_TRUE(until_paused(c));
    ERR_raise(ERR_LIB_USER, 3);
    c.server.reset();
    EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), 3);
    EXPECT_EQ(ERR_get_error(), 0UL);
}

std::string version_name(const testing::TestParamInfo<int>& version) {
    return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
}
INSTANTIATE_TEST_SUITE_P(Versions, AsyncTls, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION), version_name);

}  // namespace
