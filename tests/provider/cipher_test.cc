#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "keys.hpp"
#include "shim.hpp"

namespace octavo::test {
namespace {

struct Settings {
    const char* padding = nullptr;
    const char* digest = nullptr;
    const char* mgf1 = nullptr;
    std::string label = {};
    unsigned client_version = 0, negotiated_version = 0;
};

OSSL_PARAM text(const char* name, const char* value) {
    return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

bool set_all(Trace& trace, EVP_PKEY_CTX* context, Settings s) {
    std::vector<OSSL_PARAM> params;
    int tls = RSA_PKCS1_WITH_TLS_PADDING;
    if (s.padding != nullptr && std::string(s.padding) == "tls")
        params.push_back(OSSL_PARAM_construct_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, &tls));
    else if (s.padding != nullptr)
        params.push_back(text(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, s.padding));
    if (s.digest != nullptr) params.push_back(text(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, s.digest));
    if (s.mgf1 != nullptr) params.push_back(text(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, s.mgf1));
    if (!s.label.empty())
        params.push_back(
            OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, s.label.data(), s.label.size()));
    if (s.client_version != 0)
        params.push_back(OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &s.client_version));
    if (s.negotiated_version != 0)
        params.push_back(
            OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, &s.negotiated_version));
    params.push_back(OSSL_PARAM_construct_end());
    return trace.note("set", EVP_PKEY_CTX_set_params(context, params.data()));
}

void note_settings(Trace& trace, EVP_PKEY_CTX* context) {
    char padding[32] = "", digest[64] = "", mgf1[64] = "";
    void* label = nullptr;
    unsigned client = 0, negotiated = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, digest, sizeof digest),
                           OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, mgf1, sizeof mgf1),
                           OSSL_PARAM_construct_octet_ptr(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, &label, 0),
                           OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &client),
                           OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, &negotiated),
                           OSSL_PARAM_construct_end()};
    trace.note("get", EVP_PKEY_CTX_get_params(context, params));
    trace.value("settings", std::string(digest) + " " + mgf1 + " " + std::to_string(client) + " " +
                                std::to_string(negotiated) + " " + std::to_string(params[2].return_size));
    OSSL_PARAM ask[] = {OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, padding, sizeof padding),
                        OSSL_PARAM_construct_end()};
    trace.note("get padding", EVP_PKEY_CTX_get_params(context, ask));
    trace.value("padding", padding);
}

Data encrypt(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* pkey, const Settings& s, const Data& message) {
    const auto context = context_for(side, pkey);
    if (!trace.note("encrypt_init", EVP_PKEY_encrypt_init(context.get())) || !set_all(trace, context.get(), s))
        return {};
    note_settings(trace, context.get());
    Data out;
    // A public key is registered on its second use.
    for (int i = 0; i < 3; ++i) {
        std::size_t len = 0;
        if (!trace.note("size", EVP_PKEY_encrypt(context.get(), nullptr, &len, message.data(), message.size())))
            return {};
        out.assign(len, 0xaa);
        if (!trace.note("encrypt", EVP_PKEY_encrypt(context.get(), out.data(), &len, message.data(), message.size())))
            return {};
        out.resize(len);
    }
    return out;
}

Data decrypt(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* pkey, const Settings& s, const Data& ciphertext,
             bool content = true) {
    const auto context = context_for(side, pkey);
    if (!trace.note("decrypt_init", EVP_PKEY_decrypt_init(context.get())) || !set_all(trace, context.get(), s))
        return {};
    std::size_t len = 0;
    if (!trace.note("size", EVP_PKEY_decrypt(context.get(), nullptr, &len, ciphertext.data(), ciphertext.size())))
        return {};
    trace.value("size", std::to_string(len));
    Data out(len, 0);
    auto short_len = len - 1;
    trace.note("short buffer",
               EVP_PKEY_decrypt(context.get(), out.data(), &short_len, ciphertext.data(), ciphertext.size()));
    if (!trace.note("decrypt", EVP_PKEY_decrypt(context.get(), out.data(), &len, ciphertext.data(), ciphertext.size())))
        return {};
    out.resize(len);
    trace.value("length", std::to_string(len));
    if (content) trace.value("message", std::string(out.begin(), out.end()));
    return out;
}

