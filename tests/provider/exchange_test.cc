#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <cstring>

#include "curve_keys.hpp"
#include "places.hpp"
#include "shim.hpp"

namespace octavo::test {
namespace {

/// Derives with every question on the way; the secret, or nothing.
Data derive(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, EVP_PKEY* peer) {
    const auto context = context_for(side, key);
    if (!trace.note("derive_init", EVP_PKEY_derive_init(context.get()))) return {};
    std::size_t len = 0;
    trace.note("derive without a peer", EVP_PKEY_derive(context.get(), nullptr, &len));
    Data secret(200, 0xaa);
    len = secret.size();
    trace.note("derive without a peer, buffer", EVP_PKEY_derive(context.get(), secret.data(), &len));
    trace.note("set_peer", EVP_PKEY_derive_set_peer(context.get(), peer));
    len = 7;
    trace.note("size", EVP_PKEY_derive(context.get(), nullptr, &len));
    trace.value("size", std::to_string(len));
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{8}, std::size_t{31}, len}) {
        Data out(200, 0xaa);
        auto got = capacity;
        if (trace.note("derive into " + std::to_string(capacity), EVP_PKEY_derive(context.get(), out.data(), &got)) &&
            got <= out.size())
            trace.value("out", hex(Data(out.begin(), out.begin() + static_cast<long>(got))));
    }
    len = secret.size();
    if (!trace.note("derive", EVP_PKEY_derive(context.get(), secret.data(), &len))) return {};
    secret.resize(len);
    return secret;
}

class Exchange : public testing::TestWithParam<Group> {};

TEST_P(Exchange, OfKnownKeysGivesTheSameSecret) {
    const auto& group = GetParam();
    const auto agreed = compare_places("known", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto one = curve_key(group, 1, side), other = curve_key(group, 2, side);
        const auto public_other = public_curve_key(group, 2, side);
        trace.value("secret", hex(derive(trace, side, one.get(), public_other.get())));
        trace.value("secret", hex(derive(trace, side, one.get(), other.get())));
        trace.value("secret", hex(derive(trace, side, other.get(), one.get())));
        trace.value("public", hex(encoded_public_key(one.get())));
    });
    EXPECT_NE(agreed.find("\nderive = 1, no error\n"), std::string::npos) << agreed;
}

TEST_P(Exchange, OfFreshKeysAgrees) {
    const auto& group = GetParam();
    const auto agreed = compare_places("fresh", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto one = generate(trace, side, group), other = generate(trace, side, group);
        ASSERT_NE(one, nullptr);
        ASSERT_NE(other, nullptr);
        Trace there, back;  // secrets of fresh keys differ from place to place
        const auto secret = derive(there, side, one.get(), other.get());
        EXPECT_EQ(secret, derive(back, side, other.get(), one.get()));
        EXPECT_EQ(secret.size(), group.secret_len);
        EXPECT_NE(secret, Data(group.secret_len));
        EXPECT_EQ(encoded_public_key(one.get()).size(), group.public_len);
        EXPECT_NE(encoded_public_key(one.get()), encoded_public_key(other.get()));
    });
    EXPECT_NE(agreed.find("keygen = 1"), std::string::npos);
}

