#pragma once

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace octavo::provider {

struct Sha256 {
    static constexpr std::size_t kLen = SHA256_DIGEST_LENGTH, kBlock = SHA256_CBLOCK;
    using Context = SHA256_CTX;
    static void init(Context* context) noexcept { SHA256_Init(context); }
    static void update(Context* context, const void* bytes, std::size_t len) noexcept {
        SHA256_Update(context, bytes, len);
    }
    static void final(std::uint8_t* out, Context* context) noexcept { SHA256_Final(out, context); }
};
struct Sha384 {
    static constexpr std::size_t kLen = SHA384_DIGEST_LENGTH, kBlock = SHA512_CBLOCK;
    using Context = SHA512_CTX;
    static void init(Context* context) noexcept { SHA384_Init(context); }
    static void update(Context* context, const void* bytes, std::size_t len) noexcept {
        SHA384_Update(context, bytes, len);
    }
    static void final(std::uint8_t* out, Context* context) noexcept { SHA384_Final(out, context); }
};

/// HMAC (RFC 2104) by SHA256_Init() and its like, because an EVP_MAC costs several times what it computes: whoever includes this defines
/// OPENSSL_SUPPRESS_DEPRECATED. With a key of at most a block, for one message. Its time depends on lengths alone; wiped at the end.
template <class Hash>
class Hmac {
public:
    using Bytes = std::span<const std::uint8_t>;
    using Tag = std::array<std::uint8_t, Hash::kLen>;

    explicit Hmac(Bytes key) noexcept {
        start(inner_, key, 0x36);
        start(outer_, key, 0x5c);
    }
    ~Hmac() {
        OPENSSL_cleanse(&inner_, sizeof inner_);
        OPENSSL_cleanse(&outer_, sizeof outer_);
    }
    Hmac(const Hmac&) = delete;
    Hmac& operator=(const Hmac&) = delete;

    Hmac& add(Bytes bytes) noexcept {
        Hash::update(&inner_, bytes.data(), bytes.size());
        return *this;
    }
    void end(Tag& tag) noexcept {
        Hash::final(tag.data(), &inner_);
        Hash::update(&outer_, tag.data(), tag.size());
        Hash::final(tag.data(), &outer_);
    }

private:
    static void start(typename Hash::Context& context, Bytes key, std::uint8_t pad) noexcept {
        std::array<std::uint8_t, Hash::kBlock> block;
        block.fill(pad);
        for (std::size_t i = 0; i < key.size(); ++i) block[i] ^= key[i];
        Hash::init(&context);
        Hash::update(&context, block.data(), block.size());
        OPENSSL_cleanse(block.data(), block.size());
    }

    typename Hash::Context inner_, outer_;
};

}  // namespace octavo::provider
