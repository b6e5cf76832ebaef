#include <gtest/gtest.h>
#include <octavo/octavo.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support.hpp"

namespace {

using api_test::Buffer;
using api_test::View;

struct Curve {
    std::uint32_t id;
    const char* name;
    std::size_t private_len, public_len, secret_len, signature_len;
    bool weierstrass() const { return id < OCTAVO_CURVE_X25519; }
};
constexpr Curve kCurves[] = {
    {OCTAVO_CURVE_P256, "P-256", 32, 65, 32, 64},
    {OCTAVO_CURVE_P384, "P-384", 48, 97, 48, 96},
    {OCTAVO_CURVE_P521, "P-521", 66, 133, 66, 132},
    {OCTAVO_CURVE_P224, "P-224", 28, 57, 28, 56},
    {OCTAVO_CURVE_SECP256K1, "secp256k1", 32, 65, 32, 64},
    {OCTAVO_CURVE_BRAINPOOL_P256, "brainpoolP256r1", 32, 65, 32, 64},
    {OCTAVO_CURVE_BRAINPOOL_P384, "brainpoolP384r1", 48, 97, 48, 96},
    {OCTAVO_CURVE_BRAINPOOL_P512, "brainpoolP512r1", 64, 129, 64, 128},
    {OCTAVO_CURVE_X25519, "X25519", 32, 32, 32, 0},
    {OCTAVO_CURVE_X448, "X448", 56, 56, 56, 0},
    {OCTAVO_CURVE_ED25519, "ED25519", 32, 32, 0, 64},
    {OCTAVO_CURVE_ED448, "ED448", 57, 57, 0, 114},
};

Buffer hex(const std::string& digits) {
    Buffer bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
    return bytes;
}

octavo_number number(View bytes) { return {bytes.empty() ? nullptr : bytes.data(), bytes.size()}; }

/// A registered key, destroyed at the end.
class EcKey {
public:
    EcKey(const Curve& curve, View private_key, View public_key) {
        const octavo_ec_key numbers{sizeof numbers, curve.id, number(private_key), number(public_key)};
        status = octavo_key_create_ec(&numbers, &handle);
    }
    EcKey(const EcKey&) = delete;
    EcKey& operator=(const EcKey&) = delete;
    ~EcKey() {
        if (status == OCTAVO_OK) octavo_key_destroy(handle);
    }

    octavo_key handle{};
    octavo_status status;
};

struct Answer {
    octavo_status status;
    Buffer output;
};

class EachCurve : public testing::TestWithParam<std::tuple<Curve, octavo::Driver>> {
protected:
    const Curve& curve() const { return std::get<0>(GetParam()); }

    /// In place, or through the ring.
    Answer run(const EcKey& key, std::uint32_t operation, View input, bool through_ring = true) {
        Buffer output(1024);
        std::size_t len = 0;
        if (!through_ring) {
            const auto status = octavo_execute(instance_.handle(), key.handle, operation, input.data(), input.size(),
                                               output.data(), output.size(), &len);
            output.resize(len);
            return {status, output};
        }
        octavo_submission submission = OCTAVO_SUBMISSION_INIT;
        submission.key = key.handle;
        submission.operation = operation;
        submission.input = input.data();
        submission.input_len = input.size();
        octavo_request request{};
        auto status = octavo_submit(instance_.handle(), &submission, &request);
        if (status < OCTAVO_OK) return {status, {}};
        EXPECT_EQ(octavo_wait(instance_.handle(), request, UINT64_MAX), OCTAVO_OK);
        status = octavo_result(instance_.handle(), request, output.data(), output.size(), &len);
        output.resize(len);
        return {status, output};
    }
    std::pair<Buffer, Buffer> pair() {
        const EcKey parameters(curve(), {}, {});
        const auto made = run(parameters, OCTAVO_EC_GENERATE, {});
        EXPECT_EQ(made.status, OCTAVO_OK) << octavo_error_text();
        EXPECT_EQ(made.output.size(), curve().private_len + curve().public_len);
        const auto middle = made.output.begin() + static_cast<std::ptrdiff_t>(curve().private_len);
        return {Buffer(made.output.begin(), middle), Buffer(middle, made.output.end())};
    }

