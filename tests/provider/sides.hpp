#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace octavo::test {

struct Free {
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
    void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
};
using Pkey = std::unique_ptr<EVP_PKEY, Free>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Free>;
using MdContext = std::unique_ptr<EVP_MD_CTX, Free>;

using Data = std::vector<std::uint8_t>;
Data data(std::size_t len, unsigned seed);
Data data(const std::string& text);
std::string hex(const Data& bytes);

/// A library context with Octavo in front of the default provider, as openssl.cnf makes it, and one with the default provider
/// alone. Made once per process.
OSSL_LIB_CTX* with_octavo();
OSSL_LIB_CTX* without_octavo();
inline const char* name_of(OSSL_LIB_CTX* side) { return side == with_octavo() ? "octavo" : "default"; }

/// What a sequence of calls answered: for each, its name, its value and the first error that it left in the queue.
class Trace {
public:
    /// Notes an answer and empties the error queue. Returns whether it was 1.
    bool note(const std::string& call, long answer);
    /// Notes a value that both sides must agree in.
    void value(const std::string& name, const std::string& value) { lines_.push_back(name + ": " + value); }
    std::string text() const;

private:
    std::vector<std::string> lines_;
};

/// A context for operations with a key, which must be the side's own.
PkeyContext context_for(OSSL_LIB_CTX* side, EVP_PKEY* key);

}  // namespace octavo::test
