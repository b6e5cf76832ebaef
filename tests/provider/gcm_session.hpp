#pragma once

#include <openssl/evp.h>

#include <memory>
#include <random>
#include <string>

#include "sides.hpp"

/// Calls on contexts of AES-GCM, noted, so that two implementations can be compared.
namespace octavo::test {

struct FreeCipher {
    void operator()(EVP_CIPHER* p) const { EVP_CIPHER_free(p); }
    void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
};
using Cipher = std::unique_ptr<EVP_CIPHER, FreeCipher>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

inline constexpr std::size_t kGcmKeyLengths[] = {16, 24, 32};

/// Where libipsec-mb seals and opens, under provider and engine, AES-GCM and pipelines of AES-CBC-HMAC.
bool cpu_has_wide_aes();
/// Flags and parameters.
void expect_same_offer(const Cipher& ours, const Cipher& theirs);

Cipher fetch_gcm(OSSL_LIB_CTX* side, std::size_t key_len);

/// A message and how it is cut into pieces; the same for both sides.
struct Message {
    Data key, iv, aad, text, tag;
    unsigned cuts = 0;  // seed; 0: in one piece
    bool in_place = false, apart_iv = false;
};
Message random_message(std::mt19937& random, std::size_t key_len);

/// How exactly two sides are compared. An engine's answers and errors are those of OpenSSL's older interface: there, what works and what comes out.
enum class Exactness { all, results };

/// Calls on one context, all noted.
class GcmSession {
public:
    /// The context has its cipher, or gets it at the first init.
    GcmSession(CipherContext context, Exactness exactness) : context_(std::move(context)), exactness_(exactness) {}
    GcmSession(OSSL_LIB_CTX* side, std::size_t key_len);
    EVP_CIPHER_CTX* get() { return context_.get(); }
    bool encrypts() { return EVP_CIPHER_CTX_is_encrypting(get()) == 1; }

    bool note(const std::string& call, long answer);
    void init(const Data* key, const Data* iv, int encrypts);
    /// With the bytes that the control got or gave.
    void control(const std::string& name, int type, int number, Data bytes);
    void start(const Message& m, int encrypts);
    void pieces(const Data& in, bool aad, unsigned cuts, bool in_place);
    bool final();
    bool message(const Message& m, int encrypts);
    void set_tag(const Data& tag);
    Data get_tag(int len);
    /// A record of TLS 1.2: its answer, which is a length.
    int record(Data& bytes);
    void go_on_in_a_copy();
    /// What can be asked of a context.
    void ask();

    Trace trace;
    Data text;

private:
    Cipher cipher_;
    CipherContext context_;
    Exactness exactness_;
};

/// All calls that there are, in any order: most make no sense where they come.
class AnyGcmCalls {
public:
    AnyGcmCalls(std::size_t key_len, unsigned seed) : key_len_(key_len), random_(seed) {}
    void run(GcmSession& on);

private:
    unsigned pick(unsigned n) { return static_cast<unsigned>(random_() % n); }
    Data bytes(std::size_t len) { return data(len, pick(1U << 30)); }
    void step(GcmSession& on);
    void end(GcmSession& on);
    void restart(GcmSession& on);
    void iv_in_parts(GcmSession& on);
    void record(GcmSession& on);

    std::size_t key_len_;
    std::mt19937 random_;
};

}  // namespace octavo::test
