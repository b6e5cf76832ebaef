#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "sides.hpp"

/// TLS between this process and a plain one: handshakes and bulk data each way, for every cipher suite that Octavo's ciphers may take part in.
namespace octavo::test {

struct Suite {
    int version;  // TLS1_2_VERSION or TLS1_3_VERSION
    const char* name;
};
extern const std::span<const Suite> kSuites;

struct FreeTls {
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
    void operator()(SSL* p) const { SSL_free(p); }
};

/// Both ends of a connection after the handshake, in one thread.
struct Connection {
    std::unique_ptr<SSL, FreeTls> server, client;
};
/// Both ends null where the handshake fails.
Connection connect_in_memory(OSSL_LIB_CTX* context, const Suite& suite);

/// 2 MB, with OCTAVO_LONG_TESTS=1 100 MB.
std::size_t bulk_len();

/// Runs every suite, as server and as client, in library context `context` against a process that has the default provider alone: this program,
/// started again with the test RecordsPeer.DISABLED_answers. `prepare` may change an SSL_CTX. Fails the test where a handshake, the suite or a byte is not right.
void exchange_all(OSSL_LIB_CTX* context, const std::function<void(SSL_CTX*)>& prepare);

}  // namespace octavo::test
