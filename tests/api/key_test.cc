#include <cstring>
#include <functional>
#include <limits>

#include "support.hpp"

/// octavo_key_create_rsa() and its siblings: what is accepted, and that each refusal names the field.

namespace api_test {
namespace {

octavo_status create(const RsaParts& parts) {
    octavo_key key{77};
    const auto status = octavo_key_create_rsa(RawKey{parts}.get(), &key);
    if (status == OCTAVO_OK)
        EXPECT_EQ(octavo_key_destroy(key), OCTAVO_OK);
    else
        EXPECT_EQ(key.id, 0U) << "the handle must be {0} after an error";
    return status;
}

struct BadKey {
    const char* name;
    std::function<void(RsaParts&)> spoil;
    std::initializer_list<octavo_status> wanted;
    const char* field;
};

class BadKeys : public testing::TestWithParam<BadKey> {};

TEST_P(BadKeys, AreRefusedByField) {
    auto parts = shared_parts(1024);
    GetParam().spoil(parts);
    EXPECT_TRUE(refused(create(parts), GetParam().wanted, GetParam().field));
}

Buffer ones(std::size_t len) { return Buffer(len, 0xff); }
Buffer even(Buffer number) {
    number.back() &= 0xfe;
    return number;
}
/// n = p q with another p or q, so that only that prime is at fault.
void replace_primes(RsaParts& k, const Buffer& p, const Buffer& q) {
    k.p = p;
    k.q = q;
    k.n = product(p, q);
}

const BadKey kBadPublic[] = {
    {"n_absent", [](auto& k) { k.n = {}; }, {OCTAVO_ERR_KEY_N}, "n"},
    {"n_zero", [](auto& k) { k.n = Buffer(128); }, {OCTAVO_ERR_KEY_N}, "n"},
    {"n_one", [](auto& k) { k.n = {1}; }, {OCTAVO_ERR_KEY_N}, "n"},
    {"n_even", [](auto& k) { k.n = even(k.n); }, {OCTAVO_ERR_KEY_N}, "n"},
    {"n_511_bits", [](auto& k) { k = public_half(k), k.n = ones(64), k.n[0] = 0x7f; }, {OCTAVO_ERR_KEY_N}, "n"},
    {"n_16385_bits", [](auto& k) { k = public_half(k), k.n = ones(2049), k.n[0] = 1; }, {OCTAVO_ERR_KEY_N}, "n"},
    {"n_of_a_megabyte", [](auto& k) { k = public_half(k), k.n = ones(1 << 20); }, {OCTAVO_ERR_KEY_N}, "n"},
    {"n_short_behind_zeros", [](auto& k) { k.n = Buffer(200), k.n.back() = 15; }, {OCTAVO_ERR_KEY_N}, "n"},
    {"e_absent", [](auto& k) { k.e = {}; }, {OCTAVO_ERR_KEY_E}, "e"},
    {"e_zero",
     [](auto& k) {
         k.e = {0, 0, 0};
     },
     {OCTAVO_ERR_KEY_E},
     "e"},
    {"e_one", [](auto& k) { k.e = {1}; }, {OCTAVO_ERR_KEY_E}, "e"},
    {"e_two", [](auto& k) { k.e = {2}; }, {OCTAVO_ERR_KEY_E}, "e"},
    {"e_even",
     [](auto& k) {
         k.e = {1, 0, 0};
     },
     {OCTAVO_ERR_KEY_E},
     "e"},
    {"e_is_n", [](auto& k) { k = public_half(k), k.e = k.n; }, {OCTAVO_ERR_KEY_E}, "e"},
    {"e_above_n", [](auto& k) { k = public_half(k), k.e = ones(k.n.size()); }, {OCTAVO_ERR_KEY_E}, "e"},
    {"e_longer_than_n", [](auto& k) { k = public_half(k), k.e = ones(4096); }, {OCTAVO_ERR_KEY_E}, "e"},
};
const BadKey kBadPrivate[] = {
    {"d_absent", [](auto& k) { k.d = {}; }, {OCTAVO_ERR_KEY_D}, "d"},
    {"d_zero", [](auto& k) { k.d = Buffer(128); }, {OCTAVO_ERR_KEY_D}, "d"},
    {"d_is_n", [](auto& k) { k.d = k.n; }, {OCTAVO_ERR_KEY_D}, "d"},
    {"d_above_n", [](auto& k) { k.d = ones(k.n.size()); }, {OCTAVO_ERR_KEY_D}, "d"},
    {"d_longer_than_n", [](auto& k) { k.d = ones(5000); }, {OCTAVO_ERR_KEY_D}, "d"},
    {"p_absent", [](auto& k) { k.p = {}; }, {OCTAVO_ERR_KEY_P}, "p"},
    {"q_absent", [](auto& k) { k.q = {}; }, {OCTAVO_ERR_KEY_Q}, "q"},
    {"dp_absent", [](auto& k) { k.dp = {}; }, {OCTAVO_ERR_KEY_DP}, "dp"},
    {"dq_absent", [](auto& k) { k.dq = {}; }, {OCTAVO_ERR_KEY_DQ}, "dq"},
    {"qinv_absent", [](auto& k) { k.qinv = {}; }, {OCTAVO_ERR_KEY_QINV}, "qinv"},
    {"p_is_q", [](auto& k) { replace_primes(k, k.p, k.p); }, {OCTAVO_ERR_KEY_P, OCTAVO_ERR_KEY_Q}, "p"},
    {"p_even", [](auto& k) { replace_primes(k, even(k.p), k.q), k.n = shared_parts(1024).n; }, {OCTAVO_ERR_KEY_P}, "p"},
    {"q_even", [](auto& k) { k.q = even(k.q); }, {OCTAVO_ERR_KEY_Q}, "q"},
    {"p_zero", [](auto& k) { k.p = Buffer(64); }, {OCTAVO_ERR_KEY_P}, "p"},
    {"q_zero", [](auto& k) { k.q = Buffer(64); }, {OCTAVO_ERR_KEY_Q}, "q"},
    {"p_one", [](auto& k) { k.p = {1}, k.q = k.n; }, {OCTAVO_ERR_KEY_P}, "p"},
    {"q_one", [](auto& k) { k.q = {1}, k.p = k.n; }, {OCTAVO_ERR_KEY_P}, "p"},
    {"p_longer_than_n", [](auto& k) { k.p = ones(4096); }, {OCTAVO_ERR_KEY_P}, "p"},
    {"q_longer_than_n", [](auto& k) { k.q = ones(4096); }, {OCTAVO_ERR_KEY_Q}, "q"},
    {"p_times_q_is_not_n", [](auto& k) { k.p = plus(k.p, 2); }, {OCTAVO_ERR_KEY_N}, "n"},
    {"dp_zero", [](auto& k) { k.dp = {0}; }, {OCTAVO_ERR_KEY_DP}, "dp"},
    {"dp_is_p", [](auto& k) { k.dp = k.p; }, {OCTAVO_ERR_KEY_DP}, "dp"},
    {"dp_right_but_not_reduced", [](auto& k) { k.dp = plus(sum(k.dp, k.p), -1); }, {OCTAVO_ERR_KEY_DP}, "dp"},
    {"dp_wrong", [](auto& k) { k.dp = plus(k.dp, 2); }, {OCTAVO_ERR_KEY_DP}, "dp"},
    {"dp_longer_than_n", [](auto& k) { k.dp = ones(4096); }, {OCTAVO_ERR_KEY_DP}, "dp"},
    {"dq_zero", [](auto& k) { k.dq = {0}; }, {OCTAVO_ERR_KEY_DQ}, "dq"},
    {"dq_is_q", [](auto& k) { k.dq = k.q; }, {OCTAVO_ERR_KEY_DQ}, "dq"},
    {"dq_right_but_not_reduced", [](auto& k) { k.dq = plus(sum(k.dq, k.q), -1); }, {OCTAVO_ERR_KEY_DQ}, "dq"},
    {"dq_wrong", [](auto& k) { k.dq = plus(k.dq, 2); }, {OCTAVO_ERR_KEY_DQ}, "dq"},
    {"dq_longer_than_n", [](auto& k) { k.dq = ones(4096); }, {OCTAVO_ERR_KEY_DQ}, "dq"},
    {"qinv_zero", [](auto& k) { k.qinv = {0}; }, {OCTAVO_ERR_KEY_QINV}, "qinv"},
    {"qinv_is_p", [](auto& k) { k.qinv = k.p; }, {OCTAVO_ERR_KEY_QINV}, "qinv"},
    {"qinv_right_but_not_reduced", [](auto& k) { k.qinv = sum(k.qinv, k.p); }, {OCTAVO_ERR_KEY_QINV}, "qinv"},
    {"qinv_wrong", [](auto& k) { k.qinv = plus(k.qinv, 1); }, {OCTAVO_ERR_KEY_QINV}, "qinv"},
    {"qinv_longer_than_n", [](auto& k) { k.qinv = ones(4096); }, {OCTAVO_ERR_KEY_QINV}, "qinv"},
};

const auto kName = [](const auto& info) { return std::string{info.param.name}; };
INSTANTIATE_TEST_SUITE_P(Public, BadKeys, testing::ValuesIn(kBadPublic), kName);
INSTANTIATE_TEST_SUITE_P(Private, BadKeys, testing::ValuesIn(kBadPrivate), kName);

RsaParts three_primes() {
    static const auto parts = random_parts(1024, 65537, 3);
    return parts;
}

class BadExtraPrimes : public testing::TestWithParam<BadKey> {};
TEST_P(BadExtraPrimes, AreRefused) {
    auto parts = three_primes();
    GetParam().spoil(parts);
    EXPECT_TRUE(refused(create(parts), GetParam().wanted, GetParam().field));
}

constexpr auto kExtra = OCTAVO_ERR_KEY_EXTRA_PRIME;
const BadKey kBadExtra[] = {
    {"prime_absent", [](auto& k) { k.extra[0].prime = {}; }, {kExtra}, "extra_primes"},
    {"prime_even", [](auto& k) { k.extra[0].prime = even(k.extra[0].prime); }, {kExtra}, "extra_primes"},
    {"prime_one", [](auto& k) { k.extra[0].prime = {1}; }, {kExtra}, "extra_primes"},
    {"prime_long", [](auto& k) { k.extra[0].prime = ones(4096); }, {kExtra}, "extra_primes"},
    {"exponent_absent", [](auto& k) { k.extra[0].exponent = {}; }, {kExtra}, "extra_primes"},
    {"exponent_zero", [](auto& k) { k.extra[0].exponent = {0}; }, {kExtra}, "extra_primes"},
    {"exponent_wrong", [](auto& k) { k.extra[0].exponent = plus(k.extra[0].exponent, 2); }, {kExtra}, "extra_primes"},
    {"exponent_long", [](auto& k) { k.extra[0].exponent = ones(4096); }, {kExtra}, "extra_primes"},
    {"coefficient_absent", [](auto& k) { k.extra[0].coefficient = {}; }, {kExtra}, "extra_primes"},
    {"coefficient_wrong",
     [](auto& k) { k.extra[0].coefficient = plus(k.extra[0].coefficient, 1); },
     {kExtra},
     "extra_primes"},
    {"coefficient_long", [](auto& k) { k.extra[0].coefficient = ones(4096); }, {kExtra}, "extra_primes"},
    {"four_of_them", [](auto& k) { k.extra.resize(4, k.extra[0]); }, {kExtra}, "extra_primes"},
    {"without_the_others", [](auto& k) { k.p = k.q = k.dp = k.dq = k.qinv = {}; }, {OCTAVO_ERR_KEY_P}, "p"},
    {"one_missing", [](auto& k) { k.extra.clear(); }, {OCTAVO_ERR_KEY_N}, "n"},
    {"same_as_p",
     [](auto& k) { k.extra[0].prime = k.p, k.n = product(product(k.p, k.q), k.p); },
     {kExtra, OCTAVO_ERR_KEY_P},
     "extra_primes"},
};
INSTANTIATE_TEST_SUITE_P(Extra, BadExtraPrimes, testing::ValuesIn(kBadExtra), kName);

// ---- lengths and sizes that lie ----

struct Field {
    const char* name;
    octavo_number octavo_rsa_key::*number;
    octavo_status status;
};
class LyingLengths : public testing::TestWithParam<Field> {
protected:
    octavo_status create_with(octavo_number number) {
        RawKey raw{shared_parts(1024)};
        (*raw).*GetParam().number = number;
        octavo_key key{77};
        const auto status = octavo_key_create_rsa(raw.get(), &key);
        EXPECT_EQ(key.id, 0U);
        return status;
    }
};

TEST_P(LyingLengths, NullDataWithALength) {
    EXPECT_TRUE(refused(create_with({nullptr, 128}), {GetParam().status, OCTAVO_ERR_NULL_ARGUMENT}, GetParam().name));
    EXPECT_TRUE(
        refused(create_with({nullptr, SIZE_MAX}), {GetParam().status, OCTAVO_ERR_NULL_ARGUMENT}, GetParam().name));
}

TEST_P(LyingLengths, LengthsThatWrapInBits) {
    const auto& n = shared_parts(1024).n;
    // times 8 these are 0, 1024, -8 and 2^63: the library must not take them for anything else than absurd
    for (const std::size_t len : {std::size_t{1} << 61, (std::size_t{1} << 61) + 128, SIZE_MAX, std::size_t{1} << 60})
        EXPECT_TRUE(refused(create_with({n.data(), len}), {GetParam().status, OCTAVO_ERR_BAD_LENGTH}, GetParam().name));
}

constexpr Field kFields[] = {
    {"n", &octavo_rsa_key::n, OCTAVO_ERR_KEY_N},    {"e", &octavo_rsa_key::e, OCTAVO_ERR_KEY_E},
    {"d", &octavo_rsa_key::d, OCTAVO_ERR_KEY_D},    {"p", &octavo_rsa_key::p, OCTAVO_ERR_KEY_P},
    {"q", &octavo_rsa_key::q, OCTAVO_ERR_KEY_Q},    {"dp", &octavo_rsa_key::dp, OCTAVO_ERR_KEY_DP},
    {"dq", &octavo_rsa_key::dq, OCTAVO_ERR_KEY_DQ}, {"qinv", &octavo_rsa_key::qinv, OCTAVO_ERR_KEY_QINV},
};
INSTANTIATE_TEST_SUITE_P(All, LyingLengths, testing::ValuesIn(kFields), kName);

TEST(Key, SizeFieldMustBeTheStructs) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof(octavo_rsa_key) - 1,
                                   sizeof(octavo_rsa_key) + 8, std::numeric_limits<std::size_t>::max()}) {
        RawKey raw{shared_parts(1024)};
        raw->size = size;
        octavo_key key{77};
        EXPECT_TRUE(refused(octavo_key_create_rsa(raw.get(), &key), {OCTAVO_ERR_BAD_ARGUMENT}, "size"));
        EXPECT_EQ(key.id, 0U);
    }
}