    octavo::Instance instance_ = api_test::make_instance(std::get<1>(GetParam()));
};

struct FreePkey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
using Pkey = std::unique_ptr<EVP_PKEY, FreePkey>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, FreePkey>;

/// The public key as OpenSSL in the default context has it.
Pkey openssl_key(const Curve& curve, View public_key) {
    if (!curve.weierstrass())
        return Pkey{EVP_PKEY_new_raw_public_key_ex(nullptr, curve.name, nullptr, public_key.data(), public_key.size())};
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve.name), 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, const_cast<std::uint8_t*>(public_key.data()),
                                          public_key.size()),
        OSSL_PARAM_construct_end()};
    const PkeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)};
    EVP_PKEY* key = nullptr;
    EVP_PKEY_fromdata_init(context.get());
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params);
    return Pkey{key};
}

bool openssl_verifies(const Curve& curve, View public_key, View message, View signature) {
    const auto key = openssl_key(curve, public_key);
    if (!curve.weierstrass()) {
        const std::unique_ptr<EVP_MD_CTX, FreePkey> context{EVP_MD_CTX_new()};
        return EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), nullptr) == 1 &&
               EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
    }
    const auto half = static_cast<int>(signature.size() / 2);
    const std::unique_ptr<ECDSA_SIG, FreePkey> pair{ECDSA_SIG_new()};
    ECDSA_SIG_set0(pair.get(), BN_bin2bn(signature.data(), half, nullptr),
                   BN_bin2bn(signature.data() + half, half, nullptr));
    unsigned char* der = nullptr;
    const int len = i2d_ECDSA_SIG(pair.get(), &der);
    const PkeyContext context{EVP_PKEY_CTX_new(key.get(), nullptr)};
    const bool good =
        EVP_PKEY_verify_init(context.get()) == 1 &&
        EVP_PKEY_verify(context.get(), der, static_cast<std::size_t>(len), message.data(), message.size()) == 1;
    OPENSSL_free(der);
    return good;
}

Buffer joined(View a, View b) {
    Buffer both(a.begin(), a.end());
    both.insert(both.end(), b.begin(), b.end());
    return both;
}

TEST_P(EachCurve, SignaturesAreTheKeys) {
    if (curve().signature_len == 0) return;
    const auto [secret, open] = pair();
    const EcKey key(curve(), secret, {}), public_key(curve(), {}, open), other(curve(), {}, pair().second);
    ASSERT_EQ(key.status, OCTAVO_OK) << octavo_error_text();
    ASSERT_EQ(public_key.status, OCTAVO_OK) << octavo_error_text();
    const bool ecdsa = curve().weierstrass();
    const auto sign = ecdsa ? OCTAVO_ECDSA_SIGN : OCTAVO_EDDSA_SIGN,
               verify = ecdsa ? OCTAVO_ECDSA_VERIFY : OCTAVO_EDDSA_VERIFY;
    for (const std::size_t len : {1, 20, 32, 48, 64}) {
        const Buffer message(len, static_cast<std::uint8_t>(len));
        const auto made = run(key, sign, message, len != 32);
        ASSERT_EQ(made.status, OCTAVO_OK) << octavo_error_text();
        ASSERT_EQ(made.output.size(), curve().signature_len);
        EXPECT_TRUE(openssl_verifies(curve(), open, message, made.output));
        EXPECT_EQ(run(public_key, verify, joined(made.output, message)).status, OCTAVO_OK);
        EXPECT_EQ(run(key, verify, joined(made.output, message), false).status, OCTAVO_OK);
        EXPECT_EQ(run(other, verify, joined(made.output, message)).status, OCTAVO_ERR_BAD_SIGNATURE);
        auto spoilt = made.output;
        spoilt[curve().signature_len / 2 + 3] ^= 1;
        EXPECT_EQ(run(public_key, verify, joined(spoilt, message)).status, OCTAVO_ERR_BAD_SIGNATURE);
        const Buffer nothing(curve().signature_len, 0);
        EXPECT_EQ(run(public_key, verify, joined(nothing, message)).status, OCTAVO_ERR_BAD_SIGNATURE);
    }
    EXPECT_EQ(run(public_key, sign, Buffer(32)).status, OCTAVO_ERR_NO_PRIVATE_KEY);
}

