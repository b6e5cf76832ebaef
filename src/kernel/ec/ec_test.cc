#include <gtest/gtest.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "kernel/ec/ec_test_oracle.hpp"
#include "kernel/ec/secret.hpp"
#include "kernel/p256/p256.hpp"
#include "kernel/p384/p384.hpp"
#include "kernel/row.hpp"

/// Every row of every curve against OpenSSL: batches of each size, all lanes different, edge values in every lane.
namespace octavo::kernel::ec::test {
namespace {

constexpr std::size_t kCounts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 63, 64};

/// An output with bytes around it that must not change, at an odd address.
class Output {
public:
    explicit Output(std::size_t len) : len_(len), memory_(len + 2 * kMargin + 1, kGuard) {}
    std::uint8_t* get() { return memory_.data() + kMargin + 1; }
    ByteVector value() const {
        const auto begin = memory_.begin() + kMargin + 1, end = begin + static_cast<std::ptrdiff_t>(len_);
        const auto guard = [](std::uint8_t byte) { return byte == kGuard; };
        EXPECT_TRUE(std::all_of(memory_.begin(), begin, guard) && std::all_of(end, memory_.end(), guard));
        return {begin, end};
    }

private:
    static constexpr std::ptrdiff_t kMargin = 16;
    static constexpr std::uint8_t kGuard = 0xA5;
    std::size_t len_;
    ByteVector memory_;
};

void expect_output(const Output& output, bool good, const ByteVector& expected) {
    EXPECT_EQ(to_hex(output.value()), to_hex(good ? expected : ByteVector(expected.size(), 0)));
}

/// True, and says so where nobody can miss it, if this machine cannot run the row.
bool cannot_run(const Row& row) {
    if (row_usable(row.name, row.needs)) return false;
    std::fprintf(stderr, "\n*** NOT TESTED: this CPU cannot run the row %s (or OCTAVO_* forbids it) ***\n\n", row.name);
    return true;
}

bool is_ref(const Row& row) { return std::string(row.name) == "ref"; }

/// Calls `run(span of cases)` for the first cases in batches of every size, and at last for all of them.
template <typename Case, typename Run>
void in_batches(const std::vector<Case>& cases, Run&& run) {
    std::size_t at = 0;
    const auto take = [&](std::size_t count) {
        std::vector<Case> batch;
        for (std::size_t i = 0; i < count; ++i) batch.push_back(cases[at++ % cases.size()]);
        SCOPED_TRACE("batch of " + std::to_string(count));
        run(std::as_const(batch));
    };
    for (const std::size_t count : kCounts) take(count);
    while (at < cases.size() && !::testing::Test::HasFailure()) take(8);
}

/// Scalars that carries, recoding or a comb could get wrong, scalars out of range, and ordinary ones.
std::vector<ByteVector> scalars(const Oracle& oracle) {
    std::vector<ByteVector> result;
    for (int i = -70; i <= 2; ++i) result.push_back(oracle.near_order(i));
    for (std::uint64_t i = 0; i <= 70; ++i) result.push_back(oracle.small(i));
    for (std::size_t bit = 0; bit < 8 * oracle.len; ++bit) {
        ByteVector power(oracle.len, 0);
        power[oracle.len - 1 - bit / 8] = static_cast<std::uint8_t>(1U << (bit % 8));
        result.push_back(power);
        if (oracle.is_scalar(power)) result.push_back(oracle.minus(power));
    }
    result.emplace_back(oracle.len, 0xFF);
    for (int i = 0; i < 200; ++i) result.push_back(oracle.random_scalar());
    return result;
}

class EcRow : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {
protected:
    const Oracle& oracle() const { return *oracles()[std::get<0>(GetParam())]; }
    const Row& row() const { return oracle().rows[std::get<1>(GetParam())]; }
    void SetUp() override {
        if (cannot_run(row())) GTEST_SKIP() << "the CPU cannot run " << row().name;
    }
};

struct KeygenCase {
    ByteVector scalar;
    bool good;
    AffineBytes point;
};

void run_keygen(const Oracle& oracle, const Row& row, const std::vector<KeygenCase>& cases) {
    std::vector<Output> outputs(2 * cases.size(), Output(oracle.len));
    std::vector<KeygenJob> jobs;
    for (std::size_t i = 0; i < cases.size(); ++i)
        jobs.push_back({cases[i].scalar.data(), outputs[2 * i].get(), outputs[2 * i + 1].get(), !cases[i].good});
    row.keygen(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE("job " + std::to_string(i) + ", scalar " + to_hex(cases[i].scalar));
        EXPECT_EQ(jobs[i].ok, cases[i].good);
        expect_output(outputs[2 * i], cases[i].good, cases[i].point.x);
        expect_output(outputs[2 * i + 1], cases[i].good, cases[i].point.y);
    }
}

std::vector<KeygenCase> keygen_cases(const Oracle& oracle) {
    std::vector<KeygenCase> cases;
    const AffineBytes none{ByteVector(oracle.len), ByteVector(oracle.len)};
    for (const ByteVector& k : scalars(oracle)) {
        const bool good = oracle.is_scalar(k);
        cases.push_back({k, good, good ? oracle.times_base(k) : none});
    }
    return cases;
}

TEST_P(EcRow, KeygenMatchesOracle) {
    in_batches(keygen_cases(oracle()), [&](const auto& batch) { run_keygen(oracle(), row(), batch); });
}

struct DeriveCase {
    ByteVector scalar;
    AffineBytes peer;
    bool good;
    ByteVector shared;
};

void run_derive(const Oracle& oracle, const Row& row, const std::vector<DeriveCase>& cases) {
    std::vector<Output> outputs(cases.size(), Output(oracle.len));
    std::vector<DeriveJob> jobs;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const DeriveCase& c = cases[i];
        jobs.push_back({c.scalar.data(), c.peer.x.data(), c.peer.y.data(), outputs[i].get(), !c.good});
    }
    row.derive(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE("job " + std::to_string(i) + ", scalar " + to_hex(cases[i].scalar));
        EXPECT_EQ(jobs[i].ok, cases[i].good);
        expect_output(outputs[i], cases[i].good, cases[i].shared);
    }
}