TEST(Key, ExtraPrimesThatAreNotThere) {
    RawKey raw{shared_parts(1024)};
    raw->num_extra_primes = 1;
    octavo_key key{77};
    EXPECT_TRUE(refused(octavo_key_create_rsa(raw.get(), &key), {OCTAVO_ERR_NULL_ARGUMENT, kExtra}, "extra_primes"));
    raw->num_extra_primes = SIZE_MAX;
    EXPECT_TRUE(refused(octavo_key_create_rsa(raw.get(), &key), {OCTAVO_ERR_NULL_ARGUMENT, kExtra}, "extra_primes"));
    EXPECT_EQ(key.id, 0U);
}

TEST(Key, ExtraPrimeLengthsThatLie) {
    for (const std::size_t len : {std::size_t{128}, std::size_t{1} << 61, SIZE_MAX}) {
        RawKey raw{three_primes()};
        raw.extra(0).coefficient = {nullptr, len};
        octavo_key key{77};
        EXPECT_TRUE(
            refused(octavo_key_create_rsa(raw.get(), &key), {kExtra, OCTAVO_ERR_NULL_ARGUMENT}, "extra_primes"));
        EXPECT_EQ(key.id, 0U);
    }
}

TEST(Key, NullArguments) {
    octavo_key key{77};
    EXPECT_TRUE(refused(octavo_key_create_rsa(nullptr, &key), {OCTAVO_ERR_NULL_ARGUMENT}, "numbers"));
    EXPECT_EQ(key.id, 0U);
    EXPECT_TRUE(
        refused(octavo_key_create_rsa(RawKey{shared_parts(512)}.get(), nullptr), {OCTAVO_ERR_NULL_ARGUMENT}, "key"));
    const auto owner = make_key(shared_parts(512));
    EXPECT_TRUE(refused(octavo_key_length(owner.handle(), nullptr), {OCTAVO_ERR_NULL_ARGUMENT}, "len"));
}

