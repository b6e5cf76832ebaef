#include "digest_signatures.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <cstring>

#include "curve_keys.hpp"

namespace octavo::test {
namespace {

constexpr std::size_t kLong = 200;

}  // namespace

Data sign(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, const Data& tbs) {
    const auto context = context_for(side, key);
    if (!trace.note("sign_init", EVP_PKEY_sign_init(context.get()))) return {};
    if (digest != nullptr &&
        !trace.note("digest", EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(digest))))
        return {};
    std::size_t len = 0;
    trace.note("size", EVP_PKEY_sign(context.get(), nullptr, &len, tbs.data(), tbs.size()));
    trace.value("size", std::to_string(len));
    Data signature(kLong, 0xaa);
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{8}, len - 1}) {
        auto got = capacity;
        trace.note("short buffer", EVP_PKEY_sign(context.get(), signature.data(), &got, tbs.data(), tbs.size()));
    }
    auto got = len;
    if (!trace.note("sign", EVP_PKEY_sign(context.get(), signature.data(), &got, tbs.data(), tbs.size()))) return {};
    for (auto i = len; i < signature.size(); ++i) EXPECT_EQ(signature[i], 0xaa) << "written beyond the buffer";
    signature.resize(got);
    return signature;
}

void verify(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, const Data& tbs,
            const Data& signature) {
    const auto context = context_for(side, key);
    trace.note("verify_init", EVP_PKEY_verify_init(context.get()));
    if (digest != nullptr)
        trace.note("digest", EVP_PKEY_CTX_set_signature_md(context.get(), EVP_get_digestbyname(digest)));
    trace.note("verify", EVP_PKEY_verify(context.get(), signature.data(), signature.size(), tbs.data(), tbs.size()));
}

void digest_verify(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, const Data& signature,
                   const char* text) {
    const MdContext context(EVP_MD_CTX_new());
    if (!trace.note("init", EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, side, nullptr, key, nullptr)))
        return;
    trace.note("update", EVP_DigestVerifyUpdate(context.get(), text, std::strlen(text)));
    trace.note(std::string("final ") + text, EVP_DigestVerifyFinal(context.get(), signature.data(), signature.size()));
}

std::vector<Data> wrong_signatures(const Data& good) {
    std::vector<Data> all = {{},
                             {0x30},
                             {0x30, 0},
                             {0x30, 6, 2, 1, 1, 2, 1, 1},
                             {0x30, 6, 2, 1, 0, 2, 1, 0},
                             Data(good.size(), 0),
                             Data(good.size(), 0xff),
                             data(64, 9)};
    const auto change = [&](auto&& edit) {
        all.push_back(good);
        edit(all.back());
    };
    for (std::size_t i = 0; i < good.size(); i += good.size() / 12 + 1) change([&](Data& s) { s[i] ^= 1; });
    for (std::size_t i = 0; i < 8; ++i) change([&](Data& s) { s[i] ^= 0x80; });
    for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, good.size() / 2})
        change([&](Data& s) { s.resize(s.size() - cut); });
    change([&](Data& s) { s.push_back(0); });
    change([&](Data& s) { s.insert(s.begin(), 0); });
    // BER where DER is wanted: a length, and an integer, that are longer than they need be.
    const std::size_t header = good[1] == 0x81 ? 3 : 2;
    change([&](Data& s) {
        s[header - 1] = good[header - 1];
        s.insert(s.begin() + 1, header == 2 ? 0x81 : 0x82);
        if (header == 3) s[2] = 0;
    });
    change([&](Data& s) {
        s.insert(s.begin() + static_cast<long>(header) + 2, 0);
        s[header + 1]++;
        s[header - 1]++;
    });
    return all;
}

Data digest_sign(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, bool copied) {
    const MdContext context(EVP_MD_CTX_new()), copy(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr;
    if (!trace.note("init", EVP_DigestSignInit_ex(context.get(), &settings, digest, side, nullptr, key, nullptr)))
        return {};
    const auto set = [&](const char* value) {
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, const_cast<char*>(value), 0),
            OSSL_PARAM_construct_end()};
        trace.note(std::string("set ") + value, EVP_PKEY_CTX_set_params(settings, params));
    };
    unsigned char id[64];
    char name[64] = "";
    OSSL_PARAM ask[] = {OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, id, sizeof id),
                        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, name, sizeof name),
                        OSSL_PARAM_construct_end()};
    trace.note("update", EVP_DigestSignUpdate(context.get(), "octavo", 6));
    set("SHA512");
    set(digest == nullptr ? "SHA256" : digest);
    if (trace.note("algorithm id", EVP_PKEY_CTX_get_params(settings, ask)))
        trace.value("algorithm id", hex(Data(id, id + ask[0].return_size)) + name);
    std::size_t len = 0;
    trace.note("size", EVP_DigestSignFinal(context.get(), nullptr, &len));
    auto* from = context.get();
    if (copied && trace.note("copy", EVP_MD_CTX_copy_ex(copy.get(), context.get()))) from = copy.get();
    trace.note("update", EVP_DigestSignUpdate(from, "pus", 3));
    Data signature(len);
    if (!trace.note("final", EVP_DigestSignFinal(from, signature.data(), &len))) return {};
    signature.resize(len);
    return signature;
}

}  // namespace octavo::test