/// What no row may take for a point.
std::vector<AffineBytes> bad_points(const Oracle& oracle) {
    const AffineBytes good = oracle.times_base(oracle.random_scalar());
    std::vector<AffineBytes> bad(4, good);
    bad[0].y[oracle.len - 1] ^= 1;
    bad[1].x[0] ^= 0x80;
    bad[2] = {ByteVector(oracle.len, 0), ByteVector(oracle.len, 0)};
    bad[3] = {ByteVector(oracle.len, 0xFF), good.y};
    bad.push_back({oracle.prime(), good.y});
    bad.push_back({good.x, oracle.prime()});
    return bad;
}

/// x + p for a point with an x so small that it fits: its coordinate is out of range, and would else be right.
AffineBytes beyond_prime(const Oracle& oracle) {
    for (std::uint64_t x = 1;; ++x) {
        const ByteVector bytes = oracle.small(x);
        std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>> group{
            EC_GROUP_new_by_curve_name(oracle.len == 32 ? NID_X9_62_prime256v1 : NID_secp384r1)};
        const PointPtr point{EC_POINT_new(group.get())};
        const Bn number = oracle.number(bytes), y{BN_new()};
        if (EC_POINT_set_compressed_coordinates(group.get(), point.get(), number.get(), 0, nullptr) != 1) continue;
        EC_POINT_get_affine_coordinates(group.get(), point.get(), number.get(), y.get(), nullptr);
        BN_add(number.get(), number.get(), oracle.number(oracle.prime()).get());
        return {oracle.bytes(number), oracle.bytes(y)};
    }
}

std::vector<DeriveCase> derive_cases(const Oracle& oracle) {
    std::vector<DeriveCase> cases;
    const ByteVector none(oracle.len);
    AffineBytes peer = oracle.times_base(oracle.random_scalar());
    for (const ByteVector& k : scalars(oracle)) {
        const bool good = oracle.is_scalar(k);
        cases.push_back({k, peer, good, good ? oracle.times(k, peer).x : none});
        peer = cases.size() % 7 == 0 ? oracle.negative(peer) : oracle.times_base(oracle.random_scalar());
    }
    auto bad = bad_points(oracle);
    bad.push_back(beyond_prime(oracle));
    for (std::size_t i = 0; i < bad.size(); ++i)
        cases.insert(cases.begin() + static_cast<std::ptrdiff_t>(5 * i), {oracle.random_scalar(), bad[i], false, none});
    return cases;
}

TEST_P(EcRow, DeriveMatchesOracle) {
    in_batches(derive_cases(oracle()), [&](const auto& batch) { run_derive(oracle(), row(), batch); });
}

struct SignCase {
    ByteVector digest, key, nonce;
    bool good;
    Signature signature;
    AffineBytes point;
};