// ---- what is accepted ----

TEST(Key, LengthIsTheModulus) {
    for (const int bits : {512, 1000, 1021, 2048}) {
        const auto owner = make_key(random_parts(bits));
        EXPECT_EQ(*owner.length(), static_cast<std::size_t>((bits + 7) / 8)) << bits;
    }
}

TEST(Key, LeadingZerosAreAllowedInEveryField) {
    auto parts = random_parts(1024, 65537, 3);
    const auto pad = [](Buffer& number) { number.insert(number.begin(), 300, 0); };
    for (auto* number : {&parts.n, &parts.e, &parts.d, &parts.p, &parts.q, &parts.dp, &parts.dq, &parts.qinv})
        pad(*number);
    pad(parts.extra[0].prime), pad(parts.extra[0].exponent), pad(parts.extra[0].coefficient);
    const auto owner = make_key(parts);
    EXPECT_EQ(*owner.length(), 128U);
}

TEST(Key, ExponentWidthIsLimitedAboveThreeThousandBits) {
    auto at_limit = public_half(shared_parts(3072));
    at_limit.e = ones(9);
    EXPECT_EQ(create(at_limit), OCTAVO_OK);
    auto above = public_half(shared_parts(4096));
    above.e = ones(8);
    EXPECT_EQ(create(above), OCTAVO_OK);
    above.e = ones(9);
    EXPECT_TRUE(refused(create(above), {OCTAVO_ERR_KEY_E}, "e"));
}