OSSL_LIB_CTX* const kSides[] = {with_octavo(), without_octavo()};

/// Both sides on the same ciphertext: the same answer, the same error. Returns what Octavo says.
Data decrypt_both(Shape shape, const Settings& s, const Data& ciphertext, bool content = true) {
    Trace traces[2];
    Data out[2];
    for (int i = 0; i < 2; ++i)
        out[i] = decrypt(traces[i], kSides[i], key(shape, kSides[i]).get(), s, ciphertext, content);
    EXPECT_EQ(traces[0].text(), traces[1].text());
    return out[0];
}

void round_trip(Shape shape, const Settings& s, std::size_t len) {
    SCOPED_TRACE(std::string(name_of(shape)) + " " + (s.padding == nullptr ? "-" : s.padding) + " " +
                 (s.digest == nullptr ? "-" : s.digest) + " " + std::to_string(len));
    auto message = data(len, static_cast<unsigned>(len));
    if (s.padding != nullptr && std::string(s.padding) == "none") message[0] = 0;
    Trace traces[2];
    Data ciphertexts[2];
    for (int i = 0; i < 2; ++i) ciphertexts[i] = encrypt(traces[i], kSides[i], key(shape, kSides[i]).get(), s, message);
    ASSERT_EQ(traces[0].text(), traces[1].text());
    for (auto& ciphertext : ciphertexts) {
        if (ciphertext.empty()) continue;
        const auto out = decrypt_both(shape, s, ciphertext);
        if (shape != Shape::public_2048 && shape != Shape::wrong_crt) {
            EXPECT_EQ(out, message);
        }
        ciphertext.back() ^= 1;
        decrypt_both(shape, s, ciphertext);
        ciphertext.pop_back();
        decrypt_both(shape, s, ciphertext);
        decrypt_both(shape, s, Data(ciphertext.size() + 1, 0xff));
        decrypt_both(shape, s, Data(ciphertext.size() + 1, 0));
    }
}

class Cipher : public testing::TestWithParam<Shape> {};

TEST_P(Cipher, Pkcs1) {
    for (const std::size_t len : {1UL, 20UL, 48UL, 117UL, 118UL, 245UL, 246UL, 501UL, 502UL})
        round_trip(GetParam(), {.padding = "pkcs1"}, len);
    round_trip(GetParam(), {}, 48);
}

TEST_P(Cipher, Oaep) {
    for (const std::size_t len : {1UL, 22UL, 86UL, 87UL, 190UL, 214UL, 215UL, 470UL, 471UL})
        round_trip(GetParam(), {.padding = "oaep"}, len);
    for (const auto* digest :
         {"SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA512-256", "SHA3-256", "MD5", "BLAKE2s256"}) {
        round_trip(GetParam(), {.padding = "oaep", .digest = digest}, 20);
        round_trip(GetParam(), {.padding = "oaep", .digest = digest, .mgf1 = "SHA1", .label = "a label"}, 20);
    }
}

TEST_P(Cipher, RawAndOthers) {
    for (const std::size_t len : {64UL, 128UL, 255UL, 256UL, 257UL, 384UL, 512UL})
        round_trip(GetParam(), {.padding = "none"}, len);
    for (const auto* padding : {"x931", "pss", "no such padding"}) round_trip(GetParam(), {.padding = padding}, 20);
    round_trip(GetParam(), {.padding = "oaep", .digest = "no such digest"}, 20);
    round_trip(GetParam(), {.padding = "tls", .client_version = 0x303}, 48);
}

INSTANTIATE_TEST_SUITE_P(Keys, Cipher, testing::ValuesIn(kAllShapes),
                         [](const auto& shape) { return name_of(shape.param); });

