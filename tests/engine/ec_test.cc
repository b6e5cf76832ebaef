#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <algorithm>

#include "provider/shim.hpp"
#include "support.hpp"

namespace octavo::test {
namespace {

using Key = std::unique_ptr<EC_KEY, decltype(&EC_KEY_free)>;
using Signature = std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)>;

constexpr int kCurves[] = {NID_X9_62_prime256v1, NID_secp384r1,       NID_secp521r1,       NID_secp224r1,
                           NID_secp256k1,        NID_brainpoolP256r1, NID_brainpoolP384r1, NID_brainpoolP512r1,
                           NID_brainpoolP320r1,  NID_X9_62_prime192v1};

Key object(int nid, ENGINE* engine, bool generate = true) {
    Key key(EC_KEY_new_method(engine), EC_KEY_free);
    const std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group(EC_GROUP_new_by_curve_name(nid), EC_GROUP_free);
    EC_KEY_set_group(key.get(), group.get());
    if (generate) {
        EXPECT_EQ(EC_KEY_generate_key(key.get()), 1);
    }
    return key;
}

/// The same numbers on another side.
Key copy(const EC_KEY* from, ENGINE* engine) {
    auto to = object(EC_GROUP_get_curve_name(EC_KEY_get0_group(from)), engine, false);
    if (EC_KEY_get0_private_key(from) != nullptr) EC_KEY_set_private_key(to.get(), EC_KEY_get0_private_key(from));
    EC_KEY_set_public_key(to.get(), EC_KEY_get0_public_key(from));
    return to;
}

class EcMethod : public testing::TestWithParam<int> {};

TEST_P(EcMethod, SignsWhatOpenSslVerifies) {
    const auto made = object(GetParam(), nullptr);
    compare(OBJ_nid2sn(GetParam()), [&](Trace& trace, ENGINE* side) {
        const auto key = copy(made.get(), side);
        for (const int len : {1, 20, 32, 48, 64, 65, 100}) {
            const auto digest = data(static_cast<std::size_t>(len), 7);
            Data der(static_cast<std::size_t>(ECDSA_size(key.get())));
            unsigned der_len = 0;
            trace.note("sign", ECDSA_sign(0, digest.data(), len, der.data(), &der_len, key.get()));
            trace.note("verify",
                       ECDSA_verify(0, digest.data(), len, der.data(), static_cast<int>(der_len), made.get()));
            const Signature pair(ECDSA_do_sign(digest.data(), len, key.get()), ECDSA_SIG_free);
            trace.note("a pair verifies", ECDSA_do_verify(digest.data(), len, pair.get(), made.get()));
        }
    });
}

TEST_P(EcMethod, VerifiesWhatOpenSslSigned) {
    const auto made = object(GetParam(), nullptr);
    const auto digest = data(32, 7), other = data(32, 8);
    Data der(static_cast<std::size_t>(ECDSA_size(made.get())));
    unsigned len = 0;
    ASSERT_EQ(ECDSA_sign(0, digest.data(), 32, der.data(), &len, made.get()), 1);
    der.resize(len);
    const Signature pair(ECDSA_do_sign(digest.data(), 32, made.get()), ECDSA_SIG_free);
    compare(OBJ_nid2sn(GetParam()), [&](Trace& trace, ENGINE* side) {
        const auto key = copy(made.get(), side);
        const auto verify = [&](const char* what, const Data& of, const Data& sig) {
            trace.note(what, ECDSA_verify(0, of.data(), 32, sig.data(), static_cast<int>(sig.size()), key.get()));
        };
        verify("right", digest, der);
        verify("another digest", other, der);
        for (std::size_t i = 0; i < der.size(); ++i) {
            auto wrong = der;
            wrong[i] ^= 0x41;
            verify("a changed byte", digest, wrong);
        }
        verify("no signature", digest, {});
        verify("cut off", digest, {der.begin(), der.end() - 1});
        trace.note("pair", ECDSA_do_verify(digest.data(), 32, pair.get(), key.get()));
        trace.note("pair, another digest", ECDSA_do_verify(other.data(), 32, pair.get(), key.get()));
        BIGNUM *r = BN_dup(ECDSA_SIG_get0_r(pair.get())), *s = BN_dup(ECDSA_SIG_get0_s(pair.get()));
        BN_set_negative(s, 1);
        const Signature negative(ECDSA_SIG_new(), ECDSA_SIG_free);
        ECDSA_SIG_set0(negative.get(), r, s);
        trace.note("negative", ECDSA_do_verify(digest.data(), 32, negative.get(), key.get()));
    });
}

TEST_P(EcMethod, DerivesTheSameSecret) {
    const auto made = object(GetParam(), nullptr), peer = object(GetParam(), nullptr);
    compare(OBJ_nid2sn(GetParam()), [&](Trace& trace, ENGINE* side) {
        const auto key = copy(made.get(), side);
        const auto* group = EC_KEY_get0_group(key.get());
        Data secret(66);
        const auto derive = [&](const char* what, const EC_POINT* point) {
            std::fill(secret.begin(), secret.end(), std::uint8_t{0});
            trace.note(what, ECDH_compute_key(secret.data(), secret.size(), point, key.get(), nullptr));
            trace.value("secret", std::string(secret.begin(), secret.end()));
        };
        derive("derive", EC_KEY_get0_public_key(peer.get()));
        const std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)> infinity(EC_POINT_new(group), EC_POINT_free);
        derive("from infinity", infinity.get());
    });
}

