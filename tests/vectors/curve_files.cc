#include "vectors/curve_files.hpp"

#include <gtest/gtest.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace octavo::vectors {
namespace {

constexpr std::size_t kEddsaSignatureLen = 64;

template <class Test>
void take_or_refuse(File<Test>& file, Test test, bool fits) {
    if (fits) return file.tests.push_back(std::move(test));
    EXPECT_FALSE(test.valid) << test.where;
    ++file.num_refused;
}

/// A number of exactly `len` bytes; empty where it does not fit.
ByteVector padded(const ByteVector& number, std::size_t len) {
    const auto first = std::find_if(number.begin(), number.end(), [](auto byte) { return byte != 0; });
    ByteVector result(first, number.end());
    if (result.size() > len) return {};
    result.insert(result.begin(), len - result.size(), 0);
    return result;
}

/// An uncompressed point; other forms are the business of the layers above, which hand coordinates down.
PointBytes uncompressed(const ByteVector& encoded, std::size_t len) {
    if (encoded.size() != 2 * len + 1 || encoded[0] != 4) return {};
    const auto middle = encoded.begin() + 1 + static_cast<std::ptrdiff_t>(len);
    return {{encoded.begin() + 1, middle}, {middle, encoded.end()}};
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

PointBytes read_key(Object& group, const CurveName& curve) {
    Object key(group.take("publicKey"), group.where() + ", publicKey");
    key.expect("type", "EcPublicKey");
    key.expect("curve", curve.name);
    key.expect("keySize", curve.bits);
    const PointBytes point = uncompressed(key.bytes("uncompressed"), curve.len);
    EXPECT_EQ(padded(key.bytes("wx"), curve.len), point.x);
    EXPECT_EQ(padded(key.bytes("wy"), curve.len), point.y);
    key.finish();
    group.skip({"publicKeyDer", "publicKeyPem"});
    return point;
}

ByteVector read_eddsa_key(Object& group) {
    Object fields(group.take("publicKey"), group.where() + ", publicKey");
    fields.expect("type", "EDDSAPublicKey");
    fields.expect("curve", "edwards25519");
    fields.expect("keySize", 255);
    ByteVector key = fields.bytes("pk");
    fields.finish();
    group.skip({"publicKeyDer", "publicKeyPem", "publicKeyJwk"});
    return key;
}

}  // namespace

File<DeriveTest> read_ecdh(const std::string& path, const CurveName& curve) {
    File<DeriveTest> file;
    const std::int64_t promised = for_each_group(path, [&](Object& group, const Json& tests) {
        group.expect("type", "EcdhEcpointTest");
        group.expect("curve", curve.name);
        group.expect("encoding", "ecpoint");
        for (const Json& item : tests) {
            Object test(item, group.where() + ", test " + std::to_string(item.value("tcId", -1)));
            const Common common = read_common(
                test, {"AdditionChain", "CVE_2017_10176", "CVE-2017-8932", "CompressedPoint", "CompressedPublic",
                       "EdgeCaseDoubling", "EdgeCaseEphemeralKey", "EdgeCaseSharedSecret", "InvalidCompressedPublic",
                       "InvalidCurveAttack", "InvalidEncoding", "Normal", "WrongCurve"});
            DeriveTest made{test.where() + " (" + common.comment + ")", padded(test.bytes("private"), curve.len),
                            uncompressed(test.bytes("public"), curve.len), test.bytes("shared"),
                            common.verdict == Verdict::valid};
            test.finish();
            const bool fits = !made.scalar.empty() && !made.peer.x.empty();
            take_or_refuse(file, std::move(made), fits);
        }
    });
    EXPECT_EQ(static_cast<std::int64_t>(file.tests.size() + file.num_refused), promised);
    return file;
}

File<VerifyTest> read_ecdsa(const std::string& path, const CurveName& curve) {
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
            const bool fits = !made.r.empty() && !made.s.empty();
            take_or_refuse(file, std::move(made), fits);
        }
    });
    EXPECT_EQ(static_cast<std::int64_t>(file.tests.size() + file.num_refused), promised);
    return file;
}

std::vector<XdhTest> read_xdh(const std::string& path, const char* curve) {
    std::vector<XdhTest> operations;
    const std::int64_t promised = for_each_group(path, [&](Object& group, const Json& tests) {
        group.expect("type", "XdhComp");
        group.expect("curve", curve);
        for (const Json& item : tests) {
            Object test(item, group.where() + ", test " + std::to_string(item.value("tcId", -1)));
            const Common common =
                read_common(test, {"EdgeCaseMultiplication", "EdgeCasePrivateKey", "EdgeCaseShared", "Ktv",
                                   "LowOrderPublic", "NonCanonicalPublic", "Normal", "PublicKeyTooLong",
                                   "SmallPublicKey", "SpecialPublicKey", "Twist", "ZeroSharedSecret"});
            operations.push_back({test.where() + " (" + common.comment + ")", test.bytes("private"),
                                  test.bytes("public"), test.bytes("shared")});
            test.finish();
            const auto& made = operations.back();
            EXPECT_EQ(common.verdict == Verdict::invalid, made.u.size() != made.scalar.size()) << made.where;
        }
    });
    EXPECT_EQ(static_cast<std::int64_t>(operations.size()), promised);
    return operations;
}

File<EddsaTest> read_eddsa(const std::string& path) {
    File<EddsaTest> file;
    const std::int64_t promised = for_each_group(path, [&](Object& group, const Json& tests) {
        group.expect("type", "EddsaVerify");
        const ByteVector key = read_eddsa_key(group);
        for (const Json& item : tests) {
            Object test(item, group.where() + ", test " + std::to_string(item.value("tcId", -1)));
            const Common common = read_common(
                test, {"CompressedSignature", "InvalidEncoding", "InvalidKtv", "InvalidSignature", "Ktv",
                       "SignatureMalleability", "SignatureWithGarbage", "TinkOverflow", "TruncatedSignature", "Valid"});
            EddsaTest made{test.where() + " (" + common.comment + ")", key, test.bytes("msg"), test.bytes("sig"),
                           common.verdict == Verdict::valid};
            test.finish();
            const bool fits = made.signature.size() == kEddsaSignatureLen;
            take_or_refuse(file, std::move(made), fits);
        }
    });
    EXPECT_EQ(static_cast<std::int64_t>(file.tests.size() + file.num_refused), promised);
    return file;
}

}  // namespace octavo::vectors
