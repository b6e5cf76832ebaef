#include "frontend/bridge/gcm.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <new>

#include "frontend/bridge/ipsec_mb.hpp"
#include "frontend/bridge/made_once.hpp"

namespace octavo::bridge {
namespace {

constexpr std::size_t kBlock = 16;
/// Of one message: NIST SP 800-38D, 5.2.1.1. The counter of blocks would come round after it.
constexpr std::uint64_t kMaxText = (std::uint64_t{1} << 36) - 32, kMaxAad = (std::uint64_t{1} << 61) - 1;

constexpr std::size_t kNumKeyLengths = 3;
using Table = std::array<GcmFunctions, kNumKeyLengths>;

/// The manager is only needed for its table of functions: they have no state of their own. Null where memory ran out.
const Table* load() noexcept {
    const auto manager = make_ipsec_manager();
    if (manager == nullptr) return nullptr;
    const auto& m = *manager;
    return new (std::nothrow) Table{{
        {m.gcm128_pre, m.gcm128_enc, m.gcm128_dec, m.gcm128_init, m.gcm128_init_var_iv, m.gmac128_update,
         m.gcm128_enc_update, m.gcm128_dec_update, m.gcm128_enc_finalize, m.gcm128_dec_finalize},
        {m.gcm192_pre, m.gcm192_enc, m.gcm192_dec, m.gcm192_init, m.gcm192_init_var_iv, m.gmac192_update,
         m.gcm192_enc_update, m.gcm192_dec_update, m.gcm192_enc_finalize, m.gcm192_dec_finalize},
        {m.gcm256_pre, m.gcm256_enc, m.gcm256_dec, m.gcm256_init, m.gcm256_init_var_iv, m.gmac256_update,
         m.gcm256_enc_update, m.gcm256_dec_update, m.gcm256_enc_finalize, m.gcm256_dec_finalize},
    }};
}

const GcmFunctions* functions_for(std::size_t key_len) noexcept {
    static MadeOnce<const Table*, nullptr> once;
    const auto* const table = once.get(load);
    return table == nullptr ? nullptr : &(*table)[(key_len - 16) / 8];
}

}  // namespace

Gcm::Gcm(std::size_t key_len, OSSL_LIB_CTX* random) noexcept
    : key_len_(key_len), functions_(functions_for(key_len)), random_(random) {}

Gcm::~Gcm() { OPENSSL_cleanse(&state_, sizeof state_); }

Gcm::Bytes Gcm::iv() const noexcept {
    return state_.iv_state == Iv::none ? Bytes{} : Bytes(state_.iv).first(state_.iv_len);
}

void Gcm::set_key(const std::uint8_t* key) noexcept {
    functions_->prepare(key, &state_.key);
    state_.has_key = true;
}

bool Gcm::set_iv(Bytes iv) noexcept {
    if (iv.empty() || iv.size() > kMaxIvLen) return false;
    std::copy(iv.begin(), iv.end(), state_.iv.begin());
    state_.iv_len = iv.size();
    state_.iv_state = Iv::given;
    return true;
}

bool Gcm::set_iv_len(std::size_t len) noexcept {
    auto& s = state_;
    if (len == 0 || len > kMaxIvLen) return false;
    if (len != s.iv_len && s.iv_state != Iv::none) s.iv_state = Iv::used_up;
    s.iv_len = len;
    return true;
}

bool Gcm::set_tag(Bytes tag) noexcept {
    if (state_.encrypts || tag.empty() || tag.size() > kTagLen) return false;
    std::copy(tag.begin(), tag.end(), state_.tag.begin());
    state_.tag_len = tag.size();
    return true;
}

bool Gcm::get_tag(std::span<std::uint8_t> tag) const noexcept {
    if (!state_.encrypts || state_.tag_len == 0 || tag.empty() || tag.size() > kTagLen) return false;
    std::copy_n(state_.tag.begin(), tag.size(), tag.begin());
    return true;
}

bool Gcm::random(std::span<std::uint8_t> bytes) noexcept {
    return RAND_bytes_ex(random_, bytes.data(), bytes.size(), 0) == 1;
}

bool Gcm::set_fixed_iv(const std::uint8_t* fixed, std::size_t len) noexcept {
    auto& s = state_;
    const bool whole = len == kWholeIv;
    if (!whole && (len < kFixedLen || len > s.iv_len || s.iv_len - len < kExplicitLen)) return false;
    const auto given = whole ? s.iv_len : len;
    std::copy_n(fixed, given, s.iv.begin());
    if (!whole && s.encrypts && !random(std::span(s.iv).subspan(given, s.iv_len - given))) return false;
    s.counts = true;
    s.iv_state = Iv::given;
    return true;
}

/// The last eight bytes, as a number.
void Gcm::count_up() noexcept {
    auto* const last = state_.iv.data() + state_.iv_len;
    for (auto* byte = last; byte-- != last - kExplicitLen;)
        if (++*byte != 0) return;
}

bool Gcm::next_iv(std::uint8_t* out, std::size_t room) noexcept {
    auto& s = state_;
    if (!s.counts || !s.has_key || s.iv_len < kExplicitLen) return false;
    const auto len = room == 0 || room > s.iv_len ? s.iv_len : room;
    start();
    std::copy_n(s.iv.data() + s.iv_len - len, len, out);
    count_up();
    return true;
}

bool Gcm::set_invocation(Bytes last) noexcept {
    auto& s = state_;
    if (!s.counts || !s.has_key || s.encrypts || last.size() > s.iv_len) return false;
    std::copy(last.begin(), last.end(), s.iv.data() + s.iv_len - last.size());
    start();
    return true;
}

/// The length in it is the record's; what is authenticated is that of its text.
std::size_t Gcm::set_tls_aad(Bytes aad) noexcept {
    auto& s = state_;
    if (aad.size() != kTlsAadLen) return 0;
    std::copy(aad.begin(), aad.end(), s.tls_aad.begin());
    s.has_tls_aad = true;
    const auto around = kExplicitLen + (s.encrypts ? 0 : kTagLen);
    const auto len = static_cast<std::size_t>(aad[kTlsAadLen - 2] << 8 | aad[kTlsAadLen - 1]);
    if (len < around) return 0;
    s.tls_aad[kTlsAadLen - 2] = static_cast<std::uint8_t>((len - around) >> 8);
    s.tls_aad[kTlsAadLen - 1] = static_cast<std::uint8_t>(len - around);
    return s.tls_pad = kTagLen;
}

void Gcm::start() noexcept {
    auto& s = state_;
    if (s.iv_len == kIvLen)
        functions_->start(&s.key, &s.message, s.iv.data(), nullptr, 0);
    else
        functions_->start_long(&s.key, &s.message, s.iv.data(), s.iv_len, nullptr, 0);
    s.aad_len = s.data_len = 0;
    s.in_text = false;
    s.iv_state = Iv::in_use;
}

/// NIST SP 800-38D, 8.2.2.
bool Gcm::make_random_iv() noexcept {
    auto& s = state_;
    if (!s.encrypts || s.iv_len < kIvLen || !random(std::span(s.iv).first(s.iv_len))) return false;
    s.iv_state = Iv::given;
    return true;
}

/// Before a piece or the end of a message. False where there can be none.
bool Gcm::begin() noexcept {
    auto& s = state_;
    if (!s.has_key || s.iv_state == Iv::used_up) return false;
    if (s.iv_state == Iv::none && !make_random_iv()) return false;
    if (s.iv_state == Iv::given) start();
    return true;
}

bool Gcm::add(const std::uint8_t* in, std::size_t len) noexcept {
    auto& s = state_;
    if (s.data_len > 0 || len > kMaxAad - s.aad_len) return false;
    functions_->add(&s.key, &s.message, in, len);
    s.aad_len += len;
    return true;
}

/// libipsec-mb takes additional data in pieces as GMAC alone, that is as data that are not followed by text: what it counted is put where
/// additional data are counted, after zeros up to a whole block.
void Gcm::end_additional() noexcept {
    constexpr std::array<std::uint8_t, kBlock> kZeros{};
    auto& s = state_;
    if (s.in_text) return;
    if (s.aad_len % kBlock != 0) functions_->add(&s.key, &s.message, kZeros.data(), kBlock - s.aad_len % kBlock);
    s.message.aad_length = s.aad_len;
    s.message.in_length = 0;
    s.message.partial_block_length = 0;
    s.in_text = true;
}

bool Gcm::crypt(std::uint8_t* out, const std::uint8_t* in, std::size_t len) noexcept {
    auto& s = state_;
    if (len > kMaxText - s.data_len) return false;
    if (len == 0) return true;
    end_additional();
    s.data_len += len;
    (s.encrypts ? functions_->encrypt : functions_->decrypt)(&s.key, &s.message, out, in, len);
    return true;
}

void Gcm::end(std::uint8_t* tag) noexcept {
    auto& s = state_;
    end_additional();
    (s.encrypts ? functions_->encrypt_end : functions_->decrypt_end)(&s.key, &s.message, tag, kTagLen);
    OPENSSL_cleanse(&s.message, sizeof s.message);
    s.iv_state = Iv::used_up;
}

bool Gcm::update(std::uint8_t* out, const std::uint8_t* in, std::size_t len, std::size_t& done) noexcept {
    done = 0;
    if (state_.has_tls_aad) return record(out, in, len, done);
    if (!begin() || in == nullptr || !(out == nullptr ? add(in, len) : crypt(out, in, len))) return false;
    done = len;
    return true;
}

bool Gcm::final() noexcept {
    auto& s = state_;
    std::size_t done = 0;
    if (s.has_tls_aad) return record(nullptr, nullptr, 0, done);
    if (!begin() || (!s.encrypts && s.tag_len == 0)) return false;
    if (s.encrypts) {
        end(s.tag.data());
        s.tag_len = kTagLen;
        return true;
    }
    std::array<std::uint8_t, kTagLen> tag;
    end(tag.data());
    const bool same = CRYPTO_memcmp(tag.data(), s.tag.data(), s.tag_len) == 0;
    OPENSSL_cleanse(tag.data(), tag.size());  // who learns the right tag of a forgery can send it again with that
    return same;
}

bool Gcm::record(std::uint8_t* out, const std::uint8_t* in, std::size_t len, std::size_t& done) noexcept {
    auto& s = state_;
    s.has_tls_aad = false;
    const bool fits = s.has_key && s.counts && s.iv_len >= kExplicitLen && in != nullptr && out == in &&
                      len >= kExplicitLen + kTagLen;
    const bool good = fits && (s.encrypts ? seal(out, len) : open(out, len));
    s.iv_state = Iv::used_up;
    if (good) done = s.encrypts ? len : len - kExplicitLen - kTagLen;
    return good;
}

bool Gcm::seal(std::uint8_t* record, std::size_t len) noexcept {
    std::copy_n(state_.iv.data() + state_.iv_len - kExplicitLen, kExplicitLen, record);
    one_shot(record + kExplicitLen, len - kExplicitLen - kTagLen, state_.tag.data());
    std::copy_n(state_.tag.begin(), kTagLen, record + len - kTagLen);
    count_up();
    return true;
}

bool Gcm::open(std::uint8_t* record, std::size_t len) noexcept {
    std::copy_n(record, kExplicitLen, state_.iv.data() + state_.iv_len - kExplicitLen);
    std::array<std::uint8_t, kTagLen> tag;
    const auto text_len = len - kExplicitLen - kTagLen;
    one_shot(record + kExplicitLen, text_len, tag.data());
    const bool same = CRYPTO_memcmp(tag.data(), record + len - kTagLen, kTagLen) == 0;
    OPENSSL_cleanse(tag.data(), tag.size());
    if (!same) OPENSSL_cleanse(record + kExplicitLen, text_len);
    return same;
}

void Gcm::one_shot(std::uint8_t* text, std::size_t len, std::uint8_t* tag) noexcept {
    auto& s = state_;
    s.tag_len = kTagLen;
    if (s.iv_len == kIvLen) {
        (s.encrypts ? functions_->encrypt_all : functions_->decrypt_all)(
            &s.key, &s.message, text, text, len, s.iv.data(), s.tls_aad.data(), kTlsAadLen, tag, kTagLen);
        return;
    }
    start();
    add(s.tls_aad.data(), kTlsAadLen);
    crypt(text, text, len);
    end(tag);
}

}  // namespace octavo::bridge