/// The calls of libssl: parameters alone, the peer's bytes put into them, a copy of the parameters of one's own key.
TEST_P(Exchange, AsInAHandshake) {
    const auto& group = GetParam();
    compare_places("handshake", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto client = generate(trace, side, group), server = generate(trace, side, group);
        const auto bytes = encoded_public_key(client.get());
        const auto into_parameters = parameters(trace, side, group);
        trace.note("set", EVP_PKEY_set1_encoded_public_key(into_parameters.get(), bytes.data(), bytes.size()));
        const Pkey copied(EVP_PKEY_new());
        trace.note("copy parameters", EVP_PKEY_copy_parameters(copied.get(), server.get()));
        trace.note("set", EVP_PKEY_set1_encoded_public_key(copied.get(), bytes.data(), bytes.size()));
        Trace unused;
        const auto secret = plain_derive(side, server.get(), into_parameters.get());
        EXPECT_EQ(secret.size(), group.secret_len);
        EXPECT_EQ(secret, plain_derive(side, server.get(), copied.get()));
        EXPECT_EQ(secret, plain_derive(side, client.get(), server.get()));
        EXPECT_EQ(secret, derive(unused, side, client.get(), server.get())) << unused.text();
        trace.note("client is the copy", EVP_PKEY_eq(client.get(), copied.get()));
        trace.note("server is the copy", EVP_PKEY_eq(server.get(), copied.get()));
        trace.note("same parameters", EVP_PKEY_parameters_eq(client.get(), into_parameters.get()));
        const auto context = context_for(side, into_parameters.get());
        trace.note("keygen from parameters", EVP_PKEY_keygen_init(context.get()));
        EVP_PKEY* made = nullptr;
        trace.note("keygen from parameters", EVP_PKEY_generate(context.get(), &made));
        const Pkey owner(made);
        trace.value("bytes", made == nullptr ? "-" : std::to_string(encoded_public_key(made).size()));
    });
}

std::vector<Data> bad_public_keys(const Group& group) {
    const auto good = encoded_public_key(curve_key(group, 3, without_octavo()).get());
    std::vector<Data> all;
    for (const std::size_t len : {std::size_t{1}, std::size_t{2}, good.size() - 1, good.size() / 2 + 1})
        all.emplace_back(good.begin(), good.begin() + static_cast<long>(len));
    auto longer = good;
    longer.push_back(0);
    all.push_back(longer);
    for (const unsigned first : {0U, 1U, 2U, 3U, 5U, 6U, 7U, 8U, 255U}) {
        all.push_back(good);
        all.back()[0] = static_cast<std::uint8_t>(first);
    }
    all.push_back(good);
    all.back().back() ^= 1;
    all.emplace_back(good.size(), 0);
    all.emplace_back(good.size(), 0xff);
    all.emplace_back(good.size(), 0);
    all.back()[0] = 4;
    all.emplace_back(good.size(), 0xff);
    all.back()[0] = 4;
    if (good.size() % 2 == 1) {
        const auto half = good.size() / 2 + 1;
        for (const unsigned first : {2U, 3U}) {
            all.emplace_back(good.begin(), good.begin() + static_cast<long>(half));
            all.back()[0] = static_cast<std::uint8_t>(first);
        }
    }
    return all;
}

TEST_P(Exchange, BadPublicKeysFailAlike) {
    const auto& group = GetParam();
    for (const auto& bytes : bad_public_keys(group))
        compare_places(hex(bytes), [&](Trace& trace, OSSL_LIB_CTX* side) {
            const auto own = curve_key(group, 1, side);
            const auto fresh = generate(trace, side, group);
            const auto empty = parameters(trace, side, group);
            const Pkey copied(EVP_PKEY_new()), of_fresh(EVP_PKEY_new());
            EVP_PKEY_copy_parameters(copied.get(), own.get());
            EVP_PKEY_copy_parameters(of_fresh.get(), fresh.get());
            for (auto* peer : {empty.get(), copied.get(), of_fresh.get()}) {
                trace.note("set", EVP_PKEY_set1_encoded_public_key(peer, bytes.data(), bytes.size()));
                trace.value("secret", hex(derive(trace, side, own.get(), peer)));
                const auto context = context_for(side, peer);
                trace.note("check", EVP_PKEY_public_check(context.get()));
            }
        });
}

TEST_P(Exchange, WithAPublicKeyAloneFailsAlike) {
    const auto& group = GetParam();
    compare_places("public", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto own = public_curve_key(group, 1, side), peer = public_curve_key(group, 2, side);
        trace.value("secret", hex(derive(trace, side, own.get(), peer.get())));
        const auto empty = parameters(trace, side, group);
        trace.value("secret", hex(derive(trace, side, empty.get(), peer.get())));
        trace.value("secret", hex(derive(trace, side, curve_key(group, 1, side).get(), empty.get())));
    });
}

