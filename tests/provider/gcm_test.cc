#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "sides.hpp"
#include "wycheproof.hpp"

// AES-GCM beside the default provider's. Where Octavo does not offer it, these tests compare the default provider with itself, and say so.
namespace octavo::test {
namespace {

struct FreeCipher {
    void operator()(EVP_CIPHER* p) const { EVP_CIPHER_free(p); }
    void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
};
using Cipher = std::unique_ptr<EVP_CIPHER, FreeCipher>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

constexpr std::size_t kKeyLengths[] = {16, 24, 32};

Cipher fetch(OSSL_LIB_CTX* side, std::size_t key_len) {
    return Cipher(EVP_CIPHER_fetch(side, ("AES-" + std::to_string(key_len * 8) + "-GCM").c_str(), nullptr));
}

bool is_offered() {
    const auto cipher = fetch(with_octavo(), 16);
    return std::string(OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(cipher.get()))) == "octavo";
}

std::string hex(const Data& bytes) {
    std::string text;
    for (const auto byte : bytes) text += "0123456789abcdef"[byte >> 4], text += "0123456789abcdef"[byte & 15];
    return text;
}

/// A message and how it is cut into pieces; the same for both sides.
struct Message {
    Data key, iv, aad, text, tag;
    unsigned cuts = 0;  // seed; 0: in one piece
    bool in_place = false, apart_iv = false;
};

/// Calls on one context of a side, all noted.
class Sequence {
public:
    Sequence(OSSL_LIB_CTX* side, std::size_t key_len) : cipher_(fetch(side, key_len)), context_(EVP_CIPHER_CTX_new()) {
        trace.note("cipher", EVP_CipherInit_ex2(get(), cipher_.get(), nullptr, nullptr, 1, nullptr));
    }
    EVP_CIPHER_CTX* get() { return context_.get(); }
    bool encrypts() { return EVP_CIPHER_CTX_is_encrypting(get()) == 1; }

    void init(const Data* key, const Data* iv, int encrypts) {
        trace.note("init", EVP_CipherInit_ex2(get(), nullptr, key == nullptr ? nullptr : key->data(),
                                              iv == nullptr ? nullptr : iv->data(), encrypts, nullptr));
    }
    /// With the bytes that the control got or gave.
    void control(const std::string& name, int type, int number, Data bytes) {
        const int answer = EVP_CIPHER_CTX_ctrl(get(), type, number, bytes.empty() ? nullptr : bytes.data());
        trace.note(name, answer);
        trace.value(name, hex(bytes));
    }
    void start(const Message& m, int encrypts) {
        control("ivlen", EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(m.iv.size()), {});
        if (m.apart_iv) init(&m.key, nullptr, encrypts);
        init(m.apart_iv ? nullptr : &m.key, &m.iv, encrypts);
    }
    void pieces(const Data& in, bool aad, unsigned cuts, bool in_place) {
        std::minstd_rand random(cuts);
        Data out = in;
        for (std::size_t at = 0; at < in.size();) {
            const auto len = cuts == 0 ? in.size() : std::min<std::size_t>(in.size() - at, random() % 97);
            const auto* from = in_place ? out.data() + at : in.data() + at;
            int done = -1;
            const int ok = EVP_CipherUpdate(get(), aad ? nullptr : out.data() + at, &done, from, static_cast<int>(len));
            trace.note("update", ok);
            trace.value("length", std::to_string(done));
            at += len;
        }
        if (!aad) text = out;
    }
    bool final() {
        int len = -1;
        Data rest(16);
        return trace.note("final", EVP_CipherFinal_ex(get(), rest.data(), &len));
    }
    bool message(const Message& m, int encrypts) {
        start(m, encrypts);
        if (encrypts == 0) set_tag(m.tag);
        pieces(m.aad, true, m.cuts, false);
        pieces(m.text, false, m.cuts, m.in_place);
        const bool good = final();
        trace.value("text", hex(text));
        if (encrypts != 0) trace.value("tag", hex(get_tag(16)));
        return good;
    }
    void set_tag(const Data& tag) { control("set tag", EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag); }
    Data get_tag(int len) {
        Data tag(static_cast<std::size_t>(std::max(len, 1)));
        trace.note("get tag", EVP_CIPHER_CTX_ctrl(get(), EVP_CTRL_AEAD_GET_TAG, len, tag.data()));
        return tag;
    }
    /// A record of TLS 1.2: its answer, which is a length.
    int record(Data& bytes) {
        Data aad = data(EVP_AEAD_TLS1_AAD_LEN, 5);
        const auto len = bytes.size();
        const auto payload = encrypts() ? len - 16 : len;
        aad[11] = static_cast<std::uint8_t>(payload >> 8);
        aad[12] = static_cast<std::uint8_t>(payload);
        trace.value("pad", std::to_string(EVP_CIPHER_CTX_ctrl(get(), EVP_CTRL_AEAD_TLS1_AAD, 13, aad.data())));
        ERR_clear_error();
        int done = -1;
        trace.note("record", EVP_CipherUpdate(get(), bytes.data(), &done, bytes.data(), static_cast<int>(len)));
        return done;
    }
    void go_on_in_a_copy() {
        CipherContext copy(EVP_CIPHER_CTX_new());
        trace.note("copy", EVP_CIPHER_CTX_copy(copy.get(), get()));
        context_ = std::move(copy);
    }
    /// What can be asked of a context.
    void ask() {
        trace.value("iv length", std::to_string(EVP_CIPHER_CTX_get_iv_length(get())));
        trace.value("tag length", std::to_string(EVP_CIPHER_CTX_get_tag_length(get())));
        trace.value("key length", std::to_string(EVP_CIPHER_CTX_get_key_length(get())));
        Data iv(128), updated(128);
        trace.note("iv", EVP_CIPHER_CTX_get_original_iv(get(), iv.data(), iv.size()));
        trace.note("updated iv", EVP_CIPHER_CTX_get_updated_iv(get(), updated.data(), updated.size()));
        trace.value("ivs", hex(iv) + hex(updated));
        trace.note("short iv", EVP_CIPHER_CTX_get_updated_iv(get(), updated.data(), 3));
    }

