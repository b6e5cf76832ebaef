#include <gtest/gtest.h>
#include <string.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "kernel/row.hpp"
#include "kernel/rsa/rsa_test_keys.hpp"

/// Every row of the table against BN_mod_exp.
namespace octavo::kernel::rsa::test {
namespace {

constexpr std::size_t kSizes[] = {2048, 3072, 4096};
constexpr std::size_t kMaxCount = 8;

/// One operation with its answer.
struct Case {
    const KeyForms* forms;
    ByteVector in, expected;
};

enum class Direction { to_public, to_private };
enum class Layout { misaligned, in_place };

/// A job's buffers, at odd addresses, with bytes around them that must not change.
class Buffers {
public:
    Buffers(const Case& c, std::size_t index, Layout layout) : offset_(1 + 3 * index), len_(c.in.size()) {
        in_.assign(len_ + 128, kGuard);
        out_.assign(len_ + 128, kGuard);
        std::copy(c.in.begin(), c.in.end(), in_.begin() + shift());
        std::uint8_t* in = in_.data() + offset_;
        job_ = {c.forms, in, layout == Layout::in_place ? in : out_.data() + offset_ + 4, len_, false};
    }
    const Job& job() const { return job_; }

    void expect(const Case& c, const Job& done) const {
        EXPECT_TRUE(done.ok);
        EXPECT_TRUE(std::equal(c.expected.begin(), c.expected.end(), done.out)) << "wrong result";
        const bool in_place = done.out == done.in;
        if (!in_place) {
            EXPECT_TRUE(std::equal(c.in.begin(), c.in.end(), done.in)) << "input changed";
        }
        expect_guards(in_, offset_);
        if (!in_place) expect_guards(out_, offset_ + 4);
    }

private:
    static constexpr std::uint8_t kGuard = 0xA5;

    std::ptrdiff_t shift() const { return static_cast<std::ptrdiff_t>(offset_); }
    void expect_guards(const ByteVector& buffer, std::size_t offset) const {
        const auto begin = buffer.begin() + static_cast<std::ptrdiff_t>(offset);
        const auto guard = [](std::uint8_t byte) { return byte == kGuard; };
        EXPECT_TRUE(std::all_of(buffer.begin(), begin, guard)) << "wrote before the buffer";
        EXPECT_TRUE(std::all_of(begin + static_cast<std::ptrdiff_t>(len_), buffer.end(), guard)) << "wrote behind it";
    }