TEST(Key, PrimesInEitherOrderAndOfUnequalSize) {
    const auto a = random_prime(400, 65537), b = random_prime(624, 65537);
    EXPECT_EQ(create(parts_from({a, b}, 65537)), OCTAVO_OK);
    EXPECT_EQ(create(parts_from({b, a}, 65537)), OCTAVO_OK);
}

// ---- handles ----

TEST(Key, DestroyedAndInventedHandles) {
    auto owner = make_key(shared_parts(512));
    const auto key = owner.release();
    EXPECT_EQ(octavo_key_destroy(key), OCTAVO_OK);
    const octavo_key never[] = {key, {0}, {1ULL << 40}, {UINT64_MAX}, {key.id ^ 1U}, {key.id | 1ULL << 63}};
    for (const auto handle : never) {
        std::size_t len = 99;
        EXPECT_TRUE(refused(octavo_key_destroy(handle), {OCTAVO_ERR_BAD_HANDLE}, "key")) << handle.id;
        EXPECT_TRUE(refused(octavo_key_length(handle, &len), {OCTAVO_ERR_BAD_HANDLE}, "key")) << handle.id;
    }
}

TEST(Key, HandlesAreNotReusedSoon) {
    auto first = make_key(shared_parts(512));
    const auto old = first.release();
    ASSERT_EQ(octavo_key_destroy(old), OCTAVO_OK);
    for (int i = 0; i < 50; ++i) EXPECT_NE(make_key(public_half(shared_parts(512))).handle().id, old.id);
}

TEST(Key, ManyAtOnce) {
    std::vector<octavo::Key> keys;
    const auto half = public_half(shared_parts(512));
    for (int i = 0; i < 3000; ++i) keys.push_back(make_key(half));
    for (const auto& key : keys) ASSERT_EQ(*key.length(), 64U);
}

}  // namespace
}  // namespace api_test