TEST_P(Exchange, WithAnotherGroupFailsAlike) {
    const auto& group = GetParam();
    for (const auto& other : kExchangeGroups)
        compare_places(other.name, [&](Trace& trace, OSSL_LIB_CTX* side) {
            const auto own = curve_key(group, 1, side), peer = curve_key(other, 2, side);
            trace.value("secret", hex(derive(trace, side, own.get(), peer.get())));
            if (std::strcmp(group.type, other.type) != 0) return;
            Trace unused;
            const auto fresh = generate(trace, side, group), fresh_peer = generate(trace, side, other);
            trace.value("length", std::to_string(derive(unused, side, fresh.get(), fresh_peer.get()).size()));
        });
}

TEST_P(Exchange, KeysAreChanged) {
    const auto& group = GetParam();
    compare_places("changed", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto bytes = encoded_public_key(curve_key(group, 2, side).get());
        for (const auto& key : {curve_key(group, 1, side), generate(trace, side, group)}) {
            const auto peer = curve_key(group, 3, side);
            plain_derive(side, key.get(), peer.get());  // whatever is remembered of a key is remembered now
            trace.note("set", EVP_PKEY_set1_encoded_public_key(key.get(), bytes.data(), bytes.size()));
            trace.value("public", hex(encoded_public_key(key.get())));
            trace.value("length", std::to_string(plain_derive(side, key.get(), peer.get()).size()));
            note_key(trace, side, key.get());
        }
    });
}

TEST_P(Exchange, RunsOnOctavoInJobsAndWhereLanesNeedNoCompany) {
    const auto& group = GetParam();
    const auto own = curve_key(group, 1, with_octavo()), peer = curve_key(group, 2, with_octavo());
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(own.get())), "octavo");
    Trace trace;
    for (const auto& place : kPlaces) {
        if (place.side() != with_octavo()) continue;
        const bool here = group.octavo && (place.run != in_no_job || lanes_need_no_company(group));
        const bool generates = here || group.type == std::string("X25519");
        place.run([&] {
            const auto context = context_for(with_octavo(), own.get());
            EVP_PKEY_derive_init(context.get());
            EVP_PKEY_derive_set_peer(context.get(), peer.get());
            Data secret(200);
            auto len = secret.size();
            auto before = shim::operations();
            EXPECT_EQ(EVP_PKEY_derive(context.get(), secret.data(), &len), 1);
            EXPECT_EQ(shim::operations() - before, here ? 1 : 0) << place.name;
            before = shim::operations();
            EXPECT_NE(generate(trace, with_octavo(), group), nullptr);
            EXPECT_EQ(shim::operations() - before, generates ? 1 : 0) << place.name;
        });
    }
}

TEST_P(Exchange, FallsBackWhenOctavoFails) {
    const auto& group = GetParam();
    for (const auto status :
         {OCTAVO_ERR_OPERATION_FAILED, OCTAVO_ERR_NO_MEMORY, OCTAVO_ERR_BAD_HANDLE, OCTAVO_CANCELLED})
        in_own_job([&] {
            Trace trace, expected;
            const auto own = curve_key(group, 1, with_octavo()), peer = curve_key(group, 2, with_octavo());
            const auto secret = derive(expected, with_octavo(), own.get(), peer.get());
            shim::failure = status;
            EXPECT_EQ(derive(trace, with_octavo(), own.get(), peer.get()), secret);
            EXPECT_EQ(trace.text(), expected.text());
            const auto fresh = generate(trace, with_octavo(), group);
            EXPECT_EQ(encoded_public_key(fresh.get()).size(), group.public_len);
            shim::failure = OCTAVO_OK;
        });
}

