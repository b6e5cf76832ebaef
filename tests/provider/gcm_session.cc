#define OPENSSL_SUPPRESS_DEPRECATED  // EVP_CIPHER_CTX_iv(), which an engine's contexts have
#include "gcm_session.hpp"

#include <openssl/err.h>

#include <algorithm>

#include "curve_keys.hpp"
#include "octavo/octavo.h"

namespace octavo::test {
namespace {

/// Names and types of parameters, sorted.
std::vector<std::string> names_in(const OSSL_PARAM* params) {
    std::vector<std::string> names;
    for (; params != nullptr && params->key != nullptr; ++params)
        names.push_back(params->key + std::string(":") + std::to_string(params->data_type));
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

bool cpu_has_wide_aes() {
    const auto features = {"avx512f", "avx512bw", "avx512vl", "avx512dq", "vaes", "vpclmulqdq"};
    return std::all_of(features.begin(), features.end(), [](auto* name) { return octavo_cpu_has(name) == 1; });
}

void expect_same_offer(const Cipher& ours, const Cipher& theirs) {
    const auto expect_same = [&](auto* params_of) {
        EXPECT_EQ(names_in(params_of(ours.get())), names_in(params_of(theirs.get())));
    };
    EXPECT_EQ(EVP_CIPHER_get_flags(ours.get()), EVP_CIPHER_get_flags(theirs.get()));
    expect_same(EVP_CIPHER_gettable_params);
    expect_same(EVP_CIPHER_gettable_ctx_params);
    expect_same(EVP_CIPHER_settable_ctx_params);
}

Cipher fetch_gcm(OSSL_LIB_CTX* side, std::size_t key_len) {
    return Cipher(EVP_CIPHER_fetch(side, ("AES-" + std::to_string(key_len * 8) + "-GCM").c_str(), nullptr));
}

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

GcmSession::GcmSession(OSSL_LIB_CTX* side, std::size_t key_len)
    : cipher_(fetch_gcm(side, key_len)), context_(EVP_CIPHER_CTX_new()), exactness_(Exactness::all) {
    note("cipher", EVP_CipherInit_ex2(get(), cipher_.get(), nullptr, nullptr, 1, nullptr));
}

bool GcmSession::note(const std::string& call, long answer) {
    if (exactness_ == Exactness::all) return trace.note(call, answer);
    ERR_clear_error();
    trace.value(call, answer > 0 ? "yes" : "no");
    return answer == 1;
}

void GcmSession::init(const Data* key, const Data* iv, int encrypts) {
    note("init", EVP_CipherInit_ex(get(), nullptr, nullptr, key == nullptr ? nullptr : key->data(),
                                   iv == nullptr ? nullptr : iv->data(), encrypts));
}

void GcmSession::control(const std::string& name, int type, int number, Data bytes) {
    const int answer = EVP_CIPHER_CTX_ctrl(get(), type, number, bytes.empty() ? nullptr : bytes.data());
    note(name, answer);
    trace.value(name, hex(bytes));
}

void GcmSession::start(const Message& m, int encrypts) {
    control("ivlen", EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(m.iv.size()), {});
    if (m.apart_iv) init(&m.key, nullptr, encrypts);
    init(m.apart_iv ? nullptr : &m.key, &m.iv, encrypts);
}

void GcmSession::pieces(const Data& in, bool aad, unsigned cuts, bool in_place) {
    std::minstd_rand random(cuts);
    Data out = in;
    for (std::size_t at = 0; at < in.size();) {
        const auto len = cuts == 0 ? in.size() : std::min<std::size_t>(in.size() - at, random() % 97);
        const auto* from = in_place ? out.data() + at : in.data() + at;
        int done = 0;
        const int ok = EVP_CipherUpdate(get(), aad ? nullptr : out.data() + at, &done, from, static_cast<int>(len));
        note("update", ok);
        trace.value("length", std::to_string(ok == 1 ? done : 0));
        at += len;
    }
    if (!aad) text = out;
}

bool GcmSession::final() {
    int len = -1;
    Data rest(16);
    return note("final", EVP_CipherFinal_ex(get(), rest.data(), &len));
}

bool GcmSession::message(const Message& m, int encrypts) {
    start(m, encrypts);
    if (encrypts == 0) set_tag(m.tag);
    pieces(m.aad, true, m.cuts, false);
    pieces(m.text, false, m.cuts, m.in_place);
    const bool good = final();
    trace.value("text", hex(text));
    if (encrypts != 0) trace.value("tag", hex(get_tag(16)));
    return good;
}

void GcmSession::set_tag(const Data& tag) {
    control("set tag", EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag);
}

Data GcmSession::get_tag(int len) {
    Data tag(static_cast<std::size_t>(std::max(len, 1)));
    note("get tag", EVP_CIPHER_CTX_ctrl(get(), EVP_CTRL_AEAD_GET_TAG, len, tag.data()));
    return tag;
}

int GcmSession::record(Data& bytes) {
    Data aad = data(EVP_AEAD_TLS1_AAD_LEN, 5);
    const auto len = bytes.size();
    const auto payload = encrypts() ? len - 16 : len;
    aad[11] = static_cast<std::uint8_t>(payload >> 8);
    aad[12] = static_cast<std::uint8_t>(payload);
    trace.value("pad", std::to_string(EVP_CIPHER_CTX_ctrl(get(), EVP_CTRL_AEAD_TLS1_AAD, 13, aad.data())));
    ERR_clear_error();
    int done = 0;
    const int ok = EVP_CipherUpdate(get(), bytes.data(), &done, bytes.data(), static_cast<int>(len));
    note("record", ok);
    return ok == 1 ? done : 0;
}

void GcmSession::go_on_in_a_copy() {
    CipherContext copy(EVP_CIPHER_CTX_new());
    note("copy", EVP_CIPHER_CTX_copy(copy.get(), get()));
    context_ = std::move(copy);
}

void GcmSession::ask() {
    if (exactness_ == Exactness::results) {
        constexpr std::size_t kLen =
            8;  // of the shortest here: OpenSSL 3.0 keeps an engine's length as it was at first
        const auto* iv = EVP_CIPHER_CTX_iv(get());
        trace.value("iv", iv == nullptr ? "none" : hex({iv, iv + kLen}));
        return;
    }
    trace.value("iv length", std::to_string(EVP_CIPHER_CTX_get_iv_length(get())));
    trace.value("tag length", std::to_string(EVP_CIPHER_CTX_get_tag_length(get())));
    trace.value("key length", std::to_string(EVP_CIPHER_CTX_get_key_length(get())));
    Data iv(128), updated(128);
    note("iv", EVP_CIPHER_CTX_get_original_iv(get(), iv.data(), iv.size()));
    note("updated iv", EVP_CIPHER_CTX_get_updated_iv(get(), updated.data(), updated.size()));
    trace.value("ivs", hex(iv) + hex(updated));
    note("short iv", EVP_CIPHER_CTX_get_updated_iv(get(), updated.data(), 3));
}

void AnyGcmCalls::run(GcmSession& on) {
    auto iv = bytes(12);
    auto key = bytes(key_len_);
    on.init(&key, &iv, static_cast<int>(pick(2)));
    for (int i = 0; i < 40; ++i) step(on);
    on.ask();
}

void AnyGcmCalls::step(GcmSession& on) {
    switch (pick(12)) {
        case 0:
            return restart(on);
        case 1:
            return on.control("ivlen", EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(8 + pick(2) * 4 + pick(20) / 19), {});
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

/// The default provider goes on after a wrong tag, so that a new message is begun, and keeps other things where the tag is until there is one.
void AnyGcmCalls::end(GcmSession& on) {
    const bool good = on.final();
    const auto len = static_cast<int>(1 + pick(16));
    if (good && on.encrypts()) on.trace.value("tag", hex(on.get_tag(len)));
    if (!good && !on.encrypts()) restart(on);
}

void AnyGcmCalls::restart(GcmSession& on) {
    auto key = bytes(key_len_), iv = bytes(32);
    const bool has_key = pick(3) == 0;
    on.init(has_key ? &key : nullptr, &iv, static_cast<int>(pick(2)));
}

void AnyGcmCalls::iv_in_parts(GcmSession& on) {
    const auto len = static_cast<int>(pick(9));
    if (pick(2) == 0)
        on.control("next iv", EVP_CTRL_GCM_IV_GEN, len, Data(32));
    else
        on.control("invocation", EVP_CTRL_GCM_SET_IV_INV, len, bytes(8));
}

void AnyGcmCalls::record(GcmSession& on) {
    auto text = bytes(16 + pick(200));
    on.trace.value("record", std::to_string(on.record(text)) + hex(text));
}

}  // namespace octavo::test
