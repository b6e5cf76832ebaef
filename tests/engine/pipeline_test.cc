// Pipelines of the engine's AES-CBC-HMAC ciphers: what they seal, the default provider opens, record by record.
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <array>

#include "curve_keys.hpp"
#include "gcm_session.hpp"
#include "support.hpp"

namespace octavo::test {
namespace {

struct Kind {
    const char* name;
    const EVP_CIPHER* (*cipher)();
    std::size_t key_len, mac_len;
};
constexpr Kind kKinds[] = {
    {"AES-128-CBC-HMAC-SHA1", EVP_aes_128_cbc_hmac_sha1, 16, 20},
    {"AES-256-CBC-HMAC-SHA1", EVP_aes_256_cbc_hmac_sha1, 32, 20},
    {"AES-128-CBC-HMAC-SHA256", EVP_aes_128_cbc_hmac_sha256, 16, 32},
    {"AES-256-CBC-HMAC-SHA256", EVP_aes_256_cbc_hmac_sha256, 32, 32},
};
constexpr std::size_t kIvLen = 16;

CipherContext make(const Kind& kind, ENGINE* engine, int encrypts) {
    CipherContext context(EVP_CIPHER_CTX_new());
    const auto key = data(kind.key_len, 1), iv = data(kIvLen, 2);
    auto mac_key = data(kind.mac_len, 3);
    EXPECT_EQ(EVP_CipherInit_ex(context.get(), kind.cipher(), engine, key.data(), iv.data(), encrypts), 1);
    EXPECT_EQ(
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_MAC_KEY, static_cast<int>(mac_key.size()), mac_key.data()),
        1);
    return context;
}

std::array<std::uint8_t, 13> header(std::size_t number, std::size_t len, int version = 0x0303) {
    return {0,
            0,
            0,
            0,
            0,
            0,
            0,
            static_cast<std::uint8_t>(number),
            23,
            static_cast<std::uint8_t>(version >> 8),
            static_cast<std::uint8_t>(version),
            static_cast<std::uint8_t>(len >> 8),
            static_cast<std::uint8_t>(len)};
}

/// A record before it is sealed: explicit IV and text, and room for what is added.
Data prepare(CipherContext& context, std::size_t number, std::size_t text_len) {
    auto aad = header(number, kIvLen + text_len);
    const int pad = EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_TLS1_AAD, 13, aad.data());
    EXPECT_GT(pad, 0);
    auto record = data(kIvLen + text_len, static_cast<unsigned>(100 + number));
    record.resize(record.size() + static_cast<std::size_t>(pad));
    return record;
}

bool run_pipeline(CipherContext& context, std::vector<Data>& in, std::vector<Data>& out) {
    std::vector<unsigned char*> inputs, outputs;
    std::vector<std::size_t> lengths;
    for (std::size_t i = 0; i < in.size(); ++i) {
        inputs.push_back(in[i].data());
        outputs.push_back(out[i].data());
        lengths.push_back(in[i].size());
    }
    const int count = static_cast<int>(in.size());
    EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_SET_PIPELINE_OUTPUT_BUFS, count, outputs.data()), 1);
    EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_SET_PIPELINE_INPUT_BUFS, count, inputs.data()), 1);
    EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_SET_PIPELINE_INPUT_LENS, count, lengths.data()), 1);
    return EVP_Cipher(context.get(), outputs[0], inputs[0], static_cast<unsigned>(lengths[0])) == 1;
}

/// The default provider opens it, with its MAC and padding checked.
void expect_opens(CipherContext& opener, std::size_t number, Data record, const Data& text) {
    auto aad = header(number, record.size());
    ASSERT_GT(EVP_CIPHER_CTX_ctrl(opener.get(), EVP_CTRL_AEAD_TLS1_AAD, 13, aad.data()), 0);
    int len = 0;
    ASSERT_EQ(EVP_CipherUpdate(opener.get(), record.data(), &len, record.data(), static_cast<int>(record.size())), 1)
        << number;
    EXPECT_EQ(Data(record.begin() + kIvLen, record.begin() + static_cast<std::ptrdiff_t>(kIvLen + text.size())), text);
}