    Trace trace;
    Data text;

private:
    Cipher cipher_;
    CipherContext context_;
};

/// Runs `what` on both sides, each with a context that lives through it, and compares what it noted.
template <class What>
void expect_same(std::size_t key_len, What&& what) {
    std::string texts[2];
    for (auto* side : {with_octavo(), without_octavo()}) {
        Sequence sequence(side, key_len);
        what(sequence);
        texts[side == with_octavo() ? 0 : 1] = sequence.trace.text();
    }
    EXPECT_EQ(texts[0], texts[1]);
}

int rounds(int few, int many) { return std::getenv("OCTAVO_LONG_TESTS") != nullptr ? many : few; }

Message random_message(std::mt19937& random, std::size_t key_len) {
    constexpr std::size_t kIvLengths[] = {12, 12, 12, 12, 1, 8, 13, 16, 64, 128};
    const auto bytes = [&](std::size_t len) { return data(len, static_cast<unsigned>(random())); };
    Message m;
    m.key = bytes(key_len);
    m.iv = bytes(kIvLengths[random() % std::size(kIvLengths)]);
    m.aad = bytes(random() % 3 == 0 ? random() % 400 : random() % 20);
    m.text = bytes(random() % 4 == 0 ? random() % 20000 : random() % 300);
    m.cuts = random() % 2 == 0 ? 0 : static_cast<unsigned>(random() | 1);
    m.in_place = random() % 2 == 0;
    m.apart_iv = random() % 2 == 0;
    return m;
}

class Gcm : public testing::TestWithParam<std::size_t> {};

/// The names and types of a list of parameters, in order of names.
std::vector<std::string> names_in(const OSSL_PARAM* params) {
    std::vector<std::string> names;
    for (; params != nullptr && params->key != nullptr; ++params)
        names.push_back(params->key + std::string(":") + std::to_string(params->data_type));
    std::sort(names.begin(), names.end());
    return names;
}

TEST(GcmOffer, is_where_the_cpu_is_made_for_it) {
    if (!is_offered())
        GTEST_SKIP() << "Octavo does not offer AES-GCM here: no VAES with AVX-512, or OCTAVO_DISABLE_CPU";
    for (const auto key_len : kKeyLengths) {
        const auto ours = fetch(with_octavo(), key_len), theirs = fetch(without_octavo(), key_len);
        EXPECT_EQ(EVP_CIPHER_get_flags(ours.get()), EVP_CIPHER_get_flags(theirs.get()));
        EXPECT_EQ(EVP_CIPHER_get_iv_length(ours.get()), 12);
        EXPECT_EQ(EVP_CIPHER_get_key_length(ours.get()), static_cast<int>(key_len));
        EXPECT_EQ(EVP_CIPHER_get_block_size(ours.get()), 1);
        EXPECT_EQ(names_in(EVP_CIPHER_gettable_params(ours.get())), names_in(EVP_CIPHER_gettable_params(theirs.get())));
        EXPECT_EQ(names_in(EVP_CIPHER_gettable_ctx_params(ours.get())),
                  names_in(EVP_CIPHER_gettable_ctx_params(theirs.get())));
        EXPECT_EQ(names_in(EVP_CIPHER_settable_ctx_params(ours.get())),
                  names_in(EVP_CIPHER_settable_ctx_params(theirs.get())));
    }
}

/// How a message that is opened differs from the one that was sealed.
enum class Forgery { none, tag, aad, text };
constexpr int kNumForgeries = 4;

void forge(Message& m, Forgery forgery, std::size_t at) {
    if (forgery == Forgery::tag) m.tag[at % m.tag.size()] ^= 1;
    if (forgery == Forgery::aad) m.aad.push_back(1);
    if (forgery == Forgery::text) m.text.push_back(1);
}

TEST_P(Gcm, messages_of_any_shape_are_the_default_providers) {
    std::mt19937 random(7);
    for (int i = 0; i < rounds(300, 20000) && !HasFailure(); ++i) {
        const auto m = random_message(random, GetParam());
        const auto forgery = static_cast<Forgery>(random() % kNumForgeries);
        const std::size_t tag_len = 1 + random() % 16;
        const auto at = static_cast<std::size_t>(random());
        expect_same(GetParam(), [&](Sequence& sequence) {
            ASSERT_TRUE(sequence.message(m, 1));
            auto back = m;
            back.text = sequence.text;
            back.tag = sequence.get_tag(static_cast<int>(tag_len));
            forge(back, forgery, at);
            const bool good = sequence.message(back, 0);
            // A short tag may be right by chance, on both sides.
            if (forgery == Forgery::none || forgery == Forgery::tag || tag_len > 8) {
                EXPECT_EQ(good, forgery == Forgery::none);
            }
            if (forgery == Forgery::none) {
                EXPECT_EQ(sequence.text, m.text);
            }
        });
    }
}

TEST_P(Gcm, refusals_are_the_default_providers) {
    Message m{data(GetParam(), 1), data(12, 2), data(13, 3), data(100, 4), data(16, 5)};
    expect_same(GetParam(), [&](Sequence& sequence) {
        sequence.pieces(m.text, true, 0, false);  // no key
        sequence.final();
        sequence.ask();  // no IV
        sequence.start(m, 1);
        sequence.set_tag(m.tag);  // is for decryption
        sequence.get_tag(16);     // is not made yet
        sequence.pieces(m.text, false, 0, false);
        sequence.pieces(m.aad, true, 0, false);  // too late
        sequence.start(m, 1);
        sequence.pieces(m.text, false, 0, false);
        sequence.final();
        for (const int tag_len : {16, 12, 1, 0, 17}) sequence.trace.value("tag", hex(sequence.get_tag(tag_len)));
        sequence.pieces(m.text, false, 0, false);  // the IV is used up
        sequence.final();
        sequence.start(m, 0);
        sequence.pieces(m.text, false, 0, false);
        sequence.set_tag(Data(17));
        sequence.final();  // no tag
        for (const int len : {0, 129, -1}) sequence.control("ivlen", EVP_CTRL_AEAD_SET_IVLEN, len, {});
        sequence.control("no tag", EVP_CTRL_AEAD_SET_TAG, 0, Data(1));
        sequence.control("no place", EVP_CTRL_AEAD_SET_TAG, 16, {});
        sequence.control("aad", EVP_CTRL_AEAD_TLS1_AAD, 12, Data(13));
        sequence.control("short record", EVP_CTRL_AEAD_TLS1_AAD, 13, Data(13));
        sequence.pieces(m.text, false, 0, true);
        sequence.control("no fixed iv", EVP_CTRL_GCM_IV_GEN, 8, Data(8));
        sequence.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, 3, Data(3));
        sequence.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, 5, Data(5));
    });
}

