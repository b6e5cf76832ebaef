#include <gtest/gtest.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "kernel/p256/p256.hpp"
#include "kernel/p384/p384.hpp"
#include "kernel/row.hpp"
#include "vectors/wycheproof.hpp"

/// Third-party vectors for ECDH and ECDSA, by every row.
namespace octavo::vectors {
namespace {

namespace ec = kernel::ec;

struct Curve {
    const char* name;  ///< as the files call it
    std::size_t len;
    std::span<const ec::Row> (*rows)() noexcept;
};
constexpr Curve kCurves[] = {{"secp256r1", 32, kernel::p256::rows}, {"secp384r1", 48, kernel::p384::rows}};

/// A number of exactly `len` bytes; empty where it does not fit.
ByteVector padded(const ByteVector& number, std::size_t len) {
    const auto first = std::find_if(number.begin(), number.end(), [](auto byte) { return byte != 0; });
    ByteVector result(first, number.end());
    if (result.size() > len) return {};
    result.insert(result.begin(), len - result.size(), 0);
    return result;
}

struct PointBytes {
    ByteVector x, y;
};

/// An uncompressed point; other forms are the business of the layers above, which hand coordinates down.
PointBytes uncompressed(const ByteVector& encoded, std::size_t len) {
    if (encoded.size() != 2 * len + 1 || encoded[0] != 4) return {};
    const auto middle = encoded.begin() + 1 + static_cast<std::ptrdiff_t>(len);
    return {{encoded.begin() + 1, middle}, {middle, encoded.end()}};
}

struct DeriveTest {
    std::string where;
    ByteVector scalar;
    PointBytes peer;
    ByteVector shared;
    bool valid;
};

struct VerifyTest {
    std::string where;
    ByteVector digest, r, s;
    PointBytes key;
    bool valid;
};

/// What a file holds that reaches a kernel; `num_refused` others have no operands in the kernel's form, and none of them is valid.
template <typename Test>
struct File {
    std::vector<Test> tests;
    std::size_t num_refused = 0;
};

std::string file_path(const std::string& where, const std::string& name) { return where + "/" + name; }

File<DeriveTest> read_ecdh(const std::string& path, const Curve& curve) {
    File<DeriveTest> file;
    const std::int64_t promised = for_each_group(path, [&](Object& group, const Json& tests) {
        group.expect("type", "EcdhEcpointTest");
        group.expect("curve", curve.name);
        group.expect("encoding", "ecpoint");
        for (const Json& item : tests) {
            Object test(item, group.where() + ", test " + std::to_string(item.value("tcId", -1)));
            const Common common = read_common(
                test, {"AdditionChain", "CVE-2017-8932", "CompressedPoint", "CompressedPublic", "EdgeCaseDoubling",
                       "EdgeCaseEphemeralKey", "EdgeCaseSharedSecret", "InvalidCompressedPublic", "InvalidCurveAttack",
                       "InvalidEncoding", "Normal", "WrongCurve"});
            DeriveTest made{test.where() + " (" + common.comment + ")", padded(test.bytes("private"), curve.len),
                            uncompressed(test.bytes("public"), curve.len), test.bytes("shared"),
                            common.verdict == Verdict::valid};
            test.finish();
            if (made.scalar.empty() || made.peer.x.empty()) {
                EXPECT_FALSE(made.valid) << made.where;
                ++file.num_refused;
            } else {
                file.tests.push_back(std::move(made));
            }
        }
    });
    EXPECT_EQ(static_cast<std::int64_t>(file.tests.size() + file.num_refused), promised);
    return file;
}

/// r and s of a signature in DER and nothing else; empty where it is not.
std::pair<ByteVector, ByteVector> read_der(const ByteVector& der, std::size_t len) {
    const unsigned char* at = der.data();
    const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> signature{
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free};
    if (!signature || i2d_ECDSA_SIG(signature.get(), nullptr) != static_cast<int>(der.size())) return {};
    ByteVector again(der.size());
    unsigned char* to = again.data();
    i2d_ECDSA_SIG(signature.get(), &to);
    if (again != der) return {};
    const auto number = [&](const BIGNUM* value) {
        ByteVector bytes(len);
        const bool fits = !BN_is_negative(value) && BN_bn2binpad(value, bytes.data(), static_cast<int>(len)) >= 0;
        return fits ? bytes : ByteVector{};
    };
    return {number(ECDSA_SIG_get0_r(signature.get())), number(ECDSA_SIG_get0_s(signature.get()))};
}

ByteVector digest_of(const std::string& hash, const ByteVector& message) {
    ByteVector digest(EVP_MAX_MD_SIZE);
    unsigned len = 0;
    const EVP_MD* md = EVP_get_digestbyname(hash.c_str());
    if (md == nullptr || EVP_Digest(message.data(), message.size(), digest.data(), &len, md, nullptr) != 1)
        throw std::runtime_error("no digest " + hash);
    digest.resize(len);
    return digest;
}

PointBytes read_key(Object& group, const Curve& curve) {
    Object key(group.take("publicKey"), group.where() + ", publicKey");
    key.expect("type", "EcPublicKey");
    key.expect("curve", curve.name);
    key.expect("keySize", 8 * curve.len);
    const PointBytes point = uncompressed(key.bytes("uncompressed"), curve.len);
    EXPECT_EQ(padded(key.bytes("wx"), curve.len), point.x);
    EXPECT_EQ(padded(key.bytes("wy"), curve.len), point.y);
    key.finish();
    group.skip({"publicKeyDer", "publicKeyPem"});
    return point;
}

File<VerifyTest> read_ecdsa(const std::string& path, const Curve& curve) {
    File<VerifyTest> file;
    const std::int64_t promised = for_each_group(path, [&](Object& group, const Json& tests) {
        group.expect("type", "EcdsaVerify");
        const PointBytes key = read_key(group, curve);
        const std::string hash = group.text("sha");
        for (const Json& item : tests) {
            Object test(item, group.where() + ", test " + std::to_string(item.value("tcId", -1)));
            const Common common = read_common(
                test, {"ArithmeticError", "BerEncodedSignature", "EdgeCasePublicKey", "EdgeCaseShamirMultiplication",
                       "IntegerOverflow", "InvalidEncoding", "InvalidSignature", "InvalidTypesInSignature",
                       "MissingZero", "ModifiedInteger", "ModifiedSignature", "ModularInverse", "PointDuplication",
                       "RangeCheck", "SmallRandS", "SpecialCaseHash", "ValidSignature"});
            auto [r, s] = read_der(test.bytes("sig"), curve.len);
            VerifyTest made{test.where() + " (" + common.comment + ")",
                            digest_of(hash, test.bytes("msg")),
                            std::move(r),
                            std::move(s),
                            key,
                            common.verdict == Verdict::valid};
            test.finish();
            if (made.r.empty() || made.s.empty()) {
                EXPECT_FALSE(made.valid) << made.where;
                ++file.num_refused;
            } else {
                file.tests.push_back(std::move(made));
            }
        }
    });
    EXPECT_EQ(static_cast<std::int64_t>(file.tests.size() + file.num_refused), promised);
    return file;
}

/// Every row that this CPU can run takes all tests, in its largest batches.
template <typename Test, typename Run>
void by_every_row(const Curve& curve, const File<Test>& file, Run&& run) {
    ASSERT_FALSE(file.tests.empty());
    for (const ec::Row& row : curve.rows()) {
        if (!kernel::row_usable(row.name, row.needs)) {
            std::fprintf(stderr, "\n*** NOT TESTED: this CPU cannot run the row %s ***\n\n", row.name);
            continue;
        }
        for (std::size_t i = 0; i < file.tests.size(); i += row.max_batch)
            run(row, std::span(file.tests).subspan(i, std::min(row.max_batch, file.tests.size() - i)));
        std::printf("%-10s %4zu operations, %zu tests refused by their form\n", row.name, file.tests.size(),
                    file.num_refused);
    }
}

class EcVectors : public ::testing::TestWithParam<Curve> {
protected:
    void SetUp() override {
        const auto found = folder();
        if (!found) GTEST_SKIP() << "no third-party vectors";
        folder_ = *found;
    }
    std::string folder_;
};

TEST_P(EcVectors, Ecdh) {
    const Curve& curve = GetParam();
    const auto file = read_ecdh(file_path(folder_, std::string("ecdh_") + curve.name + "_ecpoint_test.json"), curve);
    by_every_row(curve, file, [&](const ec::Row& row, std::span<const DeriveTest> tests) {
        std::vector<ByteVector> shared(tests.size(), ByteVector(curve.len));
        std::vector<ec::DeriveJob> jobs;
        for (std::size_t i = 0; i < tests.size(); ++i)
            jobs.push_back(
                {tests[i].scalar.data(), tests[i].peer.x.data(), tests[i].peer.y.data(), shared[i].data(), false});
        row.derive(jobs.data(), jobs.size());
        for (std::size_t i = 0; i < tests.size(); ++i) {
            EXPECT_EQ(jobs[i].ok, tests[i].valid) << tests[i].where;
            if (tests[i].valid) {
                EXPECT_EQ(shared[i], tests[i].shared) << tests[i].where;
            }
        }
    });
}

TEST_P(EcVectors, Ecdsa) {
    const Curve& curve = GetParam();
    const std::string hash = curve.len == 32 ? "sha256" : "sha384";
    const auto file =
        read_ecdsa(file_path(folder_, std::string("ecdsa_") + curve.name + "_" + hash + "_test.json"), curve);
    by_every_row(curve, file, [&](const ec::Row& row, std::span<const VerifyTest> tests) {
        std::vector<ec::VerifyJob> jobs;
        for (const VerifyTest& t : tests)
            jobs.push_back({t.digest.data(), t.r.data(), t.s.data(), t.key.x.data(), t.key.y.data(), false});
        row.verify(jobs.data(), jobs.size());
        for (std::size_t i = 0; i < tests.size(); ++i) EXPECT_EQ(jobs[i].ok, tests[i].valid) << tests[i].where;
    });
}

INSTANTIATE_TEST_SUITE_P(Wycheproof, EcVectors, ::testing::ValuesIn(kCurves),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace octavo::vectors