class Pipeline : public testing::TestWithParam<Kind> {};

TEST_P(Pipeline, seals_what_the_default_provider_opens) {
    ASSERT_EQ(ENGINE_ctrl_cmd_string(engine(), "SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD",
                                     (std::string(GetParam().name) + ":0").c_str(), 0),
              1);
    auto sealer = make(GetParam(), engine(), 1);
    auto opener = make(GetParam(), nullptr, 0);
    for (const std::size_t count : {1, 2, 5, 6, 7, 8, 9, 10, 15, 16, 17, 20, 25, 32}) {
        SCOPED_TRACE(count);
        std::vector<Data> records;
        for (std::size_t i = 0; i < count; ++i) records.push_back(prepare(sealer, i, i * 37 % 300 + i % 3 * 16));
        const auto before = records;
        auto apart = records;
        auto& out = count % 2 == 0 ? records : apart;
        ASSERT_TRUE(run_pipeline(sealer, records, out));
        for (std::size_t i = 0; i < count; ++i) {
            const auto text_len = i * 37 % 300 + i % 3 * 16;
            EXPECT_NE(Data(out[i].begin(), out[i].begin() + kIvLen),
                      Data(before[i].begin(), before[i].begin() + kIvLen));
            expect_opens(
                opener, i, out[i],
                Data(before[i].begin() + kIvLen, before[i].begin() + static_cast<std::ptrdiff_t>(kIvLen + text_len)));
        }
    }
}

TEST_P(Pipeline, of_equal_records_has_different_ivs) {
    auto sealer = make(GetParam(), engine(), 1);
    std::set<std::string> ivs;
    for (int turn = 0; turn < 2; ++turn) {
        std::vector<Data> records;
        for (std::size_t i = 0; i < 16; ++i) {
            records.push_back(prepare(sealer, 0, 3000));
            std::fill(records.back().begin(), records.back().end(), 0);
        }
        ASSERT_TRUE(run_pipeline(sealer, records, records));
        for (const auto& record : records) ivs.insert(hex(Data(record.begin(), record.begin() + kIvLen)));
    }
    EXPECT_EQ(ivs.size(), 32U) << "a caller's IVs need not be random";
}

TEST_P(Pipeline, small_records_are_openssls) {
    const std::string name = GetParam().name;
    const auto seal_with = [&](const std::string& threshold) {
        EXPECT_EQ(ENGINE_ctrl_cmd_string(engine(), "SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD",
                                         (name + threshold).c_str(), 0),
                  1);
        auto sealer = make(GetParam(), engine(), 1);
        std::vector<Data> records;
        for (std::size_t i = 0; i < 16; ++i) records.push_back(prepare(sealer, i, 500));
        EXPECT_TRUE(run_pipeline(sealer, records, records));
        return records;
    };
    auto plain = make(GetParam(), nullptr, 1);
    const auto lanes = seal_with(":0"), own = seal_with(":2048");
    bool all_lanes = true;
    for (std::size_t i = 0; i < 16; ++i) {
        auto record = prepare(plain, i, 500);
        int len = 0;
        ASSERT_EQ(EVP_CipherUpdate(plain.get(), record.data(), &len, record.data(), static_cast<int>(record.size())),
                  1);
        EXPECT_EQ(own[i], record) << "not what OpenSSL makes, one after another";
        all_lanes = all_lanes && (i == 0 || lanes[i] != record);
    }
    EXPECT_EQ(all_lanes, cpu_has_wide_aes());
    if (!all_lanes)
        std::fprintf(stderr, "*** NOT TESTED: pipelines by libipsec-mb, which this CPU is not made for ***\n");
}