TEST_P(EcMethod, GeneratesGoodPairs) {
    compare(OBJ_nid2sn(GetParam()), [&](Trace& trace, ENGINE* side) {
        const auto one = object(GetParam(), side), two = object(GetParam(), side);
        trace.note("check", EC_KEY_check_key(one.get()));
        trace.note("different", BN_cmp(EC_KEY_get0_private_key(one.get()), EC_KEY_get0_private_key(two.get())) != 0);
        const Key again(EC_KEY_dup(one.get()), EC_KEY_free);
        trace.note("generate again", EC_KEY_generate_key(again.get()));
        trace.note("check again", EC_KEY_check_key(again.get()));
        // A copy of the key is a key of its own.
        const auto digest = data(32, 1);
        Data der(static_cast<std::size_t>(ECDSA_size(one.get())));
        unsigned len = 0;
        trace.note("sign", ECDSA_sign(0, digest.data(), 32, der.data(), &len, one.get()));
        EC_KEY_copy(one.get(), two.get());
        trace.note("sign", ECDSA_sign(0, digest.data(), 32, der.data(), &len, one.get()));
        trace.note("verify", ECDSA_verify(0, digest.data(), 32, der.data(), static_cast<int>(len), two.get()));
    });
}

TEST_P(EcMethod, AKeyWithoutNumbersIsRefused) {
    compare(OBJ_nid2sn(GetParam()), [&](Trace& trace, ENGINE* side) {
        const auto empty = object(GetParam(), side, false), peer = object(GetParam(), nullptr);
        const auto digest = data(32, 1);
        Data der(static_cast<std::size_t>(ECDSA_size(empty.get())));
        unsigned len = 0;
        trace.note("sign", ECDSA_sign(0, digest.data(), 32, der.data(), &len, empty.get()));
        trace.note("verify", ECDSA_verify(0, digest.data(), 32, der.data(), 9, empty.get()));
        Data secret(66);
        trace.note("derive", ECDH_compute_key(secret.data(), secret.size(), EC_KEY_get0_public_key(peer.get()),
                                              empty.get(), nullptr));
    });
}

INSTANTIATE_TEST_SUITE_P(Curves, EcMethod, testing::ValuesIn(kCurves),
                         [](const auto& curve) { return std::string(OBJ_nid2sn(curve.param)); });

/// A group that bears a curve's name and is not the curve: another generator.
TEST(EcMethodOf, AnotherGeneratorIsAnotherCurve) {
    const auto made = object(NID_X9_62_prime256v1, nullptr);
    compare("another generator", [&](Trace& trace, ENGINE* side) {
        const std::unique_ptr<EC_GROUP, decltype(&EC_GROUP_free)> group(
            EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), EC_GROUP_free);
        const std::unique_ptr<EC_POINT, decltype(&EC_POINT_free)> point(EC_POINT_new(group.get()), EC_POINT_free);
        EC_POINT_dbl(group.get(), point.get(), EC_GROUP_get0_generator(group.get()), nullptr);
        EC_GROUP_set_generator(group.get(), point.get(), EC_GROUP_get0_order(group.get()), BN_value_one());
        const Key key(EC_KEY_new_method(side), EC_KEY_free), other(EC_KEY_new(), EC_KEY_free);
        EC_KEY_set_group(key.get(), group.get());
        EC_KEY_set_group(other.get(), group.get());
        trace.note("generate", EC_KEY_generate_key(key.get()));
        EC_KEY_set_public_key(other.get(), EC_KEY_get0_public_key(key.get()));
        const auto digest = data(32, 1);
        Data der(72);
        unsigned len = 0;
        trace.note("sign", ECDSA_sign(0, digest.data(), 32, der.data(), &len, key.get()));
        trace.note("verify", ECDSA_verify(0, digest.data(), 32, der.data(), static_cast<int>(len), other.get()));
    });
}

