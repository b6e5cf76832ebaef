#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernel/curve25519/field_impl.hpp"
#include "kernel/lanes/groups_impl.hpp"
#include "kernel/x25519/x25519_impl.hpp"

/// The bounds that the field promises, at their ends: on a lane type of one plain word, so on any CPU, against OpenSSL's big numbers.
namespace octavo::kernel::curve25519::test {
namespace {

struct V {
    Limb v;
    using Mask = bool;

    static V zero() { return {0}; }
    static V every(Limb word) { return {word}; }
    static V every_at(const Limb* word) { return {*word}; }
    static V load(const Lanes* p) { return {p->lane[0]}; }
    void store(Lanes* p) const { p->lane[0] = v; }
    static lanes::Wide product_of_low(V a, V b) { return static_cast<lanes::Wide>(a.low().v) * b.low().v; }
    static V madd_low(V sum, V a, V b) {
        return {sum.v + (static_cast<Limb>(product_of_low(a, b)) & lanes::kLimbMask)};
    }
    static V madd_high(V sum, V a, V b) {
        return {sum.v + static_cast<Limb>(product_of_low(a, b) >> lanes::kLimbBits)};
    }
    V carry() const { return {v >> lanes::kLimbBits}; }
    V signed_carry() const { return {static_cast<Limb>(static_cast<std::int64_t>(v) >> lanes::kLimbBits)}; }
    bool is_negative() const { return v >> 63 != 0; }
    bool is_zero() const { return v == 0; }
    static bool both(Mask a, Mask b) { return a && b; }
    static V choose(Mask chosen, V yes, V no) { return chosen ? yes : no; }
    std::uint64_t first_lane() const { return v; }
    /// As if eight lanes held the same.
    template <int kDistance>
    V exchanged() const {
        return *this;
    }
    V low() const { return {v & lanes::kLimbMask}; }
    template <int kBits>
    V shifted_left() const {
        return {v << kBits};
    }
    template <int kBits>
    V shifted_right() const {
        return {v >> kBits};
    }
};

V operator+(V a, V b) { return {a.v + b.v}; }
V operator-(V a, V b) { return {a.v - b.v}; }
V operator&(V a, V b) { return {a.v & b.v}; }
V operator|(V a, V b) { return {a.v | b.v}; }
V operator^(V a, V b) { return {a.v ^ b.v}; }

using Big = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using Limbs = V[kLimbs];

Big big(Limb word = 0) {
    Big result{BN_new(), &BN_free};
    EXPECT_EQ(BN_set_word(result.get(), word), 1);
    return result;
}

BN_CTX* context() {
    static const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> result{BN_CTX_new(), &BN_CTX_free};
    return result.get();
}

Big prime() {
    Big result = big(1);
    EXPECT_EQ(BN_lshift(result.get(), result.get(), 255), 1);
    EXPECT_EQ(BN_sub_word(result.get(), 19), 1);
    return result;
}

/// Of signed limbs, modulo p.
Big value_of(const Limbs& limbs) {
    Big sum = big();
    for (int i = kLimbs - 1; i >= 0; --i) {
        const auto limb = static_cast<std::int64_t>(limbs[i].v);
        EXPECT_EQ(BN_lshift(sum.get(), sum.get(), lanes::kLimbBits), 1);
        const auto size = limb < 0 ? Limb{0} - limbs[i].v : limbs[i].v;
        EXPECT_EQ((limb < 0 ? BN_sub_word : BN_add_word)(sum.get(), size), 1);
    }
    EXPECT_EQ(BN_nnmod(sum.get(), sum.get(), prime().get(), context()), 1);
    return sum;
}
Big value_of(const Sum<V>& a) { return value_of(a.limb); }
Big value_of(const Factor<V>& a) { return value_of(sum_of(a)); }

using Combine = int (*)(BIGNUM*, const BIGNUM*, const BIGNUM*, const BIGNUM*, BN_CTX*);
Big combined(Combine combine, const Big& a, const Big& b) {
    Big result = big();
    EXPECT_EQ(combine(result.get(), a.get(), b.get(), prime().get(), context()), 1);
    return result;
}

testing::AssertionResult equal(const Big& a, const Big& b) {
    if (BN_cmp(a.get(), b.get()) == 0) return testing::AssertionSuccess();
    const std::unique_ptr<char, void (*)(char*)> one{BN_bn2hex(a.get()), [](char*p) { OPENSSL_free(p); }},
        other{BN_bn2hex(b.get()), [](char*p) { OPENSSL_free(p); }};
    return testing::AssertionFailure() << one.get() << " is not " << other.get();
}

constexpr Limb kTopOfFactor = (Limb{1} << 47) + (Limb{1} << 10) - 1, kSumLimit = (Limb{1} << 61) - 1,
               kProductLimit = Limb{1} << 56;

/// Every choice of the least and the largest that each limb may be, and random ones between.
template <typename Number>
std::vector<Number> extremes(const Limb (&most)[kLimbs], int num_random) {
    std::mt19937_64 random(25519);
    std::vector<Number> result;
    for (unsigned bits = 0; bits < (1U << kLimbs) + static_cast<unsigned>(num_random); ++bits) {
        Number number;
        for (unsigned i = 0; i < kLimbs; ++i)
            number.limb[i].v = bits >> kLimbs ? random() % (most[i] + 1) : ((bits >> i) & 1) * most[i];
        result.push_back(number);
    }
    return result;
}

/// With what is to be ignored above the low 52 bits of all limbs but the top one, where `garbage` is set.
std::vector<Factor<V>> factors(bool garbage) {
    auto result =
        extremes<Factor<V>>({lanes::kLimbMask, lanes::kLimbMask, lanes::kLimbMask, lanes::kLimbMask, kTopOfFactor}, 30);
    for (auto& factor : result)
        for (int i = 0; garbage && i < kLimbs - 1; ++i) factor.limb[i].v |= Limb{0xA5F} << lanes::kLimbBits;
    return result;
}

std::vector<Sum<V>> sums() { return extremes<Sum<V>>({kSumLimit, kSumLimit, kSumLimit, kSumLimit, kSumLimit}, 200); }

void expect_product(const Sum<V>& product, const Big& expected) {
    EXPECT_TRUE(equal(value_of(product), expected));
    for (const V& limb : product.limb) EXPECT_LT(limb.v, kProductLimit);
}

TEST(Field25519, FactorOfSumHoldsItsBound) {
    for (const auto& sum : sums()) {
        const auto factor = factor_of_sum(sum);
        EXPECT_TRUE(equal(value_of(factor), value_of(sum)));
        EXPECT_LE(factor.limb[kLimbs - 1].v, kTopOfFactor);
    }
}

TEST(Field25519, FactorTakesLimbsBelowZero) {
    for (const auto& positive : sums()) {
        Sum<V> sum = positive;
        for (V& limb : sum.limb) limb.v = limb.v % (Limb{3} << 58) - (Limb{1} << 58) + (Limb{1} << 20);
        const auto result = factor(sum);
        EXPECT_TRUE(equal(value_of(result), value_of(sum)));
        EXPECT_LE(result.limb[kLimbs - 1].v, kTopOfFactor);
    }
}

TEST(Field25519, CanonicalTakesWhatIsFarBelowZero) {
    constexpr Limb kMostOfTop = (Limb{1} << 59) - (Limb{1} << 12);
    for (const auto& positive : extremes<Sum<V>>({kSumLimit, kSumLimit, kSumLimit, kSumLimit, kMostOfTop}, 200))
        for (unsigned signs = 0; signs < (1U << kLimbs); ++signs) {
            Sum<V> sum = positive;
            for (int i = 0; i < kLimbs; ++i)
                if (((signs >> i) & 1) != 0) sum.limb[i] = V::zero() - sum.limb[i];
            const auto result = canonical(sum);
            Big number = big();
            for (int i = kLimbs - 1; i >= 0; --i) {
                EXPECT_EQ(BN_lshift(number.get(), number.get(), lanes::kLimbBits), 1);
                EXPECT_EQ(BN_add_word(number.get(), result.limb[i].v), 1);
                EXPECT_LE(result.limb[i].v, lanes::kLimbMask);
            }
            EXPECT_TRUE(equal(number, value_of(sum)));
        }
}

TEST(Field25519, ProductsOfExtremesAreRight) {
    for (const auto& a : factors(false))
        for (const auto& b : factors(true)) {
            const Big expected = combined(BN_mod_mul, value_of(a), value_of(b));
            expect_product(multiply(a, b), expected);
            const auto above = multiply<Start::above_products>(a, b);
            EXPECT_TRUE(equal(value_of(above), expected));
            for (const V& limb : (above - multiply(b, b)).limb) EXPECT_LT(limb.v, Limb{1} << 60);
            const auto [first, second] = multiply_pair<Start::zero, Start::above_products>(a, b, b, a);
            expect_product(first, expected);
            EXPECT_TRUE(equal(value_of(second), expected));
        }
}

TEST(Field25519, SquaresOfExtremesAreRight) {
    for (const auto& a : factors(true)) {
        const Big expected = combined(BN_mod_mul, value_of(a), value_of(a));
        expect_product(square(a), expected);
        EXPECT_TRUE(equal(value_of(square<Start::above_products>(a)), expected));
        const auto [first, second] = square_pair<Start::above_products, Start::zero>(a, a);
        EXPECT_TRUE(equal(value_of(first), expected));
        expect_product(second, expected);
    }
}

TEST(Field25519, SharedProductsOfExtremesAreRight) {
    for (const auto& a : factors(false)) {
        x25519::SharedFactor<V> shared;
        shared.set(a);
        for (const auto& b : factors(true)) {
            x25519::SharedProduct<V> product;
            repeat<kLimbs>([&](auto i) { product.template add_row<i>(shared, b); });
            expect_product(product.sum(), combined(BN_mod_mul, value_of(a), value_of(b)));
        }
    }
}

TEST(Field25519, SmallMultiplesOfExtremesAreRight) {
    const auto most_of_products =
        extremes<Sum<V>>({kProductLimit, kProductLimit, kProductLimit, kProductLimit, kProductLimit}, 30);
    for (const auto& e : factors(true))
        for (const auto& product : most_of_products) {
            const auto a = product + Sum<V>::constant(kAboveProducts);
            const auto result = x25519::add_small_multiple(a, e);
            const Big multiple = combined(BN_mod_mul, big(121665), value_of(e));
            EXPECT_TRUE(equal(value_of(result), combined(BN_mod_add, value_of(a), multiple)));
            for (const V& limb : result.limb) EXPECT_LE(limb.v, kSumLimit);
        }
}

/// `number` in limbs of 52 bits.
template <typename F>
void expect_word_inverse(const Big& number) {
    Big n = big(), sum = big();
    lanes::Word x[F::kLimbs], result[F::kLimbs];
    for (int i = 0; i < F::kLimbs; ++i) {
        const Big limb = big();
        EXPECT_EQ(BN_rshift(limb.get(), number.get(), i * lanes::kLimbBits), 1);
        x[i] = static_cast<lanes::Word>(BN_mod_word(limb.get(), Limb{1} << lanes::kLimbBits));
    }
    lanes::WordInversion<V, F>::invert(result, x);
    for (int i = F::kLimbs - 1; i >= 0; --i) {
        EXPECT_EQ(BN_lshift(n.get(), n.get(), lanes::kLimbBits), 1);
        EXPECT_EQ(BN_add_word(n.get(), F::kModulus.n.limb[i]), 1);
        EXPECT_EQ(BN_lshift(sum.get(), sum.get(), lanes::kLimbBits), 1);
        EXPECT_EQ((result[i] < 0 ? BN_sub_word : BN_add_word)(sum.get(), static_cast<Limb>(std::abs(result[i]))), 1);
    }
    EXPECT_LT(BN_num_bits(sum.get()), F::kBits + 5);
    EXPECT_EQ(BN_nnmod(sum.get(), sum.get(), n.get(), context()), 1);
    const Big expected = big(), reduced = big();
    EXPECT_EQ(BN_nnmod(reduced.get(), number.get(), n.get(), context()), 1);
    if (!BN_is_zero(reduced.get())) {
        EXPECT_NE(BN_mod_inverse(expected.get(), reduced.get(), n.get(), context()), nullptr);
    }
    EXPECT_TRUE(equal(sum, expected));
}

TEST(WordInversion, AgreesWithOpenssl) {
    for (int bit = 0; bit < 256; ++bit)
        for (const int offset : {-1, 1}) {
            Big number = big(1);
            EXPECT_EQ(BN_lshift(number.get(), number.get(), bit), 1);
            EXPECT_EQ((offset < 0 ? BN_sub_word : BN_add_word)(number.get(), 1), 1);
            expect_word_inverse<Field>(number);
            if (bit < Order::kBits) expect_word_inverse<Order>(number);
        }
    for (int i = 0; i < 300; ++i) {
        Big number = big();
        EXPECT_EQ(BN_rand(number.get(), 255, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY), 1);
        expect_word_inverse<Field>(number);
    }
    for (int offset = -20; offset < 20; ++offset) {
        Big number = prime();
        EXPECT_EQ((offset < 0 ? BN_sub_word : BN_add_word)(number.get(), static_cast<Limb>(std::abs(offset))), 1);
        if (offset != 0) expect_word_inverse<Field>(number);
    }
}

TEST(Field25519, InversesOfExtremesAreRight) {
    for (const auto& positive : sums()) {
        Sum<V> a = positive;
        for (V& limb : a.limb) limb.v %= kProductLimit;
        const Big value = value_of(a);
        if (BN_is_zero(value.get()))
            EXPECT_TRUE(BN_is_zero(value_of(inverse(a)).get()));
        else
            EXPECT_TRUE(BN_is_one(combined(BN_mod_mul, value, value_of(inverse(a))).get()));
    }
}

}  // namespace
}  // namespace octavo::kernel::curve25519::test