void run_sign(const Oracle& oracle, const Row& row, const std::vector<SignCase>& cases) {
    std::vector<Output> outputs(2 * cases.size(), Output(oracle.len));
    std::vector<SignJob> jobs;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const SignCase& c = cases[i];
        jobs.push_back(
            {c.digest.data(), c.key.data(), c.nonce.data(), outputs[2 * i].get(), outputs[2 * i + 1].get(), !c.good});
    }
    row.sign(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE("job " + std::to_string(i) + ", nonce " + to_hex(cases[i].nonce));
        const bool own_nonce = is_ref(row) && oracle.is_scalar(cases[i].key);
        EXPECT_EQ(jobs[i].ok, cases[i].good || own_nonce);
        if (own_nonce) {
            const Signature made{outputs[2 * i].value(), outputs[2 * i + 1].value()};
            EXPECT_TRUE(oracle.verify(cases[i].digest, made, cases[i].point));
            continue;
        }
        expect_output(outputs[2 * i], cases[i].good, cases[i].signature.r);
        expect_output(outputs[2 * i + 1], cases[i].good, cases[i].signature.s);
    }
}

SignCase sign_case(const Oracle& oracle, ByteVector digest, ByteVector key, ByteVector nonce) {
    SignCase result{std::move(digest), std::move(key), std::move(nonce), false, {}, {}};
    const ByteVector zero(oracle.len, 0);
    result.signature = {zero, zero};
    if (oracle.is_scalar(result.key)) result.point = oracle.times_base(result.key);
    if (!oracle.is_scalar(result.key) || !oracle.is_scalar(result.nonce)) return result;
    const Signature made = oracle.sign(result.digest, result.key, result.nonce);
    result.good = made.s != zero;
    if (result.good) result.signature = made;
    return result;
}

/// -r d, so that s is zero.
ByteVector zero_digest(const Oracle& oracle, const ByteVector& key, const ByteVector& nonce) {
    const Signature any = oracle.sign(ByteVector(oracle.len, 0), key, nonce);
    return oracle.minus(oracle.product(any.r, key));
}

std::vector<SignCase> sign_cases(const Oracle& oracle) {
    std::vector<SignCase> cases;
    const auto edges = scalars(oracle);
    for (std::size_t i = 0; i < edges.size(); ++i) {
        const ByteVector digest = i % 11 == 0   ? ByteVector(oracle.len, 0)
                                  : i % 11 == 1 ? ByteVector(oracle.len, 0xFF)
                                  : i % 11 == 2 ? oracle.near_order(0)
                                                : oracle.random_scalar();
        cases.push_back(i % 3 == 0 ? sign_case(oracle, digest, edges[i], oracle.random_scalar())
                                   : sign_case(oracle, digest, oracle.random_scalar(), edges[i]));
    }
    for (std::size_t at = 0; at < 30; at += 7) {
        const ByteVector key = oracle.random_scalar(), nonce = oracle.random_scalar();
        cases.insert(cases.begin() + static_cast<std::ptrdiff_t>(at),
                     sign_case(oracle, zero_digest(oracle, key, nonce), key, nonce));
    }
    return cases;
}

TEST_P(EcRow, SignMatchesOracle) {
    in_batches(sign_cases(oracle()), [&](const auto& batch) { run_sign(oracle(), row(), batch); });
}

/// RFC 6979, A.2.5 and A.2.6: "sample" with SHA-256 and SHA-384.
TEST_P(EcRow, SignGivesRfc6979) {
    if (is_ref(row())) return;  // draws its own nonce
    const bool is_p256 = oracle().len == 32;
    const auto digest = is_p256 ? "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf"
                                : "9a9083505bc92276aec4be312696ef7bf3bf603f4bbd381196a029f340585312"
                                  "313bca4a9b5b890efee42c77b1ee25fe";
    const auto key = is_p256 ? "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"
                             : "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8"
                               "96d5724e4c70a825f872c9ea60d2edf5";
    const auto nonce = is_p256 ? "a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60"
                               : "94ed910d1a099dad3254e9242ae85abde4ba15168eaf0ca87a555fd56d10fbca"
                                 "2907e3e83ba95368623b8c4686915cf9";
    const auto r = is_p256 ? "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
                           : "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c"
                             "81a648152e44acf96e36dd1e80fabe46";
    const auto s = is_p256 ? "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
                           : "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f"
                             "a329c145786e679e7b82c71a38628ac8";
    run_sign(oracle(), row(),
             {{from_hex(digest), from_hex(key), from_hex(nonce), true, {from_hex(r), from_hex(s)}, {}}});
}