TEST_P(Exchange, FailsWhereTheSoftwareFallbackIsOff) {
    const auto& group = GetParam();
    in_own_job([&] {
        Trace deriving, generating;
        const auto own = curve_key(group, 1, with_octavo()), peer = curve_key(group, 2, with_octavo());
        const int before = shim::operations();
        derive(deriving, with_octavo(), own.get(), peer.get());
        if (shim::operations() == before) return;  // nothing is asked of an endpoint
        shim::failure = OCTAVO_ERR_DEVICE;
        derive(deriving, with_octavo(), own.get(), peer.get());
        EXPECT_EQ(generate(generating, with_octavo(), group), nullptr);
        shim::failure = OCTAVO_OK;
        EXPECT_NE(deriving.text().find("there is no software fallback"), std::string::npos) << deriving.text();
    });
}

TEST_P(Exchange, ContextsAreDuplicatedAndOutliveTheirKeys) {
    const auto& group = GetParam();
    compare_places("dupctx", [&](Trace& trace, OSSL_LIB_CTX* side) {
        auto own = curve_key(group, 1, side), peer = curve_key(group, 2, side);
        auto context = context_for(side, own.get());
        EVP_PKEY_derive_init(context.get());
        EVP_PKEY_derive_set_peer(context.get(), peer.get());
        const PkeyContext copy(EVP_PKEY_CTX_dup(context.get()));
        context.reset();
        own.reset();
        peer.reset();
        Data secret(200);
        auto len = secret.size();
        trace.note("derive", copy == nullptr ? -1 : EVP_PKEY_derive(copy.get(), secret.data(), &len));
        trace.value("secret", hex(Data(secret.begin(), secret.begin() + static_cast<long>(len))));
    });
}

INSTANTIATE_TEST_SUITE_P(Groups, Exchange, testing::ValuesIn(kExchangeGroups),
                         [](const auto& group) { return group.param.name; });

/// RFC 7748, 5: points whose order divides the cofactor, and the encodings of them that are not canonical.
const char* const kSmallOrder[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

TEST(SmallOrder, OfX25519FailsAlike) {
    const auto& group = group_named("X25519");
    for (const auto* text : kSmallOrder) {
        long len = 0;
        auto* raw = OPENSSL_hexstr2buf(text, &len);
        const Data bytes(raw, raw + len);
        OPENSSL_free(raw);
        const auto agreed = compare_places(text, [&](Trace& trace, OSSL_LIB_CTX* side) {
            const auto peer = parameters(trace, side, group);
            trace.note("set", EVP_PKEY_set1_encoded_public_key(peer.get(), bytes.data(), bytes.size()));
            trace.value("secret", hex(derive(trace, side, curve_key(group, 1, side).get(), peer.get())));
            const auto fresh = generate(trace, side, group);
            trace.value("secret", hex(derive(trace, side, fresh.get(), peer.get())));
        });
        EXPECT_EQ(agreed.find("derive = 1"), std::string::npos) << agreed;
    }
}

OSSL_PARAM text_param(const char* name, const char* value) {
    return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value), 0);
}

TEST(KeyDerivationFunction, IsTheDefaultProviders) {
    const auto& group = group_named("P256");
    compare_places("kdf", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto own = curve_key(group, 1, side), peer = curve_key(group, 2, side);
        const auto context = context_for(side, own.get());
        EVP_PKEY_derive_init(context.get());
        trace.note("type", EVP_PKEY_CTX_set_ecdh_kdf_type(context.get(), EVP_PKEY_ECDH_KDF_X9_63));
        trace.note("digest", EVP_PKEY_CTX_set_ecdh_kdf_md(context.get(), EVP_sha256()));
        trace.note("length", EVP_PKEY_CTX_set_ecdh_kdf_outlen(context.get(), 80));
        trace.note("set_peer", EVP_PKEY_derive_set_peer(context.get(), peer.get()));
        trace.note("type is", EVP_PKEY_CTX_get_ecdh_kdf_type(context.get()));
        for (int i = 0; i < 2; ++i) {
            Data secret(200);
            auto len = secret.size();
            trace.note("derive", EVP_PKEY_derive(context.get(), secret.data(), &len));
            trace.value("secret", hex(Data(secret.begin(), secret.begin() + static_cast<long>(len))));
            trace.note("init again", EVP_PKEY_derive_init(context.get()));
            trace.note("cofactor", EVP_PKEY_CTX_set_ecdh_cofactor_mode(context.get(), i));
            trace.note("cofactor is", EVP_PKEY_CTX_get_ecdh_cofactor_mode(context.get()));
            trace.note("set_peer", EVP_PKEY_derive_set_peer(context.get(), peer.get()));
        }
    });
}

