#include <gtest/gtest.h>

#include <string>

#include "kernel/rsa/rsa_rows.hpp"
#include "kernel/rsa/rsa_test_keys.hpp"

/// What is refused: inconsistent numbers by name, and shapes that the lanes leave to the portable row.
namespace octavo::kernel::rsa::test {
namespace {

const TestKey& good() { return keys_of_size(2048)[0]; }

ByteVector plus(const ByteVector& number, const ByteVector& more) {
    Bn sum = bn(Bytes{number});
    BN_add(sum.get(), sum.get(), bn(Bytes{more}).get());
    return bytes_of(sum);
}

/// The prime 3 as a further factor, consistent but for the modulus. An inverse modulo 3 is the number itself.
TestKey::Extra three(const ByteVector& product) {
    return {{3}, {1}, {static_cast<std::uint8_t>(BN_mod_word(bn(Bytes{product}).get(), 3))}};
}

struct Wrong {
    const char* what;
    Fault fault;
    void (*change)(TestKey&);
};

void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.what; }

const Wrong kWrong[] = {
    {"n is even", Fault::n, [](TestKey& k) { k.n.back() ^= 1; }},
    {"n is not p q", Fault::n, [](TestKey& k) { k.n[100] ^= 4; }},
    {"n is absent", Fault::n, [](TestKey& k) { k.n.clear(); }},
    {"n is too wide", Fault::n, [](TestKey& k) { k.n.assign(kMaxModulusBytes + 1, 0xFF); }},
    {"n is one", Fault::n, [](TestKey& k) { k.n = {1}; }},
    {"e is zero", Fault::e, [](TestKey& k) { k.e = {0}; }},
    {"e is absent", Fault::e, [](TestKey& k) { k.e.clear(); }},
    {"e is even", Fault::e,
     [](TestKey& k) {
         k.e = {1, 0, 0};
     }},
    {"e is wider than n", Fault::e, [](TestKey& k) { k.e.assign(257, 0x81); }},
    {"e is another", Fault::dp, [](TestKey& k) { k.e = {3}; }},
    {"d is zero", Fault::d, [](TestKey& k) { k.d = {0}; }},
    {"d is n", Fault::d, [](TestKey& k) { k.d = k.n; }},
    {"d is wider than n", Fault::d, [](TestKey& k) { k.d.assign(257, 0xFF); }},
    {"d is absent", Fault::d, [](TestKey& k) { k.d.clear(); }},
    {"p is absent", Fault::p, [](TestKey& k) { k.p.clear(); }},
    {"p is zero", Fault::p, [](TestKey& k) { k.p = {0}; }},
    {"p is one", Fault::p, [](TestKey& k) { k.p = {1}; }},
    {"p is even", Fault::p, [](TestKey& k) { k.p.back() ^= 1; }},
    {"p is n", Fault::p, [](TestKey& k) { k.p = k.n; }},
    {"p is wider than n", Fault::p, [](TestKey& k) { k.p.assign(4096, 0xFF); }},
    {"p is another", Fault::n, [](TestKey& k) { k.p[20] ^= 4; }},
    {"q is absent", Fault::q, [](TestKey& k) { k.q.clear(); }},
    {"q is one", Fault::q, [](TestKey& k) { k.q = {1}; }},
    {"q is even", Fault::q, [](TestKey& k) { k.q.back() ^= 1; }},
    {"q is p", Fault::q, [](TestKey& k) { k.q = k.p; }},
    {"q is another", Fault::n, [](TestKey& k) { k.q[20] ^= 4; }},
    {"dP is absent", Fault::dp, [](TestKey& k) { k.dp.clear(); }},
    {"dP is zero", Fault::dp, [](TestKey& k) { k.dp = {0}; }},
    {"dP is off by one", Fault::dp, [](TestKey& k) { k.dp = plus(k.dp, {1}); }},
    {"dP is d, out of range", Fault::dp, [](TestKey& k) { k.dp = k.d; }},
    {"dP is dP + p, out of range", Fault::dp, [](TestKey& k) { k.dp = plus(k.dp, k.p); }},
    {"dQ is absent", Fault::dq, [](TestKey& k) { k.dq.clear(); }},
    {"dQ is dP", Fault::dq, [](TestKey& k) { k.dq = k.dp; }},
    {"dQ is off by two", Fault::dq, [](TestKey& k) { k.dq = plus(k.dq, {2}); }},
    {"dQ is d, out of range", Fault::dq, [](TestKey& k) { k.dq = k.d; }},
    {"qInv is absent", Fault::qinv, [](TestKey& k) { k.qinv.clear(); }},
    {"qInv is zero", Fault::qinv, [](TestKey& k) { k.qinv = {0}; }},
    {"qInv is off by one", Fault::qinv, [](TestKey& k) { k.qinv = plus(k.qinv, {1}); }},
    {"qInv is qInv + p, out of range", Fault::qinv, [](TestKey& k) { k.qinv = plus(k.qinv, k.p); }},
    {"an extra prime too many", Fault::n, [](TestKey& k) { k.extra = {three(k.n)}; }},
    {"too many extra primes", Fault::extra,
     [](TestKey& k) {
         k.extra.assign(4, {{3}, {1}, {1}});
     }},
    {"an extra prime without CRT values", Fault::extra,
     [](TestKey& k) {
         k.extra = {{{3}, {1}, {1}}};
         for (ByteVector* v : {&k.p, &k.q, &k.dp, &k.dq, &k.qinv}) v->clear();
     }},
};

class RsaCheck : public ::testing::TestWithParam<Wrong> {};

TEST_P(RsaCheck, NamesTheField) {
    TestKey key = good();
    GetParam().change(key);
    EXPECT_EQ(static_cast<int>(check_components(Parts(key).all())), static_cast<int>(GetParam().fault));
}

INSTANTIATE_TEST_SUITE_P(Wrong, RsaCheck, ::testing::ValuesIn(kWrong));

TEST(RsaCheckGood, KeysOfEveryShape) {
    for (const TestKey& key : keys_of_size(2048)) EXPECT_EQ(check_components(Parts(key).all()), Fault::ok);
    EXPECT_EQ(check_components(Parts(good()).without_crt()), Fault::ok);
    EXPECT_EQ(check_components(Parts(good()).public_only()), Fault::ok);
    const TestKey three = generate_key(1024, 65537, 3), tiny = generate_key(512, 3);
    EXPECT_EQ(check_components(Parts(three).all()), Fault::ok);
    EXPECT_EQ(check_components(Parts(tiny).all()), Fault::ok);
}

TEST(RsaCheckExtra, EachNumberOfAnExtraPrime) {
    const TestKey three = generate_key(1024, 65537, 3);
    for (ByteVector TestKey::Extra::*field : {&TestKey::Extra::r, &TestKey::Extra::d, &TestKey::Extra::t}) {
        for (const ByteVector& value : {ByteVector{}, ByteVector{0}, ByteVector{9}, three.n}) {
            TestKey key = three;
            key.extra[0].*field = value;
            EXPECT_EQ(check_components(Parts(key).all()), Fault::extra);
        }
    }
}

/// Shapes that the lanes refuse, whatever the CPU.
TEST(RsaShapes, LanesTakeTheirSizesAlone) {
    for (const std::size_t bits : {2048U, 3072U, 4096U}) {
        const TestKey& key = keys_of_size(bits)[0];
        EXPECT_TRUE(takes_private_lanes(Parts(key).all()));
        EXPECT_TRUE(takes_public_lanes(Parts(key).public_only()));
        EXPECT_FALSE(takes_private_lanes(Parts(key).without_crt()));
        EXPECT_FALSE(takes_private_lanes(Parts(key).public_only()));
    }
    for (const unsigned bits : {512U, 1024U, 1536U, 2047U, 2056U}) {
        const TestKey key = generate_key(bits, 65537);
        EXPECT_FALSE(takes_private_lanes(Parts(key).all())) << bits;
        EXPECT_FALSE(takes_public_lanes(Parts(key).public_only())) << bits;
    }
}

TEST(RsaShapes, PublicExponentsAndModuli) {
    const auto takes = [](const ByteVector& n, const ByteVector& e) {
        Components key;
        key.n = n;
        key.e = e;
        return takes_public_lanes(key);
    };
    EXPECT_TRUE(takes(good().n, {1, 0, 1}));
    EXPECT_TRUE(takes(good().n, {0, 0, 0, 0, 0, 0, 0, 1, 0, 1})) << "leading zeros";
    for (const ByteVector& e : {ByteVector{}, ByteVector{0}, ByteVector(256, 0x11)}) EXPECT_FALSE(takes(good().n, e));
    ByteVector even = good().n;
    even.back() ^= 1;
    EXPECT_FALSE(takes(even, {1, 0, 1}));
    EXPECT_FALSE(takes({}, {1, 0, 1}));
    EXPECT_FALSE(takes(ByteVector(256, 0), {1, 0, 1}));
}

TEST(RsaShapes, PrivateKeysThatLackOrExceed) {
    TestKey three = generate_key(2048, 65537, 3);
    EXPECT_FALSE(takes_private_lanes(Parts(three).all())) << "three primes";
    for (ByteVector TestKey::*field : {&TestKey::p, &TestKey::q, &TestKey::dp, &TestKey::dq, &TestKey::qinv}) {
        TestKey key = good();
        (key.*field).clear();
        EXPECT_FALSE(takes_private_lanes(Parts(key).all())) << "a CRT value is absent";
        key.*field = ByteVector(129, 0xFF);
        EXPECT_FALSE(takes_private_lanes(Parts(key).all())) << "a CRT value is too wide";
    }
}

TEST(RsaShapes, PrimesOfUnequalWidth) {
    Bn p{BN_new()}, q{BN_new()};
    BN_generate_prime_ex(p.get(), 1100, 0, nullptr, nullptr, nullptr);
    do BN_generate_prime_ex(q.get(), 948, 0, nullptr, nullptr, nullptr);
    while (key_of_primes({p.get(), q.get()}, 65537).len() * 8 != 2048);
    const TestKey key = key_of_primes({p.get(), q.get()}, 65537);
    EXPECT_FALSE(takes_private_lanes(Parts(key).all()));
    EXPECT_EQ(check_components(Parts(key).all()), Fault::ok);
    EXPECT_TRUE(takes_public_lanes(Parts(key).public_only()));
}

}  // namespace
}  // namespace octavo::kernel::rsa::test
