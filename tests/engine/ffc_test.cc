#include <openssl/bn.h>
#include <openssl/dh.h>
#include <openssl/dsa.h>
#include <openssl/objects.h>

#include "provider/shim.hpp"
#include "support.hpp"

namespace octavo::test {
namespace {

using Dh = std::unique_ptr<DH, decltype(&DH_free)>;
using Dsa = std::unique_ptr<DSA, decltype(&DSA_free)>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_clear_free)>;

Number number(BIGNUM* value) { return Number(value, BN_clear_free); }

constexpr int kGroups[] = {NID_ffdhe2048, NID_ffdhe3072, NID_modp_2048, NID_modp_1536};

Dh object(int nid, ENGINE* engine) {
    const Dh named(DH_new_by_nid(nid), DH_free);
    Dh made(DH_new_method(engine), DH_free);
    const BIGNUM *p = nullptr, *q = nullptr, *g = nullptr;
    DH_get0_pqg(named.get(), &p, &q, &g);
    EXPECT_EQ(DH_set0_pqg(made.get(), BN_dup(p), BN_dup(q), BN_dup(g)), 1);
    return made;
}

class DhMethod : public testing::TestWithParam<int> {};

TEST_P(DhMethod, DerivesTheSameSecret) {
    const auto one = object(GetParam(), nullptr), two = object(GetParam(), nullptr);
    ASSERT_EQ(DH_generate_key(one.get()), 1);
    ASSERT_EQ(DH_generate_key(two.get()), 1);
    compare(OBJ_nid2sn(GetParam()), [&](Trace& trace, ENGINE* side) {
        const auto key = object(GetParam(), side);
        DH_set0_key(key.get(), BN_dup(DH_get0_pub_key(one.get())), BN_dup(DH_get0_priv_key(one.get())));
        const auto derive = [&](const char* what, const BIGNUM* peer) {
            for (auto* function : {DH_compute_key, DH_compute_key_padded}) {
                Data secret(static_cast<std::size_t>(DH_size(key.get())));
                trace.note(what, function(secret.data(), peer, key.get()));
                trace.value("secret", std::string(secret.begin(), secret.end()));
            }
        };
        derive("derive", DH_get0_pub_key(two.get()));
        const auto odd = number(BN_new());
        for (const unsigned small : {0U, 1U, 2U}) {
            BN_set_word(odd.get(), small);
            derive("a small number", odd.get());
        }
        for (const unsigned less : {0U, 1U, 2U}) {
            BN_copy(odd.get(), DH_get0_p(key.get()));
            BN_sub_word(odd.get(), less);
            derive("p and before", odd.get());
        }
    });
}

TEST_P(DhMethod, GeneratesGoodPairs) {
    compare(OBJ_nid2sn(GetParam()), [&](Trace& trace, ENGINE* side) {
        const auto one = object(GetParam(), side), two = object(GetParam(), nullptr);
        trace.note("one", DH_generate_key(one.get()));
        trace.note("two", DH_generate_key(two.get()));
        Data mine(static_cast<std::size_t>(DH_size(one.get()))), theirs = mine;
        trace.note("mine", DH_compute_key_padded(mine.data(), DH_get0_pub_key(two.get()), one.get()));
        trace.note("theirs", DH_compute_key_padded(theirs.data(), DH_get0_pub_key(one.get()), two.get()));
        trace.note("same", mine == theirs);
    });
}

INSTANTIATE_TEST_SUITE_P(Groups, DhMethod, testing::ValuesIn(kGroups), [](const auto& group) {
    std::string name = OBJ_nid2sn(group.param);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

/// RFC 5114's group with 256 bits of order, which DSA takes.
Dsa dsa_key(ENGINE* engine, const BIGNUM* secret) {
    const Dh group(DH_get_2048_256(), DH_free);
    const BIGNUM *p = nullptr, *q = nullptr, *g = nullptr;
    DH_get0_pqg(group.get(), &p, &q, &g);
    Dsa made(DSA_new_method(engine), DSA_free);
    const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context(BN_CTX_new(), BN_CTX_free);
    auto* y = BN_new();
    EXPECT_EQ(BN_mod_exp(y, g, secret, p, context.get()), 1);
    EXPECT_EQ(DSA_set0_pqg(made.get(), BN_dup(p), BN_dup(q), BN_dup(g)), 1);
    EXPECT_EQ(DSA_set0_key(made.get(), y, BN_dup(secret)), 1);
    return made;
}

TEST(DsaMethod, SignsWhatOpenSslVerifies) {
    const auto secret = number(BN_new());
    constexpr int kBits = 255;
    ASSERT_EQ(BN_rand(secret.get(), kBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY), 1);
    const auto plain = dsa_key(nullptr, secret.get());
    compare("DSA", [&](Trace& trace, ENGINE* side) {
        const auto key = dsa_key(side, secret.get());
        for (const int len : {20, 32, 64}) {
            const auto digest = data(static_cast<std::size_t>(len), 3), other = data(static_cast<std::size_t>(len), 4);
            Data der(static_cast<std::size_t>(DSA_size(key.get())));
            unsigned der_len = 0;
            trace.note("sign", DSA_sign(0, digest.data(), len, der.data(), &der_len, key.get()));
            for (auto* by : {key.get(), plain.get()}) {
                const auto size = static_cast<int>(der_len);
                trace.note("verify", DSA_verify(0, digest.data(), len, der.data(), size, by));
                trace.note("another digest", DSA_verify(0, other.data(), len, der.data(), size, by));
            }
        }
    });
}

TEST(FfcMethods, TheEngineIsUsedInJobs) {
    const auto key = object(NID_ffdhe2048, engine());
    const auto signer = dsa_key(engine(), BN_value_one());
    const auto digest = data(32, 1);
    Data der(static_cast<std::size_t>(DSA_size(signer.get())));
    unsigned len = 0;
    for (const auto& work :
         {std::function<void()>([&] { EXPECT_EQ(DH_generate_key(key.get()), 1); }), std::function<void()>([&] {
              EXPECT_EQ(DSA_sign(0, digest.data(), 32, der.data(), &len, signer.get()), 1);
          })}) {
        const int before = shim::operations();
        work();
        EXPECT_EQ(shim::operations(), before) << "in no job";
        in_async_job(work);
        EXPECT_EQ(shim::operations(), before + 1);
    }
}

}  // namespace
}  // namespace octavo::test