TEST_P(EachCurve, SecretsAreShared) {
    if (curve().secret_len == 0) return;
    const auto [ours, our_point] = pair();
    const auto [theirs, their_point] = pair();
    const EcKey our_key(curve(), ours, {}), their_key(curve(), theirs, their_point);
    const auto a = run(our_key, OCTAVO_ECDH_DERIVE, their_point),
               b = run(their_key, OCTAVO_ECDH_DERIVE, our_point, false);
    ASSERT_EQ(a.status, OCTAVO_OK) << octavo_error_text();
    ASSERT_EQ(b.status, OCTAVO_OK) << octavo_error_text();
    EXPECT_EQ(a.output.size(), curve().secret_len);
    EXPECT_EQ(a.output, b.output);
    EXPECT_NE(a.output, run(our_key, OCTAVO_ECDH_DERIVE, our_point).output);
    if (!curve().weierstrass()) {
        EXPECT_EQ(run(our_key, OCTAVO_ECDH_DERIVE, Buffer(curve().public_len, 0)).status, OCTAVO_ERR_BAD_POINT);
        return;
    }
    auto compressed = their_point;
    compressed.resize(1 + curve().private_len);
    compressed[0] = static_cast<std::uint8_t>(2 + their_point.back() % 2);
    EXPECT_EQ(run(our_key, OCTAVO_ECDH_DERIVE, compressed).output, a.output);
    auto spoilt = their_point;
    spoilt.back() ^= 1;
    EXPECT_EQ(run(our_key, OCTAVO_ECDH_DERIVE, spoilt).status, OCTAVO_ERR_BAD_POINT);
    EXPECT_EQ(run(our_key, OCTAVO_ECDH_DERIVE, spoilt, false).status, OCTAVO_ERR_BAD_POINT);
}

TEST_P(EachCurve, BadNumbersAreNamed) {
    const auto [secret, open] = pair();
    Buffer zero(curve().private_len, 0), all(curve().private_len, 0xFF), longer(curve().private_len + 1, 1);
    EXPECT_EQ(EcKey(curve(), longer, {}).status, OCTAVO_ERR_KEY_PRIVATE);
    EXPECT_NE(std::string(octavo_error_text()).find("private_key"), std::string::npos);
    auto short_point = open;
    short_point.pop_back();
    EXPECT_EQ(EcKey(curve(), {}, short_point).status, OCTAVO_ERR_KEY_PUBLIC);
    EXPECT_NE(std::string(octavo_error_text()).find("public_key"), std::string::npos);
    if (curve().weierstrass()) {
        EXPECT_EQ(EcKey(curve(), zero, {}).status, OCTAVO_ERR_KEY_PRIVATE);
        EXPECT_EQ(EcKey(curve(), all, {}).status, OCTAVO_ERR_KEY_PRIVATE);
        auto off_curve = open;
        off_curve[5] ^= 1;
        EXPECT_EQ(EcKey(curve(), {}, off_curve).status, OCTAVO_ERR_KEY_PUBLIC);
    }
    octavo_ec_key lying{sizeof lying, curve().id, {nullptr, 5}, {nullptr, 0}};
    octavo_key handle{7};
    EXPECT_EQ(octavo_key_create_ec(&lying, &handle), OCTAVO_ERR_KEY_PRIVATE);
    EXPECT_EQ(handle.id, 0U);
}

