#include <gtest/gtest.h>

#include <algorithm>

#include "kernel/row.hpp"
#include "kernel/x25519/x25519.hpp"
#include "vectors/curve_files.hpp"

/// Third-party vectors for X25519, by every row.
namespace octavo::vectors {
namespace {

namespace x25519 = kernel::x25519;

void run(const x25519::Row& row, std::span<const XdhTest> operations) {
    std::vector<ByteVector> shared(operations.size(), ByteVector(x25519::kLen));
    std::vector<x25519::DeriveJob> jobs;
    for (std::size_t i = 0; i < operations.size(); ++i)
        jobs.push_back({operations[i].scalar.data(), operations[i].u.data(), shared[i].data(), false});
    row.derive(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < operations.size(); ++i) {
        EXPECT_EQ(shared[i], operations[i].shared) << operations[i].where;
        EXPECT_EQ(jobs[i].ok, operations[i].shared != ByteVector(x25519::kLen, 0)) << operations[i].where;
    }
}

TEST(X25519Vectors, EveryRow) {
    const auto where = folder();
    if (!where) GTEST_SKIP() << "no third-party vectors";
    const auto operations = read_xdh(*where + "/x25519_test.json", "curve25519");
    for (const x25519::Row& row : x25519::rows()) {
        if (!kernel::row_usable(row.name, row.needs)) {
            std::fprintf(stderr, "\n*** NOT TESTED: this CPU cannot run the row %s ***\n\n", row.name);
            continue;
        }
        for (std::size_t i = 0; i < operations.size(); i += row.max_batch)
            run(row, std::span(operations).subspan(i, std::min(row.max_batch, operations.size() - i)));
        std::printf("%-10s %4zu operations\n", row.name, operations.size());
    }
}

}  // namespace
}  // namespace octavo::vectors
