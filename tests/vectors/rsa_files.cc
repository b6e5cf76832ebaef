#include "vectors/rsa_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "vectors/wycheproof.hpp"

namespace octavo::vectors {
namespace {

using namespace kernel::rsa;
using kernel::rsa::test::Parts;

/// Vectors whose operand no raw operation takes: it is longer or shorter than the modulus, or not less than it.
bool is_operand(const TestKey& key, const ByteVector& operand) {
    return operand.size() == key.len() &&
           std::lexicographical_compare(operand.begin(), operand.end(), key.n.begin(), key.n.end());
}

void expect_verdict(Verdict verdict, bool accepted) {
    if (verdict != Verdict::acceptable) {
        EXPECT_EQ(accepted, verdict == Verdict::valid);
    }
}

ByteVector stripped(ByteVector number) {
    number.erase(number.begin(), std::find_if(number.begin(), number.end(), [](auto byte) { return byte != 0; }));
    return number;
}

TestKey read_public_key(Object& group) {
    Object fields(group.take("publicKey"), group.where() + ", publicKey");
    TestKey key;
    key.n = stripped(fields.bytes("modulus"));
    key.e = stripped(fields.bytes("publicExponent"));
    fields.finish();
    group.skip({"publicKeyAsn", "publicKeyDer", "publicKeyPem", "publicKeyJwk", "keyJwk"});
    return key;
}

/// PKCS#8 has all numbers; the others, where they are given, have to agree.
TestKey read_private_key(Object& group) {
    const TestKey key = key_from_pkcs8(group.bytes("privateKeyPkcs8"));
    Object fields(group.take("privateKey"), group.where() + ", privateKey");
    const auto agree = [&](const char* name, const ByteVector& number) {
        const Json* text = fields.take_if_there(name);
        if (text == nullptr) return;
        EXPECT_EQ(stripped(from_hex(*text, fields.where())), number) << fields.where() << ' ' << name;
    };
    agree("modulus", key.n);
    agree("publicExponent", key.e);
    agree("privateExponent", key.d);
    agree("prime1", key.p);
    agree("prime2", key.q);
    agree("exponent1", key.dp);
    agree("exponent2", key.dq);
    agree("coefficient", key.qinv);
    fields.finish();
    group.skip({"privateKeyPem", "privateKeyJwk", "keyAsn", "keyDer", "keyPem", "keyJwk"});
    EXPECT_EQ(check_components(Parts(key).all()), Fault::ok) << group.where();
    return key;
}

/// A reader of one type of group: takes the group's fields, and adds an operation for each test.
class GroupReader {
public:
    GroupReader(RsaFile& file, Object& group, const Json& tests, std::set<std::string_view> flags)
        : file_(file), group_(group), tests_(tests), flags_(std::move(flags)) {}

    /// `read(test, common)` reads a test's own fields, and answers with what `add` needs.
    template <typename Read>
    void each(Read&& read) {
        for (const Json& item : tests_) {
            Object test(item, group_.where() + ", test " + std::to_string(item.value("tcId", -1)));
            const Common common = read_common(test, flags_);
            where_ = test.where() + " (" + common.comment + ")";
            read(test, common);
            test.finish();
            ++file_.num_tests;
        }
    }