/// Against the portable generator, which RFC 6979's own vectors check (secret_test.cc).
TEST_P(EcRow, NoncesMatchOracle) {
    const Group& group = oracle().len == 32 ? kGroupP256 : kGroupP384;
    for (const std::size_t count : kCounts) {
        std::vector<ByteVector> inputs;
        std::vector<Output> outputs(count, Output(oracle().len));
        for (std::size_t i = 0; i < count; ++i) {
            inputs.push_back(oracle().random_scalar());
            inputs.push_back(i % 5 == 0 ? oracle().near_order(static_cast<int>(i % 3)) : oracle().random_scalar());
            inputs.push_back(i % 4 == 0 ? ByteVector(kNonceExtraLen, 0) : oracle().random_scalar());
        }
        std::vector<NonceJob> jobs;
        for (std::size_t i = 0; i < count; ++i)
            jobs.push_back(
                {inputs[3 * i].data(), inputs[3 * i + 1].data(), inputs[3 * i + 2].data(), outputs[i].get()});
        row().nonces(jobs.data(), count);
        for (std::size_t i = 0; i < count; ++i) {
            ByteVector expected(oracle().len);
            const Bytes extra{inputs[3 * i + 2].data(), kNonceExtraLen};
            derive_nonce(group, inputs[3 * i], inputs[3 * i + 1], extra, expected);
            EXPECT_EQ(to_hex(outputs[i].value()), to_hex(expected)) << "job " << i << " of " << count;
        }
    }
}

/// A source of randomness that is stuck: whoever sees two signatures with one r and different digests has the key.
TEST_P(EcRow, AStuckSourceRepeatsNoNonce) {
    constexpr std::size_t kCount = 16;
    const ByteVector key = oracle().random_scalar(), stuck(kNonceExtraLen, 0);
    std::vector<ByteVector> digests;
    std::vector<Output> nonces(2 * kCount, Output(oracle().len));
    std::vector<NonceJob> jobs;
    for (std::size_t i = 0; i < kCount; ++i) digests.push_back(oracle().small(i));
    for (std::size_t i = 0; i < 2 * kCount; ++i)
        jobs.push_back({key.data(), digests[i % kCount].data(), stuck.data(), nonces[i].get()});
    row().nonces(jobs.data(), jobs.size());
    std::set<ByteVector> different;
    for (std::size_t i = 0; i < kCount; ++i) {
        EXPECT_EQ(nonces[i].value(), nonces[i + kCount].value()) << "one digest, one signature";
        EXPECT_TRUE(oracle().is_scalar(nonces[i].value()));
        different.insert(nonces[i].value());
    }
    EXPECT_EQ(different.size(), kCount);
}

struct VerifyCase {
    ByteVector digest;
    Signature signature;
    AffineBytes key;
    bool good;
};

void run_verify(const Row& row, const std::vector<VerifyCase>& cases) {
    std::vector<VerifyJob> jobs;
    for (const VerifyCase& c : cases)
        jobs.push_back(
            {c.digest.data(), c.signature.r.data(), c.signature.s.data(), c.key.x.data(), c.key.y.data(), !c.good});
    row.verify(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < cases.size(); ++i)
        EXPECT_EQ(jobs[i].ok, cases[i].good) << "job " << i << ", digest " << to_hex(cases[i].digest);
}

VerifyCase valid_case(const Oracle& oracle, const ByteVector& digest) {
    const ByteVector d = oracle.random_scalar();
    return {digest, oracle.sign(digest, d, oracle.random_scalar()), oracle.times_base(d), true};
}

/// Good signatures, each followed by what one changed number makes of it.
void add_changed(const Oracle& oracle, std::vector<VerifyCase>& cases) {
    for (int i = 0; i < 12; ++i) {
        const VerifyCase good = valid_case(oracle, oracle.random_scalar());
        cases.push_back(good);
        const std::size_t at = static_cast<std::size_t>(i) * 5 % oracle.len;
        for (int change = 0; change < 4; ++change) {
            VerifyCase bad = good;
            ByteVector* const fields[] = {&bad.digest, &bad.signature.r, &bad.signature.s};
            if (change < 3)
                (*fields[change])[at] ^= static_cast<std::uint8_t>(1U << (i % 8));
            else
                bad.key = i % 2 == 0 ? oracle.negative(good.key) : oracle.times_base(oracle.random_scalar());
            bad.good = oracle.verify(bad.digest, bad.signature, bad.key);
            EXPECT_FALSE(bad.good);
            cases.push_back(bad);
        }
    }
}

