#include <gtest/gtest.h>

#include <algorithm>

#include "kernel/row.hpp"
#include "kernel/x25519/x25519.hpp"
#include "vectors/wycheproof.hpp"

/// Third-party vectors for X25519, by every row.
namespace octavo::vectors {
namespace {

namespace x25519 = kernel::x25519;

struct Operation {
    std::string where;
    ByteVector scalar, u, shared;
};

std::vector<Operation> read_file(const std::string& path) {
    std::vector<Operation> operations;
    const std::int64_t promised = for_each_group(path, [&](Object& group, const Json& tests) {
        group.expect("type", "XdhComp");
        group.expect("curve", "curve25519");
        for (const Json& item : tests) {
            Object test(item, group.where() + ", test " + std::to_string(item.value("tcId", -1)));
            const Common common =
                read_common(test, {"EdgeCaseMultiplication", "EdgeCasePrivateKey", "EdgeCaseShared", "Ktv",
                                   "LowOrderPublic", "NonCanonicalPublic", "Normal", "SmallPublicKey",
                                   "SpecialPublicKey", "Twist", "ZeroSharedSecret"});
            EXPECT_NE(common.verdict, Verdict::invalid) << test.where();
            operations.push_back({test.where() + " (" + common.comment + ")", test.bytes("private"),
                                  test.bytes("public"), test.bytes("shared")});
            test.finish();
        }
    });
    EXPECT_EQ(static_cast<std::int64_t>(operations.size()), promised);
    return operations;
}

void run(const x25519::Row& row, std::span<const Operation> operations) {
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
    const auto operations = read_file(*where + "/x25519_test.json");
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