Pkey raw_pair(int nid, ENGINE* side) {
    const PkeyContext context(EVP_PKEY_CTX_new_id(nid, side));
    EVP_PKEY* key = nullptr;
    EXPECT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
    EXPECT_EQ(EVP_PKEY_keygen(context.get(), &key), 1);
    return Pkey(key);
}

Data raw(EVP_PKEY* key, bool secret) {
    Data bytes(56);
    auto len = bytes.size();
    EXPECT_EQ((secret ? EVP_PKEY_get_raw_private_key : EVP_PKEY_get_raw_public_key)(key, bytes.data(), &len), 1);
    bytes.resize(len);
    return bytes;
}

TEST(MontgomeryMethod, DerivesTheSameSecret) {
    for (const int nid : {NID_X25519, NID_X448}) {
        // Legacy keys on both sides: an engine's context takes no others.
        const auto one = raw_pair(nid, engine()), two = raw_pair(nid, engine());
        const Pkey plain_one(
            EVP_PKEY_new_raw_private_key(nid, nullptr, raw(one.get(), true).data(), raw(one.get(), true).size()));
        const Pkey plain_two(
            EVP_PKEY_new_raw_public_key(nid, nullptr, raw(two.get(), false).data(), raw(two.get(), false).size()));
        Data zero(raw(two.get(), false).size());
        const Pkey plain_zero(EVP_PKEY_new_raw_public_key(nid, nullptr, zero.data(), zero.size()));
        const auto bad = raw_pair(nid, engine());
        ASSERT_EQ(EVP_PKEY_set1_encoded_public_key(bad.get(), zero.data(), zero.size()), 1);
        compare(OBJ_nid2sn(nid), [&](Trace& trace, ENGINE* side) {
            auto* own = side == nullptr ? plain_one.get() : one.get();
            for (auto* peer :
                 {side == nullptr ? plain_two.get() : two.get(), side == nullptr ? plain_zero.get() : bad.get()}) {
                const PkeyContext context(EVP_PKEY_CTX_new(own, side));
                trace.note("init", EVP_PKEY_derive_init(context.get()));
                trace.note("peer", EVP_PKEY_derive_set_peer(context.get(), peer));
                Data secret(56);
                auto len = secret.size();
                trace.note("length", EVP_PKEY_derive(context.get(), nullptr, &len));
                trace.value("length", std::to_string(len));
                len = secret.size();
                trace.value("derived", std::to_string(EVP_PKEY_derive(context.get(), secret.data(), &len) == 1));
                ERR_clear_error();
                trace.value("secret", std::string(secret.begin(), secret.end()));
            }
        });
    }
}

Data public_of(int nid, const Data& secret) {
    const Pkey key(EVP_PKEY_new_raw_private_key(nid, nullptr, secret.data(), secret.size()));
    return raw(key.get(), false);
}

TEST(RawKeyMethod, GeneratesGoodPairs) {
    shim::takes_all = true;
    for (const int nid : {NID_X25519, NID_X448, NID_ED25519})
        compare(OBJ_nid2sn(nid), [&](Trace& trace, ENGINE* side) {
            const auto one = raw_pair(nid, side), two = raw_pair(nid, side);
            trace.note("different", raw(one.get(), true) != raw(two.get(), true));
            trace.note("halves fit", raw(one.get(), false) == public_of(nid, raw(one.get(), true)));
            trace.value("type", OBJ_nid2sn(EVP_PKEY_get_id(one.get())));
            const Pkey copy(EVP_PKEY_dup(one.get()));
            trace.note("copy", raw(copy.get(), true) == raw(one.get(), true));
            trace.note("equal", EVP_PKEY_eq(copy.get(), one.get()));
        });
    shim::takes_all = false;
}

