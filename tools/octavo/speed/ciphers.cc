#include "speed/ciphers.hpp"

#include <openssl/evp.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "installation.hpp"
#include "speed/contexts.hpp"
#include "speed/evp_side.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Cipher = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;

constexpr std::size_t kIvLen = 12, kTagLen = 16, kHeaderLen = 5;

/// As TLS 1.3 seals records: the key once; for each an IV, the header as additional data, the text in place, the tag.
class RecordWork final : public EvpWork {
public:
    RecordWork(const char* name, const Records& records, const EvpPlace& place)
        : name_(name),
          records_(records),
          cipher_(EVP_CIPHER_fetch(place.context, records.cipher, place.properties)),
          context_(EVP_CIPHER_CTX_new()),
          text_(records.text_len) {
        const Bytes key(records.key_len, 7);
        if (cipher_ == nullptr || context_ == nullptr ||
            EVP_EncryptInit_ex2(context_.get(), cipher_.get(), key.data(), nullptr, nullptr) != 1)
            throw Failure(std::string("OpenSSL has no ") + records.cipher + ": " + openssl_error());
    }

    bool operate(std::size_t) override {
        auto* const context = context_.get();
        int len = 0;
        ++iv_[0];
        return EVP_EncryptInit_ex2(context, nullptr, nullptr, iv_.data(), nullptr) == 1 &&
               EVP_EncryptUpdate(context, nullptr, &len, header_.data(), static_cast<int>(header_.size())) == 1 &&
               EVP_EncryptUpdate(context, text_.data(), &len, text_.data(), static_cast<int>(text_.size())) == 1 &&
               EVP_EncryptFinal_ex(context, text_.data(), &len) == 1 &&
               EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagLen, tag_.data()) == 1;
    }
    /// OpenSSL opens the last record.
    void check() const override {
        const auto standard = default_place();
        RecordWork opener(name_, records_, standard);
        Bytes text = text_;
        auto tag = tag_;
        auto* const context = opener.context_.get();
        int len = 0;
        const bool good =
            EVP_CipherInit_ex2(context, nullptr, nullptr, iv_.data(), 0, nullptr) == 1 &&
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagLen, tag.data()) == 1 &&
            EVP_DecryptUpdate(context, nullptr, &len, header_.data(), static_cast<int>(header_.size())) == 1 &&
            EVP_DecryptUpdate(context, text.data(), &len, text.data(), static_cast<int>(text.size())) == 1 &&
            EVP_DecryptFinal_ex(context, text.data(), &len) == 1;
        if (!good) throw Failure(std::string(name_) + ": OpenSSL cannot open what was sealed; please report this");
    }
    const OSSL_PROVIDER* provider() const noexcept override { return EVP_CIPHER_get0_provider(cipher_.get()); }
    std::string note() const override {
        if (std::string_view(OSSL_PROVIDER_get0_name(provider())) == "octavo") return {};
        return std::string("the provider does not offer ") + records_.cipher +
               " on this CPU: OpenSSL is measured twice";
    }

private:
    const char* name_;
    Records records_;
    Cipher cipher_;
    CipherContext context_;
    Bytes text_;
    std::array<std::uint8_t, kIvLen> iv_{};
    std::array<std::uint8_t, kHeaderLen> header_{23, 3, 3, 0, 0};
    std::array<std::uint8_t, kTagLen> tag_{};
};

}  // namespace

SidePtr CipherOperation::provider(std::size_t depth, bool) const {
    return make_evp_side(std::make_unique<RecordWork>(name(), records_, octavo_place()), depth, false);
}

SidePtr CipherOperation::openssl(Counterpart) const {
    return make_evp_side(std::make_unique<RecordWork>(name(), records_, default_place()), 1, false);
}

Operations cipher_operations() {
    constexpr const char *kAes128 = "AES-128-GCM", *kAes256 = "AES-256-GCM", *kChaCha = "ChaCha20-Poly1305";
    static const CipherOperation list[] = {
        {"aes128-gcm-64", "AES-128-GCM, a TLS 1.3 record of 64 bytes", {kAes128, 16, 64}},
        {"aes128-gcm-1k", "AES-128-GCM, a TLS 1.3 record of 1 KiB", {kAes128, 16, 1024}},
        {"aes128-gcm-16k", "AES-128-GCM, a TLS 1.3 record of 16 KiB", {kAes128, 16, 16384}},
        {"aes256-gcm-64", "AES-256-GCM, a TLS 1.3 record of 64 bytes", {kAes256, 32, 64}},
        {"aes256-gcm-1k", "AES-256-GCM, a TLS 1.3 record of 1 KiB", {kAes256, 32, 1024}},
        {"aes256-gcm-16k", "AES-256-GCM, a TLS 1.3 record of 16 KiB", {kAes256, 32, 16384}},
        {"chacha20-poly1305-64", "ChaCha20-Poly1305, a record of 64 bytes", {kChaCha, 32, 64}},
        {"chacha20-poly1305-1k", "ChaCha20-Poly1305, a record of 1 KiB", {kChaCha, 32, 1024}},
        {"chacha20-poly1305-16k", "ChaCha20-Poly1305, a record of 16 KiB", {kChaCha, 32, 16384}},
    };
    return operations_of(list);
}

}  // namespace octavo::cli