void add_out_of_range(const Oracle& oracle, std::vector<VerifyCase>& cases) {
    for (const auto& number :
         {oracle.small(0), oracle.near_order(0), oracle.near_order(1), ByteVector(oracle.len, 0xFF)}) {
        VerifyCase bad = valid_case(oracle, oracle.random_scalar());
        bad.good = false;
        bad.signature.r = number;
        cases.push_back(bad);
        bad = valid_case(oracle, oracle.random_scalar());
        bad.good = false;
        bad.signature.s = number;
        cases.push_back(bad);
    }
    for (const AffineBytes& point : bad_points(oracle)) {
        cases.push_back(valid_case(oracle, oracle.random_scalar()));
        cases.back().key = point;
        cases.back().good = false;
    }
}

/// u1 G = u2 Q: the sum is a doubling, of a good signature and of a bad one.
void add_equal_points(const Oracle& oracle, std::vector<VerifyCase>& cases, const ByteVector& d) {
    const ByteVector nonce = oracle.random_scalar(), r = oracle.sign(oracle.small(0), d, nonce).r;
    const ByteVector digest = oracle.product(r, d);
    cases.push_back({digest, oracle.sign(digest, d, nonce), oracle.times_base(d), true});
    cases.push_back({digest, {r, oracle.random_scalar()}, oracle.times_base(d), false});
}

/// u1 G = -u2 Q: the sum is infinite, even where r is what a doubling would give.
void add_opposite_points(const Oracle& oracle, std::vector<VerifyCase>& cases, const ByteVector& d) {
    const ByteVector t = oracle.random_scalar();
    const ByteVector r = oracle.sign(oracle.small(0), d, oracle.product(t, oracle.small(2))).r;
    const ByteVector digest = oracle.minus(oracle.product(r, d));
    const ByteVector s = oracle.product(digest, oracle.inverse(t));
    cases.push_back({digest, {r, s}, oracle.times_base(d), false});
    cases.push_back({digest, {r, oracle.random_scalar()}, oracle.times_base(d), false});
}

/// u1 G and u2 Q equal, opposite, or the first infinite; Q = G, Q = -G.
void add_exceptional(const Oracle& oracle, std::vector<VerifyCase>& cases) {
    cases.push_back(valid_case(oracle, oracle.small(0)));
    cases.push_back(valid_case(oracle, oracle.near_order(0)));
    cases.push_back(valid_case(oracle, ByteVector(oracle.len, 0xFF)));
    for (const auto& d : {oracle.random_scalar(), oracle.small(1), oracle.near_order(-1), oracle.small(2)}) {
        add_equal_points(oracle, cases, d);
        add_opposite_points(oracle, cases, d);
    }
}

TEST_P(EcRow, VerifyMatchesOracle) {
    std::vector<VerifyCase> cases;
    add_exceptional(oracle(), cases);
    add_changed(oracle(), cases);
    for (const VerifyCase& c : cases) EXPECT_EQ(oracle().verify(c.digest, c.signature, c.key), c.good);
    add_out_of_range(oracle(), cases);  // some of the keys are no points, which the oracle does not take
    in_batches(cases, [&](const auto& batch) { run_verify(row(), batch); });
}

std::vector<std::tuple<std::size_t, std::size_t>> all_rows() {
    std::vector<std::tuple<std::size_t, std::size_t>> result;
    for (std::size_t curve = 0; curve < oracles().size(); ++curve)
        for (std::size_t row = 0; row < oracles()[curve]->rows.size(); ++row) result.emplace_back(curve, row);
    return result;
}

INSTANTIATE_TEST_SUITE_P(Table, EcRow, ::testing::ValuesIn(all_rows()), [](const auto& param) {
    const Oracle& oracle = *oracles()[std::get<0>(param.param)];
    return oracle.name + "_" + oracle.rows[std::get<1>(param.param)].name;
});

TEST(EcTable, EndsWithRef) {
    for (const auto& oracle : oracles()) {
        EXPECT_TRUE(is_ref(oracle->rows.back()));
        EXPECT_EQ(oracle->rows.back().needs, cpu::none);
    }
}

TEST(EcTable, WithoutIfmaOnlyRefIsLeft) {
    cpu::disable(cpu::avx512ifma);
    EXPECT_EQ(p256::lane_row(), nullptr);
    EXPECT_EQ(p384::lane_row(), nullptr);
    cpu::disable(cpu::none);
}

}  // namespace
}  // namespace octavo::kernel::ec::test
