#pragma once

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace octavo::bridge {

/// A hash function by its own functions: whoever includes this defines OPENSSL_SUPPRESS_DEPRECATED.
template <class State, auto kInit, auto kUpdate, auto kFinal, std::size_t len, std::size_t block>
struct Hash {
    static constexpr std::size_t kLen = len, kBlock = block;
    using Context = State;
    static void init(Context* context) noexcept { kInit(context); }
    static void update(Context* context, std::span<const std::uint8_t> bytes) noexcept {
        kUpdate(context, bytes.data(), bytes.size());
    }
    static void final(std::uint8_t* out, Context* context) noexcept { kFinal(out, context); }
};
using Md5 = Hash<MD5_CTX, MD5_Init, MD5_Update, MD5_Final, MD5_DIGEST_LENGTH, MD5_CBLOCK>;
using Sha1 = Hash<SHA_CTX, SHA1_Init, SHA1_Update, SHA1_Final, SHA_DIGEST_LENGTH, SHA_CBLOCK>;
using Sha224 = Hash<SHA256_CTX, SHA224_Init, SHA224_Update, SHA224_Final, SHA224_DIGEST_LENGTH, SHA256_CBLOCK>;
using Sha256 = Hash<SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final, SHA256_DIGEST_LENGTH, SHA256_CBLOCK>;
using Sha384 = Hash<SHA512_CTX, SHA384_Init, SHA384_Update, SHA384_Final, SHA384_DIGEST_LENGTH, SHA512_CBLOCK>;
using Sha512 = Hash<SHA512_CTX, SHA512_Init, SHA512_Update, SHA512_Final, SHA512_DIGEST_LENGTH, SHA512_CBLOCK>;

/// HMAC (RFC 2104) by a hash's own functions, because an EVP_MAC costs several times what it computes. For one message after another under
/// one key, of any length. Its time depends on lengths alone; wiped at the end.
template <class Hash>
class Hmac {
public:
    using Bytes = std::span<const std::uint8_t>;

    explicit Hmac(Bytes key) noexcept {
        std::array<std::uint8_t, Hash::kLen> hashed;
        if (key.size() > Hash::kBlock) {
            Hash::init(&running_);
            Hash::update(&running_, key);
            Hash::final(hashed.data(), &running_);
            key = hashed;
        }
        start(inner_, key, 0x36);
        start(outer_, key, 0x5c);
        running_ = inner_;
        OPENSSL_cleanse(hashed.data(), hashed.size());
    }
    ~Hmac() {
        OPENSSL_cleanse(&inner_, sizeof inner_);
        OPENSSL_cleanse(&outer_, sizeof outer_);
        OPENSSL_cleanse(&running_, sizeof running_);
    }
    Hmac(const Hmac&) = delete;
    Hmac& operator=(const Hmac&) = delete;

    static constexpr std::size_t len() noexcept { return Hash::kLen; }
    static constexpr bool good() noexcept { return true; }
    Hmac& add(Bytes bytes) noexcept {
        Hash::update(&running_, bytes);
        return *this;
    }
    /// `tag` has room for len() bytes. The next message begins.
    void end(std::uint8_t* tag) noexcept {
        Hash::final(tag, &running_);
        running_ = outer_;
        Hash::update(&running_, {tag, Hash::kLen});
        Hash::final(tag, &running_);
        running_ = inner_;
    }

private:
    static void start(typename Hash::Context& context, Bytes key, std::uint8_t pad) noexcept {
        std::array<std::uint8_t, Hash::kBlock> block;
        block.fill(pad);
        for (std::size_t i = 0; i < key.size(); ++i) block[i] ^= key[i];
        Hash::init(&context);
        Hash::update(&context, block);
        OPENSSL_cleanse(block.data(), block.size());
    }

    typename Hash::Context inner_, outer_, running_;
};

/// The same by EVP, for hashes that have no functions of their own.
class EvpHmac {
public:
    using Bytes = std::span<const std::uint8_t>;

    /// `md` has blocks, as SHAKE's have not for HMAC; it is not freed.
    EvpHmac(const EVP_MD* md, Bytes key) noexcept
        : len_(static_cast<std::size_t>(EVP_MD_get_size(md))),
          block_len_(static_cast<std::size_t>(EVP_MD_get_block_size(md))) {
        std::array<std::uint8_t, EVP_MAX_MD_SIZE> hashed;
        good_ = inner_ != nullptr && outer_ != nullptr && running_ != nullptr && block_len_ <= kMaxBlock;
        if (key.size() > block_len_) {
            good_ = good_ && EVP_DigestInit_ex2(running_, md, nullptr) == 1;
            add(key);
            good_ = good_ && EVP_DigestFinal_ex(running_, hashed.data(), nullptr) == 1;
            key = std::span(hashed).first(len_);
        }
        good_ = good_ && start(inner_, md, key, 0x36) && start(outer_, md, key, 0x5c) &&
                EVP_MD_CTX_copy_ex(running_, inner_) == 1;
        OPENSSL_cleanse(hashed.data(), hashed.size());
    }
    /// OpenSSL wipes.
    ~EvpHmac() {
        for (auto* context : {inner_, outer_, running_}) EVP_MD_CTX_free(context);
    }
    EvpHmac(const EvpHmac&) = delete;
    EvpHmac& operator=(const EvpHmac&) = delete;

    std::size_t len() const noexcept { return len_; }
    /// False when memory ran out: no tag was right since.
    bool good() const noexcept { return good_; }
    EvpHmac& add(Bytes bytes) noexcept {
        good_ = good_ && EVP_DigestUpdate(running_, bytes.data(), bytes.size()) == 1;
        return *this;
    }
    void end(std::uint8_t* tag) noexcept {
        good_ = good_ && EVP_DigestFinal_ex(running_, tag, nullptr) == 1 && EVP_MD_CTX_copy_ex(running_, outer_) == 1 &&
                EVP_DigestUpdate(running_, tag, len_) == 1 && EVP_DigestFinal_ex(running_, tag, nullptr) == 1 &&
                EVP_MD_CTX_copy_ex(running_, inner_) == 1;
    }

private:
    static constexpr std::size_t kMaxBlock = 144;  // SHA3-224's

    bool start(EVP_MD_CTX* context, const EVP_MD* md, Bytes key, std::uint8_t pad) const noexcept {
        std::array<std::uint8_t, kMaxBlock> block;
        block.fill(pad);
        for (std::size_t i = 0; i < key.size(); ++i) block[i] ^= key[i];
        const bool done =
            EVP_DigestInit_ex2(context, md, nullptr) == 1 && EVP_DigestUpdate(context, block.data(), block_len_) == 1;
        OPENSSL_cleanse(block.data(), block.size());
        return done;
    }

    const std::size_t len_, block_len_;
    EVP_MD_CTX *const inner_ = EVP_MD_CTX_new(), *const outer_ = EVP_MD_CTX_new(), *const running_ = EVP_MD_CTX_new();
    bool good_ = false;
};

}  // namespace octavo::bridge
