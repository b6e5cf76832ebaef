#include <gtest/gtest.h>

#include <algorithm>

#include "kernel/ed25519/ed25519.hpp"
#include "kernel/row.hpp"
#include "vectors/wycheproof.hpp"

/// Third-party vectors for Ed25519, by every row.
namespace octavo::vectors {
namespace {

namespace ed25519 = kernel::ed25519;

struct Operation {
    std::string where;
    ByteVector key, message, signature;
    bool valid;
};
struct File {
    std::vector<Operation> operations;
    std::size_t num_refused = 0;  ///< signatures of another length, none of them valid
};

ByteVector read_key(Object& group) {
    Object fields(group.take("publicKey"), group.where() + ", publicKey");
    fields.expect("type", "EDDSAPublicKey");
    fields.expect("curve", "edwards25519");
    fields.expect("keySize", 255);
    ByteVector key = fields.bytes("pk");
    fields.finish();
    group.skip({"publicKeyDer", "publicKeyPem", "publicKeyJwk"});
    return key;
}

File read_file(const std::string& path) {
    File file;
    const std::int64_t promised = for_each_group(path, [&](Object& group, const Json& tests) {
        group.expect("type", "EddsaVerify");
        const ByteVector key = read_key(group);
        for (const Json& item : tests) {
            Object test(item, group.where() + ", test " + std::to_string(item.value("tcId", -1)));
            const Common common = read_common(
                test, {"CompressedSignature", "InvalidEncoding", "InvalidKtv", "InvalidSignature", "Ktv",
                       "SignatureMalleability", "SignatureWithGarbage", "TinkOverflow", "TruncatedSignature", "Valid"});
            Operation made{test.where() + " (" + common.comment + ")", key, test.bytes("msg"), test.bytes("sig"),
                           common.verdict == Verdict::valid};
            test.finish();
            if (made.signature.size() == ed25519::kSignatureLen) {
                file.operations.push_back(std::move(made));
            } else {
                EXPECT_FALSE(made.valid) << made.where;
                ++file.num_refused;
            }
        }
    });
    EXPECT_EQ(static_cast<std::int64_t>(file.operations.size() + file.num_refused), promised);
    return file;
}

void run(const ed25519::Row& row, std::span<const Operation> operations) {
    std::vector<ed25519::VerifyJob> jobs;
    for (const Operation& o : operations)
        jobs.push_back({o.key.data(), o.message.data(), o.message.size(), o.signature.data(), false});
    row.verify(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < operations.size(); ++i)
        EXPECT_EQ(jobs[i].ok, operations[i].valid) << operations[i].where;
}

TEST(Ed25519Vectors, EveryRow) {
    const auto where = folder();
    if (!where) GTEST_SKIP() << "no third-party vectors";
    const File file = read_file(*where + "/ed25519_test.json");
    for (const ed25519::Row& row : ed25519::rows()) {
        if (!kernel::row_usable(row.name, row.needs)) {
            std::fprintf(stderr, "\n*** NOT TESTED: this CPU cannot run the row %s ***\n\n", row.name);
            continue;
        }
        const std::span all = file.operations;
        for (std::size_t i = 0; i < all.size(); i += row.max_batch)
            run(row, all.subspan(i, std::min(row.max_batch, all.size() - i)));
        std::printf("%-10s %4zu operations, %zu tests refused by their form\n", row.name, all.size(), file.num_refused);
    }
}

}  // namespace
}  // namespace octavo::vectors
