#include <gtest/gtest.h>

#include <algorithm>

#include "kernel/ed25519/ed25519.hpp"
#include "kernel/row.hpp"
#include "vectors/curve_files.hpp"

/// Third-party vectors for Ed25519, by every row.
namespace octavo::vectors {
namespace {

namespace ed25519 = kernel::ed25519;

void run(const ed25519::Row& row, std::span<const EddsaTest> operations) {
    std::vector<ed25519::VerifyJob> jobs;
    for (const EddsaTest& o : operations)
        jobs.push_back({o.key.data(), o.message.data(), o.message.size(), o.signature.data(), false});
    row.verify(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < operations.size(); ++i)
        EXPECT_EQ(jobs[i].ok, operations[i].valid) << operations[i].where;
}

TEST(Ed25519Vectors, EveryRow) {
    const auto where = folder();
    if (!where) GTEST_SKIP() << "no third-party vectors";
    const auto file = read_eddsa(*where + "/ed25519_test.json");
    for (const ed25519::Row& row : ed25519::rows()) {
        if (!kernel::row_usable(row.name, row.needs)) {
            std::fprintf(stderr, "\n*** NOT TESTED: this CPU cannot run the row %s ***\n\n", row.name);
            continue;
        }
        const std::span all = file.tests;
        for (std::size_t i = 0; i < all.size(); i += row.max_batch)
            run(row, all.subspan(i, std::min(row.max_batch, all.size() - i)));
        std::printf("%-10s %4zu operations, %zu tests refused by their form\n", row.name, all.size(), file.num_refused);
    }
}

}  // namespace
}  // namespace octavo::vectors