TEST_P(Gcm, wrong_lengths_of_ivs_are_refused) {
    if (!is_offered()) GTEST_SKIP() << "the default provider writes outside its IV for these";
    Sequence sequence(with_octavo(), GetParam());
    const auto key = data(GetParam(), 1), iv = data(64, 2);
    auto record = data(40, 3);
    sequence.control("ivlen", EVP_CTRL_AEAD_SET_IVLEN, 7, {});
    sequence.init(&key, &iv, 1);
    sequence.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, -1, iv);
    Data place(8);
    EXPECT_NE(EVP_CIPHER_CTX_ctrl(sequence.get(), EVP_CTRL_GCM_IV_GEN, 8, place.data()), 1);
    EXPECT_EQ(sequence.record(record), 0);
    EXPECT_NE(EVP_CIPHER_CTX_ctrl(sequence.get(), EVP_CTRL_GCM_SET_IV_FIXED, 20, Data(20).data()), 1);
    sequence.init(&key, &iv, 0);
    EXPECT_NE(EVP_CIPHER_CTX_ctrl(sequence.get(), EVP_CTRL_GCM_SET_IV_INV, 8, place.data()), 1);
}

TEST_P(Gcm, random_ivs_are_random_and_told) {
    for (auto* side : {with_octavo(), without_octavo()}) {
        const auto key = data(GetParam(), 1), text = data(50, 2);
        std::set<std::string> ivs;
        for (const int fixed : {4, 4, 0, 0}) {
            Sequence seal(side, GetParam()), open(side, GetParam());
            seal.init(&key, nullptr, 1);
            if (fixed != 0) seal.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, fixed, data(4, 3));
            seal.pieces(text, false, 0, false);
            ASSERT_TRUE(seal.final()) << name_of(side) << seal.trace.text();
            Data iv(12);
            ASSERT_EQ(EVP_CIPHER_CTX_get_updated_iv(seal.get(), iv.data(), iv.size()), 1);
            EXPECT_TRUE(ivs.insert(hex(iv)).second);
            EXPECT_TRUE(open.message({key, iv, {}, seal.text, seal.get_tag(16)}, 0));
            EXPECT_EQ(open.text, text);
        }
    }
}

