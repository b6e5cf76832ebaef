#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <set>

#include "kernel/row.hpp"
#include "vectors/rsa_oracle.hpp"
#include "vectors/wycheproof.hpp"

/// Third-party RSA vectors at the level of raw operations, by every row and with each CPU feature switched off in turn.
namespace octavo::vectors {
namespace {

using namespace kernel::rsa;
using kernel::rsa::test::Forms;
using kernel::rsa::test::Parts;
using kernel::rsa::test::Scratch;

/// One raw operation of a vector, and what its result means for the vector.
struct Operation {
    std::string where;
    bool is_private;
    std::shared_ptr<Forms> forms;
    ByteVector in;
    std::function<void(const ByteVector& out)> judge;
};

struct File {
    std::deque<Operation> operations;
    std::int64_t num_tests = 0, num_refused = 0;
};

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
    GroupReader(File& file, Object& group, const Json& tests, std::set<std::string_view> flags)
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
    void add(const TestKey& key, const std::shared_ptr<Forms>& forms, bool is_private, Verdict verdict, ByteVector in,
             Judge&& judge) {
        if (is_operand(key, in)) {
            file_.operations.push_back({where_, is_private, forms, std::move(in), std::forward<Judge>(judge)});
            return;
        }
        EXPECT_NE(verdict, Verdict::valid) << where_;
        ++file_.num_refused;
    }

private:
    File& file_;
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

void read_pkcs1_verify(File& file, Object& group, const Json& tests) {
    const TestKey key = read_public_key(group);
    const auto forms = std::make_shared<Forms>(Parts(key).public_only());
    const std::string hash = group.text("sha");
    read_key_size(group, key);
    GroupReader reader(file, group, tests,
                       {"BerEncodedPadding", "EdgeCaseSignature", "InvalidAsnInPadding", "InvalidPadding",
                        "InvalidSignature", "MissingNull", "ModifiedPadding", "NoHash", "ShortPadding",
                        "SignatureMalleability", "SmallPublicKey", "SmallSignature", "WrongHash", "WrongPrimitive"});
    reader.each([&](Object& test, const Common& common) {
        const ByteVector expected = pkcs1_encoded(hash, test.bytes("msg"), key.len());
        reader.add(key, forms, false, common.verdict, test.bytes("sig"),
                   [=, verdict = common.verdict](const ByteVector& out) { expect_verdict(verdict, out == expected); });
    });
}

void read_pss_verify(File& file, Object& group, const Json& tests) {
    const auto key = std::make_shared<const TestKey>(read_public_key(group));
    const auto forms = std::make_shared<Forms>(Parts(*key).public_only());
    const PssParameters parameters{group.text("sha"), group.text("mgfSha"), static_cast<int>(group.number("sLen"))};
    group.expect("mgf", "MGF1");
    read_key_size(group, *key);
    GroupReader reader(file, group, tests, {"ModifiedSignature", "Normal", "SpecialCaseHash", "WrongPrimitive"});
    reader.each([&](Object& test, const Common& common) {
        reader.add(*key, forms, false, common.verdict, test.bytes("sig"),
                   [=, verdict = common.verdict, message = test.bytes("msg")](const ByteVector& out) {
                       expect_verdict(verdict, pss_verifies(*key, parameters, message, out));
                   });
    });
}

void read_pkcs1_generate(File& file, Object& group, const Json& tests) {
    const TestKey key = read_private_key(group);
    const auto forms = std::make_shared<Forms>(Parts(key).all());
    const std::string hash = group.text("sha");
    read_key_size(group, key);
    GroupReader reader(file, group, tests, {"SmallPublicKey", "WeakHash", "SmallModulus"});
    reader.each([&](Object& test, const Common& common) {
        reader.add(key, forms, true, common.verdict, pkcs1_encoded(hash, test.bytes("msg"), key.len()),
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

void read_pkcs1_decrypt(File& file, Object& group, const Json& tests) {
    const TestKey key = read_private_key(group);
    const auto forms = std::make_shared<Forms>(Parts(key).all());
    read_key_size(group, key);
    GroupReader reader(file, group, tests,
                       {"InvalidCiphertextFormat", "InvalidPkcs1Padding", "Normal", "SpecialCase", "SpecialCasePadding",
                        "Sslv23Padding", "CVE-2020-14967", "CVE-2021-3580"});
    reader.each([&](Object& test, const Common& common) {
        reader.add(key, forms, true, common.verdict, test.bytes("ct"),
                   judge_decryption(common.verdict, test.bytes("msg"), decode_pkcs1));
    });
}

void read_oaep_decrypt(File& file, Object& group, const Json& tests) {
    const TestKey key = read_private_key(group);
    const auto forms = std::make_shared<Forms>(Parts(key).all());
    const std::string hash = group.text("sha"), mgf_hash = group.text("mgfSha");
    group.expect("mgf", "MGF1");
    read_key_size(group, key);
    GroupReader reader(file, group, tests,
                       {"Constructed", "EncryptionWithLabel", "InvalidCiphertext", "InvalidOaepPadding", "Normal"});
    reader.each([&](Object& test, const Common& common) {
        const auto decode = [=, label = test.bytes("label")](const ByteVector& out) {
            return decode_oaep(out, hash, mgf_hash, label);
        };
        reader.add(key, forms, true, common.verdict, test.bytes("ct"),
                   judge_decryption(common.verdict, test.bytes("msg"), decode));
    });
}

using ReadGroup = void(File&, Object&, const Json&);
const std::map<std::string, ReadGroup*>& readers() {
    static const std::map<std::string, ReadGroup*> table = {{"RsassaPkcs1Verify", read_pkcs1_verify},
                                                            {"RsassaPssVerify", read_pss_verify},
                                                            {"RsassaPkcs1Generate", read_pkcs1_generate},
                                                            {"RsaesPkcs1Decrypt", read_pkcs1_decrypt},
                                                            {"RsaesOaepDecrypt", read_oaep_decrypt}};
    return table;
}

File read_file(const std::string& path) {
    File file;
    const std::int64_t promised = for_each_group(path, [&](Object& group, const Json& tests) {
        const std::string type = group.text("type");
        const auto reader = readers().find(type);
        if (reader == readers().end()) throw std::runtime_error(group.where() + ": unknown type " + type);
        reader->second(file, group, tests);
    });
    EXPECT_EQ(file.num_tests, promised) << path;
    return file;
}

/// The next operations that one batch can hold: of one direction and length, keys mixed.
std::vector<const Operation*> next_batch(std::vector<const Operation*>& waiting, std::size_t max) {
    std::vector<const Operation*> batch, left;
    for (const Operation* op : waiting) {
        const bool fits =
            batch.empty() || (op->is_private == batch[0]->is_private && op->in.size() == batch[0]->in.size());
        (fits && batch.size() < max ? batch : left).push_back(op);
    }
    waiting = std::move(left);
    return batch;
}

bool takes(const Row& row, const Operation& op) {
    if (&row == &ref_row()) return true;
    return op.is_private ? op.forms->get().private_form != nullptr : op.forms->get().public_form != nullptr;
}

void run_batch(const Row& row, const std::vector<const Operation*>& batch) {
    std::vector<Job> jobs;
    std::vector<ByteVector> outs(batch.size(), ByteVector(batch[0]->in.size()));
    for (std::size_t i = 0; i < batch.size(); ++i)
        jobs.push_back({&batch[i]->forms->get(), batch[i]->in.data(), outs[i].data(), outs[i].size(), false});
    (batch[0]->is_private ? row.run_private : row.run_public)(jobs.data(), jobs.size(), Scratch(row).data());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        SCOPED_TRACE(batch[i]->where);
        EXPECT_TRUE(jobs[i].ok);
        batch[i]->judge(outs[i]);
    }
}

/// Answers how many operations the row took.
std::size_t run_file(const Row& row, const File& file) {
    SCOPED_TRACE(std::string("row ") + row.name);
    std::vector<const Operation*> waiting;
    for (const Operation& op : file.operations)
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
        file_ = read_file(*where + "/" + GetParam());
        ASSERT_FALSE(file_.operations.empty());
    }
    void TearDown() override { cpu::disable(cpu::none); }
    File file_;
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

constexpr const char* kFiles[] = {"rsa_signature_2048_sha256_test.json",
                                  "rsa_signature_3072_sha384_test.json",
                                  "rsa_signature_4096_sha512_test.json",
                                  "rsa_pkcs1_2048_sig_gen_test.json",
                                  "rsa_pkcs1_3072_sig_gen_test.json",
                                  "rsa_pkcs1_4096_sig_gen_test.json",
                                  "rsa_pss_2048_sha256_mgf1_32_test.json",
                                  "rsa_pss_4096_sha384_mgf1_48_test.json",
                                  "rsa_pkcs1_2048_test.json",
                                  "rsa_oaep_2048_sha256_mgf1sha256_test.json"};

INSTANTIATE_TEST_SUITE_P(Wycheproof, RsaVectors, ::testing::ValuesIn(kFiles), [](const auto& param) {
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
