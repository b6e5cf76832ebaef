#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "kernel/row.hpp"
#include "vectors/rsa_files.hpp"
#include "vectors/wycheproof.hpp"

/// Third-party RSA vectors at the level of raw operations, by every row and with each CPU feature switched off in turn.
namespace octavo::vectors {
namespace {

using namespace kernel::rsa;
using kernel::rsa::test::Forms;
using kernel::rsa::test::Parts;
using kernel::rsa::test::Scratch;

/// Made once for each key.
const KeyForms& forms_of(const std::shared_ptr<const TestKey>& key) {
    static std::map<std::shared_ptr<const TestKey>, std::unique_ptr<Forms>> made;
    auto& forms = made[key];
    if (forms == nullptr)
        forms = std::make_unique<Forms>(key->d.empty() ? Parts(*key).public_only() : Parts(*key).all());
    return forms->get();
}

/// The next operations that one batch can hold: of one direction and length, keys mixed.
std::vector<const RsaOperation*> next_batch(std::vector<const RsaOperation*>& waiting, std::size_t max) {
    std::vector<const RsaOperation*> batch, left;
    for (const RsaOperation* op : waiting) {
        const bool fits =
            batch.empty() || (op->is_private == batch[0]->is_private && op->in.size() == batch[0]->in.size());
        (fits && batch.size() < max ? batch : left).push_back(op);
    }
    waiting = std::move(left);
    return batch;
}

bool takes(const Row& row, const RsaOperation& op) {
    if (&row == &ref_row()) return true;
    return op.is_private ? forms_of(op.key).private_form != nullptr : forms_of(op.key).public_form != nullptr;
}

void run_batch(const Row& row, const std::vector<const RsaOperation*>& batch) {
    std::vector<Job> jobs;
    std::vector<ByteVector> outs(batch.size(), ByteVector(batch[0]->in.size()));
    for (std::size_t i = 0; i < batch.size(); ++i)
        jobs.push_back({&forms_of(batch[i]->key), batch[i]->in.data(), outs[i].data(), outs[i].size(), false});
    (batch[0]->is_private ? row.run_private : row.run_public)(jobs.data(), jobs.size(), Scratch(row).data());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        SCOPED_TRACE(batch[i]->where);
        EXPECT_TRUE(jobs[i].ok);
        batch[i]->judge(outs[i]);
    }
}

/// Answers how many operations the row took.
std::size_t run_file(const Row& row, const RsaFile& file) {
    SCOPED_TRACE(std::string("row ") + row.name);
    std::vector<const RsaOperation*> waiting;
    for (const RsaOperation& op : file.operations)
        if (takes(row, op)) waiting.push_back(&op);
    const std::size_t num_taken = waiting.size();
    while (!waiting.empty()) run_batch(row, next_batch(waiting, row.max_batch));
    return num_taken;
}

class RsaVectors : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
        const auto where = folder();
        if (!where) GTEST_SKIP() << "no third-party vectors";
        file_ = read_rsa(*where + "/" + GetParam());
        ASSERT_FALSE(file_.operations.empty());
    }
    void TearDown() override { cpu::disable(cpu::none); }
    RsaFile file_;
};

TEST_P(RsaVectors, EveryRow) {
    for (const Row& row : rows()) {
        if (!kernel::row_usable(row.name, row.needs)) {
            std::fprintf(stderr, "\n*** NOT TESTED: this CPU cannot run the RSA row %s ***\n\n", row.name);
            continue;
        }
        const std::size_t taken = run_file(row, file_);
        std::printf("%-10s %4zu operations of %4lld tests, %lld refused by length or range, %zu left to ref\n",
                    row.name, taken, static_cast<long long>(file_.num_tests), static_cast<long long>(file_.num_refused),
                    file_.operations.size() - taken);
    }
}

TEST_P(RsaVectors, WithEachFeatureSwitchedOff) {
    std::set<const Row*> seen;
    for (const cpu::FeatureName& off : cpu::feature_names()) {
        SCOPED_TRACE(std::string("without ") + off.name);
        cpu::disable(off.feature);
        const Row* chosen = lane_row();
        EXPECT_TRUE(chosen == nullptr || !cpu::has(chosen->needs, off.feature));
        if (!seen.insert(chosen).second) continue;
        EXPECT_GT(run_file(chosen == nullptr ? ref_row() : *chosen, file_), 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(Wycheproof, RsaVectors, ::testing::ValuesIn(kRsaFiles), [](const auto& param) {
    const std::string name = param.param;
    return name.substr(0, name.find('.'));
});

/// The reader refuses what it does not know.
TEST(VectorReader, UnknownIsAnError) {
    const Json test = {{"tcId", 1}, {"comment", ""}, {"result", "valid"}, {"flags", {"Normal"}}, {"surprise", 1}};
    Object object(test, "here");
    EXPECT_NO_THROW(read_common(object, {"Normal"}));
    EXPECT_THROW(object.finish(), std::runtime_error) << "unknown field";
    Object again(test, "here");
    EXPECT_THROW(read_common(again, {"Other"}), std::runtime_error) << "unknown flag";
    EXPECT_THROW(again.take("absent"), std::runtime_error);
    EXPECT_THROW(again.expect("tcId", 2), std::runtime_error);
    EXPECT_THROW(from_hex("0x", "here"), std::runtime_error);
    EXPECT_THROW(from_hex("abc", "here"), std::runtime_error);
}

}  // namespace
}  // namespace octavo::vectors