TEST_P(Gcm, records_of_tls_are_the_default_providers) {
    auto key = data(GetParam(), 1), fixed = data(12, 2);
    for (const std::size_t len : {24, 25, 40, 88, 1048, 16408}) {
        Data sealed;
        for (const bool spoilt : {false, true})
            expect_same(GetParam(), [&](Sequence& sequence) {
                for (const int encrypts : {1, 0}) {
                    sequence.init(&key, nullptr, encrypts);
                    // All 12 bytes for encryption, so that the explicit part is not random.
                    sequence.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, encrypts != 0 ? -1 : 4, fixed);
                    for (unsigned i = 0; i < 3; ++i) {
                        if (encrypts != 0) sealed = data(len, i);
                        if (encrypts == 0 && spoilt) sealed[len - 1] ^= 1;
                        sequence.trace.value("length", std::to_string(sequence.record(sealed)));
                        sequence.trace.value("bytes", hex(sealed));
                    }
                }
            });
    }
}

/// One of all calls that there are, in any order: most make no sense where they come.
class AnyCalls {
public:
    AnyCalls(std::size_t key_len, unsigned seed) : key_len_(key_len), random_(seed) {}

    void run(Sequence& on) {
        auto iv = bytes(12);
        auto key = bytes(key_len_);
        on.init(&key, &iv, static_cast<int>(pick(2)));
        for (int i = 0; i < 40; ++i) step(on);
        on.ask();
    }

private:
    unsigned pick(unsigned n) { return static_cast<unsigned>(random_() % n); }
    Data bytes(std::size_t len) { return data(len, pick(1U << 30)); }