/// A P-256 key that is written in another way than usual.
Pkey generate_with(Trace& trace, OSSL_LIB_CTX* side, const char* name, const char* value) {
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(side, "EC", nullptr));
    EVP_PKEY_keygen_init(context.get());
    OSSL_PARAM params[] = {text_param(OSSL_PKEY_PARAM_GROUP_NAME, "P-256"), text_param(name, value),
                           OSSL_PARAM_construct_end()};
    trace.note("params", EVP_PKEY_CTX_set_params(context.get(), params));
    EVP_PKEY* key = nullptr;
    trace.note("generate", EVP_PKEY_generate(context.get(), &key));
    return Pkey(key);
}

/// How many operations of Octavo's a derivation takes in a job.
int operations_of_a_derivation(EVP_PKEY* key) {
    int operations = 0;
    in_own_job([&] {
        const auto before = shim::operations();
        EXPECT_EQ(plain_derive(with_octavo(), key, key).size(), 32U);
        operations = shim::operations() - before;
    });
    return operations;
}

TEST(ExplicitParameters, StayWithTheDefaultProvider) {
    Trace trace;
    const auto made = generate_with(trace, without_octavo(), OSSL_PKEY_PARAM_EC_ENCODING, "explicit");
    const auto text = pem(made.get(), true), half = pem(made.get(), false);
    compare_places("explicit", [&](Trace& there, OSSL_LIB_CTX* side) {
        const auto key = from_pem(side, text, true), peer = from_pem(side, half, false);
        note_key(there, side, key.get());
        there.value("secret", hex(derive(there, side, key.get(), peer.get())));
        const auto named = curve_key(group_named("P256"), 1, side);
        there.value("secret", hex(derive(there, side, key.get(), named.get())));
        there.value("secret", hex(derive(there, side, named.get(), peer.get())));
        const auto fresh = generate_with(there, side, OSSL_PKEY_PARAM_EC_ENCODING, "explicit");
        there.value("length", std::to_string(pem(fresh.get(), true).size() > 300));
    });
    EXPECT_EQ(operations_of_a_derivation(from_pem(with_octavo(), text, true).get()), 0);
    EXPECT_EQ(operations_of_a_derivation(curve_key(group_named("P256"), 1, with_octavo()).get()), 1);
}

TEST(CompressedPoints, AreReadAndWritten) {
    for (const auto* form : {"compressed", "hybrid"}) {
        Trace trace;
        const auto made = generate_with(trace, without_octavo(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form);
        const auto text = pem(made.get(), true), half = pem(made.get(), false);
        compare_places(form, [&](Trace& there, OSSL_LIB_CTX* side) {
            const auto key = from_pem(side, text, true), peer = from_pem(side, half, false);
            note_key(there, side, key.get());
            note_numbers(there, key.get());
            there.value("secret", hex(derive(there, side, key.get(), peer.get())));
            there.value("pem", pem(peer.get(), false));
            const auto fresh = generate_with(there, side, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form);
            note_key(there, side, fresh.get());
            there.value("encoded", std::to_string(encoded_public_key(fresh.get()).size()));
        });
        EXPECT_EQ(operations_of_a_derivation(from_pem(with_octavo(), text, true).get()), 1);
    }
}

}  // namespace
}  // namespace octavo::test