TEST(RawKeyMethod, PairsOfAllOriginsMeet) {
    shim::takes_all = true;
    const auto derive = [](EVP_PKEY* own, EVP_PKEY* peer, ENGINE* side) {
        const PkeyContext context(EVP_PKEY_CTX_new(own, side));
        Data secret(32);
        auto len = secret.size();
        EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
        EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), peer), 1);
        EXPECT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &len), 1);
        return secret;
    };
    in_async_job([&] {
        const auto ours = raw_pair(NID_X25519, engine()), plain = raw_pair(NID_X25519, nullptr);
        const auto bytes = raw(plain.get(), true);
        const Pkey older(EVP_PKEY_new_raw_private_key(NID_X25519, engine(), bytes.data(), bytes.size()));
        const auto expected = derive(ours.get(), plain.get(), nullptr);
        EXPECT_EQ(derive(plain.get(), ours.get(), nullptr), expected);
        for (auto* other : {plain.get(), older.get()}) {
            EXPECT_EQ(derive(ours.get(), other, engine()), expected);
            EXPECT_EQ(derive(other, ours.get(), engine()), expected);
        }
    });
    shim::takes_all = false;
}

TEST(RawKeyMethod, LanesMakePairs) {
    shim::takes_all = true;
    for (const int nid : {NID_X25519, NID_ED25519}) {
        const int before = shim::operations();
        in_async_job([&] { raw_pair(nid, engine()); });
        EXPECT_GT(shim::operations(), before) << OBJ_nid2sn(nid);
    }
    shim::takes_all = false;
}

TEST(Ed25519Method, SignsAndVerifiesAsOpenSslDoes) {
    shim::takes_all = true;
    const auto made = raw_pair(NID_ED25519, engine());
    const auto secret = raw(made.get(), true);
    int before = shim::operations();
    for (const std::size_t len : {0, 1, 32, 1000, 4000, 100000})
        compare("bytes: " + std::to_string(len), [&](Trace& trace, ENGINE* side) {
            const Pkey key(EVP_PKEY_new_raw_private_key(NID_ED25519, side, secret.data(), secret.size()));
            const auto message = data(len, 1);
            Data signature(64);
            auto signature_len = signature.size();
            const auto verify = [&](const char* what, std::size_t size) {
                const MdContext context(EVP_MD_CTX_new());
                EXPECT_EQ(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, side, key.get()), 1);
                ERR_clear_error();
                const int answer = EVP_DigestVerify(context.get(), signature.data(), size, message.data(), len);
                ERR_clear_error();
                trace.value(what, std::to_string(answer == 1));
            };
            const MdContext context(EVP_MD_CTX_new());
            EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, nullptr, side, key.get()), 1);
            ERR_clear_error();
            trace.note("length", EVP_DigestSign(context.get(), nullptr, &signature_len, message.data(), len));
            trace.note("sign", EVP_DigestSign(context.get(), signature.data(), &signature_len, message.data(), len));
            trace.value("signature", std::string(signature.begin(), signature.end()));
            verify("right", 64);
            verify("cut off", 63);
            signature[40] ^= 1;
            verify("wrong", 64);
        });
    EXPECT_GT(shim::operations(), before);
    shim::takes_all = false;
}

/// Where an engine has such keys by default, OpenSSL 3.0 signs no certificates with them.
TEST(Ed25519Method, IsNobodysDefault) {
    const int* nids = nullptr;
    const int count = ENGINE_get_pkey_meths(engine())(engine(), nullptr, &nids, 0);
    EXPECT_EQ(std::count(nids, nids + count, NID_ED25519), 0);
    EXPECT_EQ(std::count(nids, nids + count, NID_X25519), 1);
    EXPECT_NE(ENGINE_get_pkey_meth(engine(), NID_ED25519), nullptr);
}

TEST(MontgomeryMethod, TheEngineIsUsed) {
    const auto one = raw_pair(NID_X25519, engine()), two = raw_pair(NID_X25519, engine());
    shim::takes_all = true;
    const int before = shim::operations();
    in_async_job([&] {
        const PkeyContext context(EVP_PKEY_CTX_new(one.get(), engine()));
        Data secret(32);
        auto len = secret.size();
        EVP_PKEY_derive_init(context.get());
        EVP_PKEY_derive_set_peer(context.get(), two.get());
        EXPECT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &len), 1);
    });
    EXPECT_GT(shim::operations(), before);
    shim::takes_all = false;
}

}  // namespace
}  // namespace octavo::test