    void step(Sequence& on) {
        switch (pick(12)) {
            case 0:
                return restart(on);
            case 1:
                return on.control("ivlen", EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(8 + pick(2) * 4 + pick(20) / 19),
                                  {});
            case 2:
                return on.encrypts() ? on.ask() : on.set_tag(bytes(9 + pick(9)));  // none that is right by chance
            case 3:
            case 4:
                return on.pieces(bytes(pick(100)), true, pick(3), false);
            case 5:
            case 6:
                return on.pieces(bytes(pick(500)), false, pick(3), pick(2) == 0), on.trace.value("text", hex(on.text));
            case 7:
                return on.control("fixed", EVP_CTRL_GCM_SET_IV_FIXED, -1, bytes(32));
            case 8:
                return iv_in_parts(on);
            case 9:
                return record(on);
            case 10:
                return pick(2) == 0 ? on.go_on_in_a_copy() : on.ask();
            default:
                return end(on);
        }
    }
    /// The default provider goes on after a wrong tag, so that a new message is begun; and it keeps other
    /// things where the tag is until there is one.
    void end(Sequence& on) {
        const bool good = on.final();
        const auto len = static_cast<int>(1 + pick(16));
        if (good && on.encrypts()) on.trace.value("tag", hex(on.get_tag(len)));
        if (!good && !on.encrypts()) restart(on);
    }
    void restart(Sequence& on) {
        auto key = bytes(key_len_), iv = bytes(32);
        const bool has_key = pick(3) == 0;
        on.init(has_key ? &key : nullptr, &iv, static_cast<int>(pick(2)));
    }
    void iv_in_parts(Sequence& on) {
        const auto len = static_cast<int>(pick(9));
        if (pick(2) == 0)
            on.control("next iv", EVP_CTRL_GCM_IV_GEN, len, Data(32));
        else
            on.control("invocation", EVP_CTRL_GCM_SET_IV_INV, len, bytes(8));
    }
    void record(Sequence& on) {
        auto text = bytes(16 + pick(200));
        on.trace.value("record", std::to_string(on.record(text)) + hex(text));
    }

    std::size_t key_len_;
    std::mt19937 random_;
};

TEST_P(Gcm, calls_in_any_order_answer_as_the_default_providers) {
    for (unsigned seed = 0; seed < static_cast<unsigned>(rounds(200, 20000)) && !HasFailure(); ++seed) {
        SCOPED_TRACE(seed);
        expect_same(GetParam(), [&](Sequence& sequence) { AnyCalls(GetParam(), seed).run(sequence); });
    }
}

INSTANTIATE_TEST_SUITE_P(KeyLengths, Gcm, testing::ValuesIn(kKeyLengths));

bool check_vector(const Json&, const Json& test) {
    constexpr std::size_t kMaxIv = 128;  // OpenSSL's, and so Octavo's
    const auto bytes = [&](const char* name) { return unhex(test.at(name)); };
    Message m{bytes("key"), bytes("iv"), bytes("aad"), bytes("msg"), bytes("tag")};
    Sequence seal(with_octavo(), m.key.size()), open(with_octavo(), m.key.size());
    auto sealed = m;
    sealed.text = bytes("ct");
    const bool good = !m.iv.empty() && seal.message(m, 1) && open.message(sealed, 0) && seal.text == sealed.text &&
                      seal.get_tag(16) == m.tag && open.text == m.text;
    if (m.iv.size() <= kMaxIv) return good;
    EXPECT_FALSE(good);
    return test.at("result") == "valid";
}

TEST(GcmVectors, of_a_third_party) {
    if (!has_vectors()) GTEST_SKIP() << no_vectors();
    int count = 0;
    const auto file = read_vectors("aes_gcm_test.json");
    for (const auto& group : file.at("testGroups"))
        count +=
            run_group(group, {"type", "source", "ivSize", "keySize", "tagSize", "tests"},
                      {"tcId", "comment", "flags", "key", "iv", "aad", "msg", "ct", "tag", "result"}, check_vector);
    EXPECT_EQ(count, file.at("numberOfTests"));
}

}  // namespace
}  // namespace octavo::test