Data raw_encrypt(Shape shape, const Data& block) {
    Trace trace;
    return encrypt(trace, without_octavo(), key(shape, without_octavo()).get(), {.padding = "none"}, block);
}

/// 00 02 padding 00 message, in a block of 256 bytes, with one byte put in by the test.
Data block_of(const Data& message, std::size_t at = 0, std::uint8_t value = 0) {
    Data block(256 - message.size() - 1, 0x77);
    block[0] = 0;
    block[1] = 2;
    block.push_back(0);
    block.insert(block.end(), message.begin(), message.end());
    block[at] = value;
    return block;
}

TEST(Pkcs1Decode, BadBlocks) {
    const auto message = data(48, 3);
    const Settings s{.padding = "pkcs1"};
    for (const auto& block :
         {block_of(message, 1, 1), block_of(message, 1, 0), block_of(message, 9, 0), block_of(message, 2, 0),
          block_of(message, 10, 0), block_of(data(245, 1)), block_of(data(246, 1)), Data(block_of({}))})
        decrypt_both(Shape::rsa2048, s, raw_encrypt(Shape::rsa2048, block));
    auto full = Data(256, 0x77);  // no separator at all
    full[0] = 0, full[1] = 2;
    decrypt_both(Shape::rsa2048, s, raw_encrypt(Shape::rsa2048, full));
}

TEST(Oaep, WrongLabelDigestAndMgf1) {
    Trace trace;
    const auto ciphertext = encrypt(trace, with_octavo(), key(Shape::rsa2048, with_octavo()).get(),
                                    {.padding = "oaep", .digest = "SHA256", .label = "right"}, data(16, 1));
    ASSERT_FALSE(ciphertext.empty());
    for (const auto& s : {Settings{.padding = "oaep", .digest = "SHA256", .label = "right"},
                          Settings{.padding = "oaep", .digest = "SHA256", .label = "wrong"},
                          Settings{.padding = "oaep", .digest = "SHA256"},
                          Settings{.padding = "oaep", .digest = "SHA1", .label = "right"},
                          Settings{.padding = "oaep", .digest = "SHA256", .mgf1 = "SHA1", .label = "right"},
                          Settings{.padding = "pkcs1"}})
        EXPECT_EQ(decrypt_both(Shape::rsa2048, s, ciphertext).empty(),
                  s.label != "right" || s.mgf1 != nullptr || std::string(s.digest) != "SHA256");
}

TEST(Tls, PremasterOrRandom) {
    const Settings s{.padding = "tls", .client_version = 0x0303, .negotiated_version = 0x0302};
    auto premaster = data(48, 3);
    const auto versioned = [&](std::uint8_t major, std::uint8_t minor) {
        premaster[0] = major;
        premaster[1] = minor;
        return premaster;
    };
    const auto answers = [&](const Data& block, const Settings& settings) {
        return decrypt_both(Shape::rsa2048, settings, raw_encrypt(Shape::rsa2048, block), false);
    };
    EXPECT_EQ(answers(block_of(versioned(3, 3)), s), premaster);
    EXPECT_EQ(answers(block_of(versioned(3, 2)), s), premaster);  // some old clients say what was negotiated
    const std::vector<Data> bad = {
        block_of(versioned(3, 1)), block_of(versioned(3, 3), 1, 1), block_of(premaster, 0, 0),
        block_of(premaster, 5, 0), block_of(premaster, 100, 0),     block_of(data(47, 3)),
        block_of(data(49, 3)),     block_of(premaster, 207, 1),     block_of(premaster, 206, 0)};
    int random = 0;
    for (const auto& block : bad) {
        const bool untouched = block == block_of(premaster);
        const auto out = answers(block, s);
        ASSERT_EQ(out.size(), 48U);
        EXPECT_EQ(out == premaster, untouched);
        random += out != premaster;
        EXPECT_NE(answers(block, s) == out, !untouched);  // another random one each time
    }
    EXPECT_EQ(random, 8);
    auto strict = s;
    strict.negotiated_version = 0;
    EXPECT_NE(answers(block_of(versioned(3, 2)), strict), premaster);
}