    template <typename Judge>
    void add(const std::shared_ptr<const TestKey>& key, bool is_private, Verdict verdict, ByteVector in,
             Judge&& judge) {
        if (is_operand(*key, in)) {
            file_.operations.push_back({where_, is_private, key, std::move(in), std::forward<Judge>(judge)});
            return;
        }
        EXPECT_NE(verdict, Verdict::valid) << where_;
        ++file_.num_refused;
    }

private:
    RsaFile& file_;
    Object& group_;
    const Json& tests_;
    std::set<std::string_view> flags_;
    std::string where_;
};

void read_key_size(Object& group, const TestKey& key) {
    const Json* bits = group.take_if_there("keySize");
    if (bits == nullptr) return;
    EXPECT_EQ(bit_length(key.n), bits->get<std::size_t>());
}

void read_pkcs1_verify(RsaFile& file, Object& group, const Json& tests) {
    const auto key = std::make_shared<const TestKey>(read_public_key(group));
    const std::string hash = group.text("sha");
    read_key_size(group, *key);
    GroupReader reader(file, group, tests,
                       {"BerEncodedPadding", "EdgeCaseSignature", "InvalidAsnInPadding", "InvalidPadding",
                        "InvalidSignature", "MissingNull", "ModifiedPadding", "NoHash", "ShortPadding",
                        "SignatureMalleability", "SmallPublicKey", "SmallSignature", "WrongHash", "WrongPrimitive"});
    reader.each([&](Object& test, const Common& common) {
        const ByteVector expected = pkcs1_encoded(hash, test.bytes("msg"), key->len());
        reader.add(key, false, common.verdict, test.bytes("sig"),
                   [=, verdict = common.verdict](const ByteVector& out) { expect_verdict(verdict, out == expected); });
    });
}

void read_pss_verify(RsaFile& file, Object& group, const Json& tests) {
    const auto key = std::make_shared<const TestKey>(read_public_key(group));
    const PssParameters parameters{group.text("sha"), group.text("mgfSha"), static_cast<int>(group.number("sLen"))};
    group.expect("mgf", "MGF1");
    read_key_size(group, *key);
    GroupReader reader(file, group, tests, {"ModifiedSignature", "Normal", "SpecialCaseHash", "WrongPrimitive"});
    reader.each([&](Object& test, const Common& common) {
        reader.add(key, false, common.verdict, test.bytes("sig"),
                   [=, verdict = common.verdict, message = test.bytes("msg")](const ByteVector& out) {
                       expect_verdict(verdict, pss_verifies(*key, parameters, message, out));
                   });
    });
}

void read_pkcs1_generate(RsaFile& file, Object& group, const Json& tests) {
    const auto key = std::make_shared<const TestKey>(read_private_key(group));
    const std::string hash = group.text("sha");
    read_key_size(group, *key);
    GroupReader reader(file, group, tests, {"SmallPublicKey", "WeakHash", "SmallModulus"});
    reader.each([&](Object& test, const Common& common) {
        reader.add(key, true, common.verdict, pkcs1_encoded(hash, test.bytes("msg"), key->len()),
                   [signature = test.bytes("sig")](const ByteVector& out) { EXPECT_EQ(out, signature); });
    });
}

/// What a decryption must come to, given how the padding is taken off.
template <typename Decode>
auto judge_decryption(Verdict verdict, ByteVector message, Decode&& decode) {
    return [=, message = std::move(message)](const ByteVector& out) {
        const Decoded result = decode(out);
        expect_verdict(verdict, result.good);
        if (!result.good || verdict != Verdict::valid) return;
        EXPECT_EQ(result.message, message);
    };
}

void read_pkcs1_decrypt(RsaFile& file, Object& group, const Json& tests) {
    const auto key = std::make_shared<const TestKey>(read_private_key(group));
    read_key_size(group, *key);
    GroupReader reader(file, group, tests,
                       {"InvalidCiphertextFormat", "InvalidPkcs1Padding", "Normal", "SpecialCase", "SpecialCasePadding",
                        "Sslv23Padding", "CVE-2020-14967", "CVE-2021-3580"});
    reader.each([&](Object& test, const Common& common) {
        reader.add(key, true, common.verdict, test.bytes("ct"),
                   judge_decryption(common.verdict, test.bytes("msg"), decode_pkcs1));
    });
}

void read_oaep_decrypt(RsaFile& file, Object& group, const Json& tests) {
    const auto key = std::make_shared<const TestKey>(read_private_key(group));
    const std::string hash = group.text("sha"), mgf_hash = group.text("mgfSha");
    group.expect("mgf", "MGF1");
    read_key_size(group, *key);
    GroupReader reader(file, group, tests,
                       {"Constructed", "EncryptionWithLabel", "InvalidCiphertext", "InvalidOaepPadding", "Normal"});
    reader.each([&](Object& test, const Common& common) {
        const auto decode = [=, label = test.bytes("label")](const ByteVector& out) {
            return decode_oaep(out, hash, mgf_hash, label);
        };
        reader.add(key, true, common.verdict, test.bytes("ct"),
                   judge_decryption(common.verdict, test.bytes("msg"), decode));
    });
}

using ReadGroup = void(RsaFile&, Object&, const Json&);
const std::map<std::string, ReadGroup*>& readers() {
    static const std::map<std::string, ReadGroup*> table = {{"RsassaPkcs1Verify", read_pkcs1_verify},
                                                            {"RsassaPssVerify", read_pss_verify},
                                                            {"RsassaPkcs1Generate", read_pkcs1_generate},
                                                            {"RsaesPkcs1Decrypt", read_pkcs1_decrypt},
                                                            {"RsaesOaepDecrypt", read_oaep_decrypt}};
    return table;
}

}  // namespace

RsaFile read_rsa(const std::string& path) {
    RsaFile file;
    const std::int64_t promised = for_each_group(path, [&](Object& group, const Json& tests) {
        const std::string type = group.text("type");
        const auto reader = readers().find(type);
        if (reader == readers().end()) throw std::runtime_error(group.where() + ": unknown type " + type);
        reader->second(file, group, tests);
    });
    EXPECT_EQ(file.num_tests, promised) << path;
    return file;
}

}  // namespace octavo::vectors
