// TLS records by the engine's ciphers, against OpenSSL's own.
#include "records.hpp"

#include <openssl/ssl.h>

#include "support.hpp"

namespace octavo::test {
namespace {

TEST(Records, of_every_suite_go_both_ways) {
    ASSERT_EQ(ENGINE_set_default_ciphers(engine()), 1) << first_reason();
    exchange_all(without_octavo(), nullptr);
    ENGINE_unregister_ciphers(engine());
}

}  // namespace
}  // namespace octavo::test