    std::size_t offset_, len_;
    ByteVector in_, out_;
    Job job_{};
};

void run_batch(const Row& row, Direction direction, std::span<const Case> cases, Layout layout) {
    std::vector<Buffers> buffers;
    std::vector<Job> jobs;
    for (const Case& c : cases) buffers.emplace_back(c, buffers.size(), layout);
    for (const Buffers& b : buffers) jobs.push_back(b.job());
    Scratch scratch(row);
    (direction == Direction::to_private ? row.run_private : row.run_public)(jobs.data(), jobs.size(), scratch.data());
    EXPECT_TRUE(scratch.clean()) << "the scratch memory was not wiped";
    for (std::size_t i = 0; i < cases.size(); ++i) {
        SCOPED_TRACE("operation " + std::to_string(i) + " of " + std::to_string(cases.size()));
        buffers[i].expect(cases[i], jobs[i]);
    }
}

/// All cases, `count` at a time; the last batch is as short as it comes out.
void run_all(const Row& row, Direction direction, std::span<const Case> cases, std::size_t count, Layout layout) {
    SCOPED_TRACE(std::string(row.name) + ", batches of " + std::to_string(count));
    for (std::size_t i = 0; i < cases.size() && !::testing::Test::HasFailure(); i += count)
        run_batch(row, direction, cases.subspan(i, std::min(count, cases.size() - i)), layout);
}

/// Inputs that a reduction or a carry could get wrong, and ordinary ones. Kind 0..kKinds-1.
constexpr std::size_t kKinds = 8;
ByteVector input_of_kind(const TestKey& key, std::size_t kind) {
    const Bn n = bn(Bytes{key.n});
    const auto multiple = [&](const ByteVector& factor, const ByteVector& below) {
        Bn result = bn(Bytes{random_below(below)});
        const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> ctx{BN_CTX_new(), &BN_CTX_free};
        BN_mul(result.get(), result.get(), bn(Bytes{factor}).get(), ctx.get());
        return bytes_of(result, key.len());
    };
    switch (kind) {
        case 0:
            return bytes_of(bn(0), key.len());
        case 1:
            return bytes_of(bn(1), key.len());
        case 2:
            BN_sub_word(n.get(), 1);
            return bytes_of(n, key.len());
        case 3:
            return multiple(key.p, key.q);
        case 4:
            return multiple(key.q, key.p);
        case 5:
            BN_sub_word(n.get(), 2);
            return bytes_of(n, key.len());
        default:
            return random_below(key.n);
    }
}

/// Keys and cases of one size, made once per process; neighbours differ in key and in kind of input.
struct Suite {
    std::vector<std::unique_ptr<Forms>> forms;
    std::vector<Case> to_private, to_public;
};

constexpr std::uint64_t kExponents[] = {65537, 3, 17, 0xC0000001, 5};

void add_private(Suite& suite, const std::vector<TestKey>& keys) {
    for (const TestKey& key : keys) suite.forms.push_back(std::make_unique<Forms>(Parts(key).all()));
    for (std::size_t round = 0; round < kKinds; ++round) {
        for (std::size_t i = 0; i < keys.size(); ++i) {
            ByteVector in = input_of_kind(keys[i], (round + i) % kKinds);
            ByteVector expected = mod_exp(in, keys[i].d, keys[i].n);
            suite.to_private.push_back({&suite.forms[i]->get(), std::move(in), std::move(expected)});
        }
    }
}

/// The exponents in turn, so that a batch mixes them. Any odd modulus will do for a public operation.
void add_public(Suite& suite, const std::vector<TestKey>& keys) {
    for (std::size_t i = 0; i < kKinds * keys.size(); ++i) {
        TestKey key = keys[i % keys.size()];
        key.e = bytes_of(bn(kExponents[i % std::size(kExponents)]));
        suite.forms.push_back(std::make_unique<Forms>(Parts(key).public_only()));
        ByteVector in = input_of_kind(key, (i + i / keys.size()) % kKinds);
        ByteVector expected = mod_exp(in, key.e, key.n);
        suite.to_public.push_back({&suite.forms.back()->get(), std::move(in), std::move(expected)});
    }
}

const Suite& suite_of(std::size_t bits) {
    static std::map<std::size_t, Suite> suites;
    Suite& suite = suites[bits];
    if (suite.forms.empty()) {
        add_private(suite, keys_of_size(bits));
        add_public(suite, keys_of_size(bits));
    }
    return suite;
}

/// The cases that a row takes; the forms that a row reads exist exactly where it takes the shape.
std::vector<Case> taken(const Row& row, Direction direction, const std::vector<Case>& cases) {
    if (&row == &ref_row()) return cases;
    std::vector<Case> result;
    std::copy_if(cases.begin(), cases.end(), std::back_inserter(result), [&](const Case& c) {
        if (direction == Direction::to_private) return c.forms->private_form != nullptr;
        return c.forms->public_form != nullptr;
    });
    return result;
}

/// True, and says so where nobody can miss it, if this machine cannot run the row.
bool cannot_run(const Row& row) {
    if (row_usable(row.name, row.needs)) return false;
    std::fprintf(stderr, "\n*** NOT TESTED: this CPU cannot run the RSA row %s (or OCTAVO_* forbids it) ***\n\n",
                 row.name);
    return true;
}

class RsaRow : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {
protected:
    const Row& row() const { return rows()[std::get<0>(GetParam())]; }
    const Suite& suite() const { return suite_of(std::get<1>(GetParam())); }
    void run_counts(Direction direction, const std::vector<Case>& all) const {
        const std::vector<Case> cases = taken(row(), direction, all);
        ASSERT_FALSE(cases.empty());
        for (std::size_t count = 1; count <= std::min(kMaxCount, row().max_batch); ++count)
            run_all(row(), direction, cases, count, count % 2 == 0 ? Layout::in_place : Layout::misaligned);
        run_all(row(), direction, cases, std::min(row().max_batch, cases.size()), Layout::misaligned);
    }
};

TEST_P(RsaRow, PrivateMatchesOracle) {
    if (cannot_run(row())) GTEST_SKIP() << "the CPU cannot run " << row().name;
    EXPECT_EQ(taken(row(), Direction::to_private, suite().to_private).size(), suite().to_private.size());
    run_counts(Direction::to_private, suite().to_private);
}

TEST_P(RsaRow, PublicMatchesOracle) {
    if (cannot_run(row())) GTEST_SKIP() << "the CPU cannot run " << row().name;
    run_counts(Direction::to_public, suite().to_public);
}

std::string row_and_size(const ::testing::TestParamInfo<RsaRow::ParamType>& info) {
    return std::string(rows()[std::get<0>(info.param)].name) + "_" + std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Table, RsaRow,
                         ::testing::Combine(::testing::Range(std::size_t{0}, rows().size()),
                                            ::testing::ValuesIn(kSizes)),
                         row_and_size);

TEST(RsaTable, EndsWithRefWhichTakesEverything) {
    ASSERT_FALSE(rows().empty());
    EXPECT_STREQ(rows().back().name, "ref");
    EXPECT_EQ(&rows().back(), &ref_row());
    EXPECT_EQ(ref_row().needs, cpu::none);
    EXPECT_TRUE(ref_row().takes_private(Parts(keys_of_size(2048)[0]).without_crt()));
}

/// Gives the features back however a test ends.
struct DisabledFeature {
    explicit DisabledFeature(cpu::Features feature) { cpu::disable(feature); }
    DisabledFeature(const DisabledFeature&) = delete;
    DisabledFeature& operator=(const DisabledFeature&) = delete;
    ~DisabledFeature() { cpu::disable(cpu::none); }
};

class RsaWithout : public ::testing::TestWithParam<cpu::FeatureName> {};

TEST_P(RsaWithout, TheRowThatIsLeftMatchesOracle) {
    const Row* before = lane_row();
    const DisabledFeature disabled{GetParam().feature};
    const Row* chosen = lane_row();
    if (before == nullptr || !cpu::has(before->needs, GetParam().feature)) {
        EXPECT_EQ(chosen, before);  // which the other tests run
        return;
    }
    EXPECT_NE(chosen, before);
    const Row& row = chosen == nullptr ? ref_row() : *chosen;
    for (const std::size_t bits : kSizes) {
        const Suite& suite = suite_of(bits);
        run_all(row, Direction::to_private, taken(row, Direction::to_private, suite.to_private), 8, Layout::misaligned);
        run_all(row, Direction::to_public, taken(row, Direction::to_public, suite.to_public), 5, Layout::in_place);
    }
}

INSTANTIATE_TEST_SUITE_P(EachFeature, RsaWithout, ::testing::ValuesIn(cpu::feature_names()),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(RsaWithout, IfmaOnlyRefIsLeft) {
    const DisabledFeature disabled{cpu::avx512ifma};
    EXPECT_EQ(lane_row(), nullptr);
}

TEST(RsaExponents, PrivateKeysOfOtherExponents) {
    for (const std::uint64_t e : {std::uint64_t{3}, std::uint64_t{17}}) {
        Suite suite;
        add_private(suite, {generate_key(2048, e), generate_key(2048, e)});
        for (const Row& row : rows()) {
            if (cannot_run(row)) continue;
            const auto cases = taken(row, Direction::to_private, suite.to_private);
            if (cases.empty())
                std::printf("row %s leaves private keys with e = %d to ref\n", row.name, static_cast<int>(e));
            run_all(row, Direction::to_private, cases, 3, Layout::misaligned);
        }
    }
}

/// Words of a private form that look like data. A corrupted length or index could send the kernel anywhere; small numbers
/// are left alone.
std::vector<std::size_t> data_words(MutableBytes memory) {
    std::vector<std::size_t> offsets;
    for (std::size_t at = 0; at + 8 <= memory.size(); at += 8) {
        std::uint64_t word;
        memcpy(&word, memory.data() + at, sizeof word);
        if (word > 0xFFFFFFFF) offsets.push_back(at);
    }
    return offsets;
}

constexpr std::size_t kDamaged = 2;
struct Damage {
    std::size_t caught = 0, harmless = 0;
};

/// Four operations, the third with a damaged form: it is either right or refused, and the others are right.
void run_damaged(const Row& row, const std::vector<Case>& cases, Damage& seen) {
    std::vector<Job> jobs;
    std::vector<ByteVector> outs(4, ByteVector(cases[0].in.size(), 0xEE));
    for (std::size_t i = 0; i < 4; ++i)
        jobs.push_back({cases[i].forms, cases[i].in.data(), outs[i].data(), outs[i].size(), false});
    Scratch scratch(row);
    row.run_private(jobs.data(), jobs.size(), scratch.data());
    EXPECT_TRUE(scratch.clean()) << "the scratch memory was not wiped";
    for (std::size_t i = 0; i < 4; ++i) {
        if (i == kDamaged && !jobs[i].ok) {
            EXPECT_EQ(outs[i], ByteVector(outs[i].size(), 0)) << "a faulty result left";
            ++seen.caught;
            continue;
        }
        EXPECT_TRUE(jobs[i].ok) << "a fault spread to job " << i;
        EXPECT_EQ(outs[i], cases[i].expected) << "job " << i;
        if (i == kDamaged) ++seen.harmless;
    }
}

/// Four operations with four keys; inputs that no damage can leave right by accident, as it can 0.
Suite four_random(std::size_t bits) {
    Suite suite;
    for (const std::size_t i : {0U, 4U, 8U, 11U}) {
        const TestKey& key = keys_of_size(bits)[i];
        suite.forms.push_back(std::make_unique<Forms>(Parts(key).all()));
        ByteVector in = random_below(key.n);
        ByteVector expected = mod_exp(in, key.d, key.n);
        suite.to_private.push_back({&suite.forms.back()->get(), std::move(in), std::move(expected)});
    }
    return suite;
}

class RsaFault : public ::testing::TestWithParam<std::size_t> {};

TEST_P(RsaFault, DamagedPrivateFormNeverGivesAWrongResult) {
    const Row* row = lane_row();
    if (row == nullptr) {
        cannot_run(rows().front());
        GTEST_SKIP() << "no lane row";
    }
    const Suite suite = four_random(GetParam());
    const MutableBytes memory = suite.forms[kDamaged]->private_memory();
    const auto words = data_words(memory);
    const std::size_t step = std::max<std::size_t>(1, words.size() / 80);
    Damage seen;
    for (std::size_t i = 0; i < words.size(); i += step) {
        const std::size_t at = words[i] + (i / step) % 5;
        SCOPED_TRACE("byte " + std::to_string(at));
        memory[at] ^= 0x10;
        run_damaged(*row, suite.to_private, seen);
        memory[at] ^= 0x10;
    }
    std::printf("%zu damages caught, %zu without effect\n", seen.caught, seen.harmless);
    EXPECT_GT(seen.caught, seen.harmless);
    run_all(*row, Direction::to_private, suite.to_private, 4, Layout::misaligned);
}

INSTANTIATE_TEST_SUITE_P(Sizes, RsaFault, ::testing::ValuesIn(kSizes));

}  // namespace
}  // namespace octavo::kernel::rsa::test