TEST_P(EachCurve, BadRequestsAreNamed) {
    const auto [secret, open] = pair();
    const EcKey key(curve(), secret, open), parameters(curve(), {}, {});
    EXPECT_EQ(run(key, OCTAVO_RSA_PUBLIC, Buffer(32)).status, OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_EQ(run(key, 99, Buffer(32)).status, OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_EQ(run(key, OCTAVO_EC_GENERATE, Buffer(1)).status, OCTAVO_ERR_BAD_LENGTH);
    if (curve().weierstrass()) {
        EXPECT_EQ(run(key, OCTAVO_ECDSA_SIGN, {}).status, OCTAVO_ERR_BAD_LENGTH);
        EXPECT_EQ(run(key, OCTAVO_ECDSA_SIGN, Buffer(65)).status, OCTAVO_ERR_BAD_LENGTH);
        EXPECT_EQ(run(key, OCTAVO_ECDSA_VERIFY, Buffer(curve().signature_len)).status, OCTAVO_ERR_BAD_LENGTH);
        EXPECT_EQ(run(key, OCTAVO_ECDSA_VERIFY, Buffer(3)).status, OCTAVO_ERR_BAD_LENGTH);
        EXPECT_EQ(run(parameters, OCTAVO_ECDSA_SIGN, Buffer(32)).status, OCTAVO_ERR_NO_PRIVATE_KEY);
        EXPECT_EQ(run(key, OCTAVO_EDDSA_SIGN, Buffer(32)).status, OCTAVO_ERR_BAD_ARGUMENT);
    }
    if (curve().secret_len > 0) {
        EXPECT_EQ(run(key, OCTAVO_ECDH_DERIVE, Buffer(3)).status, OCTAVO_ERR_BAD_LENGTH);
    }
    std::size_t len = 1;
    EXPECT_EQ(octavo_key_output_length(key.handle, OCTAVO_EC_GENERATE, &len), OCTAVO_OK);
    EXPECT_EQ(len, curve().private_len + curve().public_len);
    EXPECT_EQ(octavo_key_output_length(key.handle, OCTAVO_RSA_PRIVATE, &len), OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_EQ(octavo_key_length(key.handle, &len), OCTAVO_ERR_BAD_ARGUMENT);
}

/// Many in flight at once, all different: what one batch holds must not reach into another's.
class Crowd : public EachCurve {
protected:
    struct Member {
        Buffer secret, open, message;
        std::unique_ptr<EcKey> key;
    };
    static constexpr std::size_t kMembers = 43;  // no multiple of any batch

    void SetUp() override {
        const EcKey parameters(curve(), {}, {});
        std::vector<octavo_key> keys(kMembers, parameters.handle);
        const auto made = run_all(keys, OCTAVO_EC_GENERATE, std::vector<Buffer>(kMembers));
        for (const auto& one : made) {
            ASSERT_EQ(one.status, OCTAVO_OK);
            const auto middle = one.output.begin() + static_cast<std::ptrdiff_t>(curve().private_len);
            Member member{{one.output.begin(), middle}, {middle, one.output.end()}, Buffer(32), nullptr};
            member.message[0] = static_cast<std::uint8_t>(members_.size());
            member.key = std::make_unique<EcKey>(curve(), member.secret, member.open);
            ASSERT_EQ(member.key->status, OCTAVO_OK) << octavo_error_text();
            members_.push_back(std::move(member));
        }
    }
    std::vector<Answer> run_all(const std::vector<octavo_key>& keys, std::uint32_t operation,
                                const std::vector<Buffer>& inputs) {
        std::vector<octavo_request> requests(keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i) {
            octavo_submission submission = OCTAVO_SUBMISSION_INIT;
            submission.key = keys[i];
            submission.operation = operation;
            submission.input = inputs[i].data();
            submission.input_len = inputs[i].size();
            EXPECT_GE(octavo_submit(instance_.handle(), &submission, &requests[i]), OCTAVO_OK) << octavo_error_text();
        }
        std::vector<Answer> answers;
        for (const auto request : requests) {
            Buffer output(512);
            std::size_t len = 0;
            EXPECT_EQ(octavo_wait(instance_.handle(), request, UINT64_MAX), OCTAVO_OK);
            const auto status = octavo_result(instance_.handle(), request, output.data(), output.size(), &len);
            output.resize(len);
            answers.push_back({status, output});
        }
        return answers;
    }
    std::vector<octavo_key> keys() const {
        std::vector<octavo_key> all;
        for (const auto& member : members_) all.push_back(member.key->handle);
        return all;
    }

    std::vector<Member> members_;
};

TEST_P(Crowd, PairsAreDifferentAndBelongTogether) {
    std::set<Buffer> secrets;
    for (const auto& member : members_) {
        EXPECT_TRUE(secrets.insert(member.secret).second);
        const EcKey alone(curve(), member.secret, {});
        if (curve().secret_len > 0) {
            const EcKey peer(curve(), members_[0].secret, {});
            EXPECT_EQ(run(alone, OCTAVO_ECDH_DERIVE, members_[0].open, false).output,
                      run(peer, OCTAVO_ECDH_DERIVE, member.open, false).output);
        }
    }
}

TEST_P(Crowd, SignsAndVerifies) {
    if (curve().signature_len == 0) return;
    const bool ecdsa = curve().weierstrass();
    std::vector<Buffer> messages, pairs;
    for (const auto& member : members_) messages.push_back(member.message);
    const auto signatures = run_all(keys(), ecdsa ? OCTAVO_ECDSA_SIGN : OCTAVO_EDDSA_SIGN, messages);
    for (std::size_t i = 0; i < kMembers; ++i) {
        ASSERT_EQ(signatures[i].status, OCTAVO_OK);
        EXPECT_TRUE(openssl_verifies(curve(), members_[i].open, messages[i], signatures[i].output)) << i;
        pairs.push_back(joined(signatures[i].output, messages[i]));
        if (i % 3 == 0) pairs[i][curve().signature_len] ^= 1;
    }
    const auto verdicts = run_all(keys(), ecdsa ? OCTAVO_ECDSA_VERIFY : OCTAVO_EDDSA_VERIFY, pairs);
    for (std::size_t i = 0; i < kMembers; ++i)
        EXPECT_EQ(verdicts[i].status, i % 3 == 0 ? OCTAVO_ERR_BAD_SIGNATURE : OCTAVO_OK) << i;
}

TEST_P(Crowd, Derives) {
    if (curve().secret_len == 0) return;
    std::vector<Buffer> peers;
    for (std::size_t i = 0; i < kMembers; ++i) peers.push_back(members_[(i + 1) % kMembers].open);
    peers[5] = curve().weierstrass() ? peers[5] : Buffer(curve().public_len, 0);
    if (curve().weierstrass()) peers[5].back() ^= 1;
    if (curve().weierstrass()) {
        peers[7].resize(1 + curve().private_len);
        peers[7][0] = static_cast<std::uint8_t>(2 + members_[8].open.back() % 2);
    }
    const auto secrets = run_all(keys(), OCTAVO_ECDH_DERIVE, peers);
    for (std::size_t i = 0; i < kMembers; ++i) {
        if (i == 5) {
            EXPECT_EQ(secrets[i].status, OCTAVO_ERR_BAD_POINT);
            continue;
        }
        const auto& other = members_[(i + 1) % kMembers];
        ASSERT_EQ(secrets[i].status, OCTAVO_OK) << i;
        EXPECT_EQ(secrets[i].output, run(*other.key, OCTAVO_ECDH_DERIVE, members_[i].open, false).output) << i;
    }
}

TEST_P(Crowd, TakesTheLanesWhereThereAreAny) {
    const std::string name = curve().name;
    const bool has_lanes = name == "P-256" || name == "P-384" || name == "X25519" || name == "ED25519";
    std::uint64_t lanes = api_test::statistics_of(instance_.handle()).lane_requests;
    if (!api_test::has_lanes()) GTEST_SKIP() << api_test::kNoLanes;
    EXPECT_EQ(lanes > 0, has_lanes) << "of the key pairs";
}

INSTANTIATE_TEST_SUITE_P(Ec, Crowd,
                         testing::Combine(testing::ValuesIn(kCurves), testing::ValuesIn(api_test::kAllDrivers)),
                         [](const auto& test) {
                             std::string name = std::get<0>(test.param).name;
                             std::erase(name, '-');
                             return name + "_" + std::to_string(static_cast<int>(std::get<1>(test.param)));
                         });

/// Two signatures of one message under different public keys give the scalar away.
TEST(Ec, AnEdwardsKeyHasItsOwnPublicKey) {
    for (const auto& curve : {kCurves[10], kCurves[11]}) {
        const EcKey wrong(curve, Buffer(curve.private_len, 9), Buffer(curve.public_len, 7));
        EXPECT_EQ(wrong.status, OCTAVO_ERR_KEY_PUBLIC);
    }
}

TEST(Ec, LongMessagesAreForExecute) {
    const auto instance = api_test::make_instance();
    const EcKey key(kCurves[10], Buffer(32, 9), {});
    const Buffer message(5000, 3);
    Buffer signature(64);
    std::size_t len = 0;
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    submission.key = key.handle;
    submission.operation = OCTAVO_EDDSA_SIGN;
    submission.input = message.data();
    submission.input_len = message.size();
    octavo_request request{};
    EXPECT_EQ(octavo_submit(instance.handle(), &submission, &request), OCTAVO_ERR_BAD_LENGTH);
    EXPECT_EQ(octavo_execute(instance.handle(), key.handle, OCTAVO_EDDSA_SIGN, message.data(), message.size(),
                             signature.data(), signature.size(), &len),
              OCTAVO_OK);
}

/// RFC 7748, 6.1.
TEST(Ec, X25519OfTheStandard) {
    const auto instance = api_test::make_instance();
    const EcKey alice(kCurves[8], hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"), {});
    const auto bob = hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    Buffer secret(32);
    std::size_t len = 0;
    ASSERT_EQ(alice.status, OCTAVO_OK);
    ASSERT_EQ(octavo_execute(instance.handle(), alice.handle, OCTAVO_ECDH_DERIVE, bob.data(), bob.size(), secret.data(),
                             secret.size(), &len),
              OCTAVO_OK);
    EXPECT_EQ(secret, hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"));
}

INSTANTIATE_TEST_SUITE_P(Ec, EachCurve,
                         testing::Combine(testing::ValuesIn(kCurves), testing::ValuesIn(api_test::kAllDrivers)),
                         [](const auto& test) {
                             std::string name = std::get<0>(test.param).name;
                             std::erase(name, '-');
                             return name + "_" + std::to_string(static_cast<int>(std::get<1>(test.param)));
                         });

}  // namespace