/// A buffer that is too short is an error here with every release of OpenSSL; the first ones wrote past its end.
TEST(Cipher, RefusesAShortBuffer) {
    const auto context = context_for(with_octavo(), key(Shape::rsa2048, with_octavo()).get());
    ASSERT_EQ(EVP_PKEY_encrypt_init(context.get()), 1);
    const auto message = data(16, 1);
    Data out(256);
    auto len = out.size();
    for (int i = 0; i < 3; ++i)  // the key is registered, then
        ASSERT_EQ(EVP_PKEY_encrypt(context.get(), out.data(), &len, message.data(), message.size()), 1);
    len = 255;
    EXPECT_EQ(EVP_PKEY_encrypt(context.get(), out.data(), &len, message.data(), message.size()), 0);
    EXPECT_STREQ(ERR_reason_error_string(ERR_get_error()), "output buffer too small");
    ERR_clear_error();
}

TEST(FastPath, TakesEveryPaddingOnce) {
    const auto pkey = key(Shape::rsa2048, with_octavo());
    for (const auto& s : {Settings{.padding = "pkcs1"}, Settings{.padding = "oaep"},
                          Settings{.padding = "oaep", .digest = "SHA512", .label = "l"}, Settings{.padding = "none"}}) {
        SCOPED_TRACE(s.padding);
        auto message = data(std::string(s.padding) == "none" ? 256 : 32, 1);
        message[0] = 0;
        Trace trace;
        encrypt(trace, with_octavo(), pkey.get(), {.padding = "pkcs1"}, data(32, 1));  // registers the key
        auto before = shim::operations();
        const auto ciphertext = encrypt(trace, with_octavo(), pkey.get(), s, message);
        EXPECT_EQ(shim::operations() - before, 3);
        before = shim::operations();
        EXPECT_EQ(decrypt(trace, with_octavo(), pkey.get(), s, ciphertext), message);
        EXPECT_EQ(shim::operations() - before, 1);
    }
}

TEST(FastPath, LeavesFailuresToTheDefaultProvider) {
    const auto pkey = key(Shape::rsa2048, with_octavo());
    Trace trace;
    const auto message = data(32, 1);
    const auto ciphertext = encrypt(trace, with_octavo(), pkey.get(), {.padding = "oaep"}, message);
    for (const auto status :
         {OCTAVO_ERR_OPERATION_FAILED, OCTAVO_ERR_NO_MEMORY, OCTAVO_ERR_BAD_HANDLE, OCTAVO_CANCELLED}) {
        shim::failure = status;
        EXPECT_EQ(decrypt(trace, with_octavo(), pkey.get(), {.padding = "oaep"}, ciphertext), message);
        EXPECT_EQ(encrypt(trace, with_octavo(), pkey.get(), {.padding = "oaep"}, message).size(), 256U);
        shim::failure = OCTAVO_OK;
    }
}

TEST(FastPath, LeavesNothingToItWhereTheSoftwareFallbackIsOff) {
    const auto pkey = key(Shape::rsa2048, with_octavo());
    Trace trace, encrypting, decrypting;
    const auto ciphertext = encrypt(trace, with_octavo(), pkey.get(), {.padding = "oaep"}, data(32, 1));
    shim::failure = OCTAVO_ERR_DEVICE;
    encrypt(encrypting, with_octavo(), pkey.get(), {.padding = "oaep"}, data(32, 1));
    decrypt(decrypting, with_octavo(), pkey.get(), {.padding = "oaep"}, ciphertext);
    shim::failure = OCTAVO_OK;
    EXPECT_NE(encrypting.text().find("there is no software fallback"), std::string::npos) << encrypting.text();
    EXPECT_NE(decrypting.text().find("there is no software fallback"), std::string::npos) << decrypting.text();
}

}  // namespace
}  // namespace octavo::test
