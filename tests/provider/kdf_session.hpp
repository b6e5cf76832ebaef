#pragma once

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sides.hpp"

/// Key derivations, the same calls on both sides.
namespace octavo::test {

/// Parameters of one call, as an application would write them.
class Params {
public:
    Params& octets(const char* name, Data bytes) { return add({name, OSSL_PARAM_OCTET_STRING, std::move(bytes)}); }
    Params& text(const char* name, const std::string& text) { return add({name, OSSL_PARAM_UTF8_STRING, data(text)}); }
    Params& number(const char* name, int number);
    /// Bytes that are said to be there, with no pointer to them.
    Params& nowhere(const char* name, std::size_t len) { return add({name, OSSL_PARAM_OCTET_STRING, Data(len), true}); }
    const OSSL_PARAM* get();

private:
    struct Item {
        const char* name;
        unsigned type;
        Data bytes;
        bool null = false;
    };
    Params& add(Item item);

    std::vector<Item> items_;
    std::vector<OSSL_PARAM> list_;
};

struct FreeKdf {
    void operator()(EVP_KDF* p) const { EVP_KDF_free(p); }
    void operator()(EVP_KDF_CTX* p) const { EVP_KDF_CTX_free(p); }
};
using Kdf = std::unique_ptr<EVP_KDF, FreeKdf>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, FreeKdf>;

/// Calls by EVP_KDF, noted.
class KdfSession {
public:
    KdfSession(OSSL_LIB_CTX* side, const char* kdf);
    void set(Params params);
    void derive(std::size_t len, Params params);
    void derive(std::size_t len);
    void size();
    void reset() { EVP_KDF_CTX_reset(context_.get()); }
    /// Goes on with a copy, where there can be one.
    void duplicate();
    std::string text() const { return trace_.text(); }

private:
    Trace trace_;
    KdfContext context_;
};

/// Calls by EVP_PKEY_derive(), noted.
class PkeyKdfSession {
public:
    PkeyKdfSession(OSSL_LIB_CTX* side, const char* kdf);
    void init();
    void set(Params params);
    void say(const char* name, const std::string& value);
    void derive(std::size_t len);
    void size();
    void duplicate();
    EVP_PKEY_CTX* get() const { return context_.get(); }
    std::string text() const { return trace_.text(); }

private:
    Trace trace_;
    PkeyContext context_;
};

/// Both sides must answer the same to the same calls.
template <class Session>
void expect_same(const char* kdf, const std::string& what, const std::function<void(Session&)>& calls) {
    std::string answers[2];
    for (auto* side : {with_octavo(), without_octavo()}) {
        Session session(side, kdf);
        calls(session);
        answers[side == with_octavo()] = session.text();
    }
    EXPECT_EQ(answers[true], answers[false]) << kdf << ": " << what;
}

}  // namespace octavo::test
