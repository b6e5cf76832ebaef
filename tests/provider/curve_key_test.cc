#include <openssl/core_names.h>
#include <openssl/params.h>

#include <cstring>

#include "curve_keys.hpp"
#include "places.hpp"

namespace octavo::test {
namespace {

class CurveKeys : public testing::TestWithParam<Group> {};

TEST_P(CurveKeys, AreTheSame) {
    const auto& group = GetParam();
    compare_places("keys", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto known = curve_key(group, 1, side), half = public_curve_key(group, 1, side);
        for (auto* key : {known.get(), half.get()}) {
            note_key(trace, side, key);
            note_numbers(trace, key);
        }
        note_key(trace, side, generate(trace, side, group).get());
        note_key(trace, side, parameters(trace, side, group).get());
        trace.note("pair and public half", EVP_PKEY_eq(known.get(), half.get()));
        trace.note("fresh and known", EVP_PKEY_eq(known.get(), generate(trace, side, group).get()));
    });
}

TEST_P(CurveKeys, AreDuplicated) {
    const auto& group = GetParam();
    compare_places("dup", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto known = curve_key(group, 1, side), fresh = generate(trace, side, group);
        for (auto* key : {known.get(), fresh.get()}) {
            const Pkey copy(EVP_PKEY_dup(key));
            note_key(trace, side, copy.get());
            trace.note("eq", EVP_PKEY_eq(key, copy.get()));
            const auto peer = curve_key(group, 2, side);
            EXPECT_EQ(plain_derive(side, key, peer.get()), plain_derive(side, copy.get(), peer.get()));
        }
    });
}

TEST_P(CurveKeys, PassThroughPem) {
    const auto& group = GetParam();
    compare_places("pem", [&](Trace& trace, OSSL_LIB_CTX* side) {
        const auto known = curve_key(group, 1, side), fresh = generate(trace, side, group);
        trace.value("pem", pem(known.get(), true) + pem(known.get(), false));
        for (const bool whole : {true, false}) {
            const auto back = from_pem(side, pem(known.get(), whole), whole);
            note_key(trace, side, back.get());
            note_numbers(trace, back.get());
            const auto fresh_back = from_pem(side, pem(fresh.get(), whole), whole);
            trace.note("fresh", EVP_PKEY_eq(fresh.get(), fresh_back.get()));
            // What one side writes the other reads.
            auto* other = side == with_octavo() ? without_octavo() : with_octavo();
            EXPECT_EQ(EVP_PKEY_eq(from_pem(other, pem(fresh.get(), whole), whole).get(), fresh.get()), 1);
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Groups, CurveKeys, testing::ValuesIn(all_groups()),
                         [](const auto& group) { return group.param.name; });

TEST(Generation, OfWrongGroupsFailsAlike) {
    for (const auto& names : {std::pair{"X25519", "X448"},
                              {"X25519", "P-256"},
                              {"X448", "x25519"},
                              {"X448", "X448"},
                              {"ED25519", "ed25519"},
                              {"X25519", ""},
                              {"EC", "X25519"},
                              {"EC", "no such curve"},
                              {"EC", ""},
                              {"EC", nullptr},
                              {"EC", "p-256"},
                              {"EC", "SECP384R1"}}) {
        const auto* const type = names.first;
        const auto* const name = names.second;
        compare_places(std::string(type) + " " + (name == nullptr ? "-" : name), [&](Trace& trace, OSSL_LIB_CTX* side) {
            const Group group{"", type, name, 0, 0, false};
            trace.value("key", generate(trace, side, group) == nullptr ? "none" : "made");
            trace.value("parameters", parameters(trace, side, group) == nullptr ? "none" : "made");
        });
    }
}

}  // namespace
}  // namespace octavo::test