TEST_P(Pipeline, longer_than_records_are_openssls) {
    auto sealer = make(GetParam(), engine(), 1), plain = make(GetParam(), nullptr, 1);
    for (const std::size_t text_len : {18500, 40000, 65510}) {
        std::vector<Data> records;
        for (std::size_t i = 0; i < 16; ++i) records.push_back(prepare(sealer, i, text_len));
        ASSERT_TRUE(run_pipeline(sealer, records, records));
        for (std::size_t i = 0; i < 16; ++i) {
            auto record = prepare(plain, i, text_len);
            int len = 0;
            ASSERT_EQ(
                EVP_CipherUpdate(plain.get(), record.data(), &len, record.data(), static_cast<int>(record.size())), 1);
            EXPECT_EQ(records[i], record) << text_len;
        }
    }
}

TEST_P(Pipeline, a_new_key_forgets_the_macs) {
    const auto prepare_context = [](ENGINE* side) {
        auto context = make(GetParam(), side, 1);
        const auto key = data(GetParam().key_len, 1), iv = data(kIvLen, 2);
        auto mac_key = data(GetParam().mac_len, 30);
        EXPECT_EQ(EVP_CipherInit_ex(context.get(), nullptr, nullptr, key.data(), iv.data(), 0), 1);
        EXPECT_EQ(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_MAC_KEY, static_cast<int>(mac_key.size()),
                                      mac_key.data()),
                  1);
        EXPECT_EQ(EVP_CipherInit_ex(context.get(), nullptr, nullptr, key.data(), iv.data(), 1), 1);
        return context;
    };
    auto ours = prepare_context(engine()), plain = prepare_context(nullptr);
    std::vector<Data> records;
    for (std::size_t i = 0; i < 16; ++i) records.push_back(prepare(ours, i, 3000));
    ASSERT_TRUE(run_pipeline(ours, records, records));
    for (std::size_t i = 0; i < 16; ++i) {
        auto record = prepare(plain, i, 3000);
        int len = 0;
        ASSERT_EQ(EVP_CipherUpdate(plain.get(), record.data(), &len, record.data(), static_cast<int>(record.size())),
                  1);
        EXPECT_EQ(records[i], record);
    }
}

TEST_P(Pipeline, a_context_turned_to_opening_seals_nothing) {
    auto context = make(GetParam(), engine(), 1);
    std::vector<Data> records;
    for (std::size_t i = 0; i < 16; ++i) records.push_back(prepare(context, i, 3000));
    ASSERT_EQ(EVP_CipherInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, 0), 1);
    EXPECT_FALSE(run_pipeline(context, records, records));
}

TEST_P(Pipeline, alone_records_and_wrong_pipelines_are_openssls_to_judge) {
    auto sealer = make(GetParam(), engine(), 1), plain = make(GetParam(), nullptr, 1);
    for (std::size_t i = 0; i < 3; ++i) {
        auto ours = prepare(sealer, i, 1000 * i), theirs = prepare(plain, i, 1000 * i);
        int len = 0;
        ASSERT_EQ(EVP_CipherUpdate(sealer.get(), ours.data(), &len, ours.data(), static_cast<int>(ours.size())), 1);
        ASSERT_EQ(EVP_CipherUpdate(plain.get(), theirs.data(), &len, theirs.data(), static_cast<int>(theirs.size())),
                  1);
        EXPECT_EQ(ours, theirs);
    }
    std::vector<Data> records(16, prepare(sealer, 0, 3000));
    EXPECT_FALSE(run_pipeline(sealer, records, records)) << "one header for sixteen records";
    for (auto& record : records) record = prepare(sealer, 0, 3000);
    records[7].resize(records[7].size() + 16);
    EXPECT_FALSE(run_pipeline(sealer, records, records)) << "a length that does not go with its header";
    for (const int count : {0, -1, 33})
        EXPECT_NE(EVP_CIPHER_CTX_ctrl(sealer.get(), EVP_CTRL_SET_PIPELINE_OUTPUT_BUFS, count, nullptr), 1);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Pipeline, testing::ValuesIn(kKinds), [](const auto& kind) {
    std::string name = kind.param.name;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

}  // namespace
}  // namespace octavo::test
