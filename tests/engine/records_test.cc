// TLS records by the engine's ciphers, against OpenSSL's own.
#include "records.hpp"

#include <openssl/ssl.h>

#include "support.hpp"

namespace octavo::test {
namespace {

TEST(Records, of_every_suite_go_both_ways) {
    ASSERT_EQ(ENGINE_set_default_ciphers(engine()), 1) << first_reason();
    // Several records in one call: OpenSSL's own way, where records are small enough, and pipelines.
    exchange_all(without_octavo(), [](SSL_CTX* tls) { SSL_CTX_set_max_send_fragment(tls, 4096); });
    exchange_all(without_octavo(), [](SSL_CTX* tls) {
        SSL_CTX_set_max_pipelines(tls, 32);
        SSL_CTX_set_split_send_fragment(tls, 2100);
    });
    ENGINE_unregister_ciphers(engine());
}

}  // namespace
}  // namespace octavo::test
