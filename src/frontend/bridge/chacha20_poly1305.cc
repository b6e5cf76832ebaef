#include "frontend/bridge/chacha20_poly1305.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <new>

#include "frontend/bridge/ipsec_mb.hpp"
#include "frontend/bridge/made_once.hpp"

namespace octavo::bridge {

/// The manager is only needed for its table of functions: they have no state of their own. Null where memory ran out.
const ChaCha20Poly1305::Functions* ChaCha20Poly1305::load() noexcept {
    const auto manager = make_ipsec_manager();
    if (manager == nullptr) return nullptr;
    return new (std::nothrow) Functions{manager->chacha20_poly1305_init, manager->chacha20_poly1305_enc_update,
                                        manager->chacha20_poly1305_dec_update, manager->chacha20_poly1305_finalize};
}

const ChaCha20Poly1305::Functions* ChaCha20Poly1305::functions() noexcept {
    static MadeOnce<const Functions*, nullptr> once;
    return once.get(load);
}

ChaCha20Poly1305::ChaCha20Poly1305() noexcept : functions_(functions()) {}
ChaCha20Poly1305::~ChaCha20Poly1305() { OPENSSL_cleanse(&state_, sizeof state_); }

void ChaCha20Poly1305::begin() noexcept {
    state_.in_text = state_.is_record = false;
    state_.text_len = 0;
    additional_.clear();
}

void ChaCha20Poly1305::set_key(const std::uint8_t* key) noexcept {
    std::copy_n(key, kKeyLen, state_.key.begin());
    state_.has_key = true;
    begin();
}

void ChaCha20Poly1305::set_iv(const std::uint8_t* iv) noexcept {
    std::copy_n(iv, kIvLen, state_.fixed.begin());
    state_.iv = state_.fixed;
    begin();
}

void ChaCha20Poly1305::set_tag(const std::uint8_t* tag, std::size_t len) noexcept {
    if (tag != nullptr) std::copy_n(tag, len, state_.tag.begin());
    state_.tag_len = len;
}

void ChaCha20Poly1305::get_tag(std::span<std::uint8_t> tag) const noexcept {
    std::copy_n(state_.tag.begin(), tag.size(), tag.begin());
}

bool ChaCha20Poly1305::set_tls_aad(Bytes aad) noexcept {
    auto& s = state_;
    if (aad.size() != kTlsAadLen) return false;
    const auto len = static_cast<std::size_t>(aad[kTlsAadLen - 2] << 8 | aad[kTlsAadLen - 1]);
    if (!s.encrypts && len < kTagLen) return false;
    begin();
    s.tls_text_len = s.encrypts ? len : len - kTagLen;
    constexpr std::size_t kNumberLen = 8;
    s.iv = s.fixed;
    for (std::size_t i = 0; i < kNumberLen; ++i) s.iv[kIvLen - kNumberLen + i] ^= aad[i];
    if (!add(aad.data(), aad.size())) return false;
    additional_[kTlsAadLen - 2] = static_cast<std::uint8_t>(s.tls_text_len >> 8);
    additional_[kTlsAadLen - 1] = static_cast<std::uint8_t>(s.tls_text_len);
    s.is_record = true;
    s.tls_pad = kTagLen;
    return true;
}

bool ChaCha20Poly1305::add(const std::uint8_t* in, std::size_t len) noexcept try {
    if (state_.in_text) return false;
    additional_.insert(additional_.end(), in, in + len);
    return true;
} catch (const std::bad_alloc&) {
    return false;
}

bool ChaCha20Poly1305::crypt(std::uint8_t* out, const std::uint8_t* in, std::size_t len) noexcept {
    auto& s = state_;
    if (len > kMaxText - s.text_len) return false;
    s.text_len += len;
    if (!s.in_text) functions_->start(s.key.data(), &s.message, s.iv.data(), additional_.data(), additional_.size());
    s.in_text = true;
    if (len > 0) (s.encrypts ? functions_->encrypt : functions_->decrypt)(s.key.data(), &s.message, out, in, len);
    return true;
}

void ChaCha20Poly1305::end(std::uint8_t* tag) noexcept {
    (void)crypt(nullptr, nullptr, 0);  // no text is never too much
    functions_->end(&state_.message, tag, kTagLen);
    OPENSSL_cleanse(&state_.message, sizeof state_.message);
    begin();
}

bool ChaCha20Poly1305::update(std::uint8_t* out, const std::uint8_t* in, std::size_t len, std::size_t& done) noexcept {
    auto& s = state_;
    done = 0;
    if (s.is_record) {
        if (!record(out, in, len)) return false;
        done = s.encrypts ? len : len - kTagLen;
        return true;
    }
    if (!s.has_key || in == nullptr || !(out == nullptr ? add(in, len) : crypt(out, in, len))) return false;
    done = len;
    return true;
}

bool ChaCha20Poly1305::final() noexcept {
    auto& s = state_;
    if (!s.has_key || s.is_record) return false;
    std::array<std::uint8_t, kTagLen> tag;
    end(tag.data());
    if (s.encrypts) {
        s.tag = tag;
        return true;
    }
    const bool same = CRYPTO_memcmp(tag.data(), s.tag.data(), s.tag_len) == 0;
    OPENSSL_cleanse(tag.data(), tag.size());  // who learns the right tag of a forgery can send it again with that
    return same;
}

bool ChaCha20Poly1305::record(std::uint8_t* out, const std::uint8_t* in, std::size_t len) noexcept {
    auto& s = state_;
    s.is_record = false;
    const auto text_len = s.tls_text_len;
    if (!s.has_key || out == nullptr || in == nullptr || len != text_len + kTagLen) return begin(), false;
    if (!crypt(out, in, text_len)) return begin(), false;
    std::array<std::uint8_t, kTagLen> tag;
    end(tag.data());
    if (s.encrypts) {
        std::copy(tag.begin(), tag.end(), out + text_len);
        s.tag = tag;
        return true;
    }
    const bool same = CRYPTO_memcmp(tag.data(), in + text_len, kTagLen) == 0;
    OPENSSL_cleanse(tag.data(), tag.size());
    if (!same) OPENSSL_cleanse(out, text_len);
    return same;
}

}  // namespace octavo::bridge
