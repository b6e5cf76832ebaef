#define OPENSSL_SUPPRESS_DEPRECATED  // hmac.hpp
#include "frontend/bridge/kdf.hpp"

#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>

#include "frontend/bridge/hmac.hpp"

namespace octavo::bridge {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Out = std::span<std::uint8_t>;

using Tag = std::array<std::uint8_t, EVP_MAX_MD_SIZE>;

/// Calls `use` with HMAC under the key: what it answers, unless the HMAC failed.
template <class Use>
bool with_hmac(const EVP_MD* digest, Bytes key, Use&& use) noexcept {
    const auto run = [&](auto&& hmac) { return use(hmac) && hmac.good(); };
    switch (EVP_MD_get_type(digest)) {
        case NID_sha256:
            return run(Hmac<Sha256>(key));
        case NID_sha384:
            return run(Hmac<Sha384>(key));
        case NID_sha512:
            return run(Hmac<Sha512>(key));
        case NID_sha224:
            return run(Hmac<Sha224>(key));
        case NID_sha1:
            return run(Hmac<Sha1>(key));
        case NID_md5:
            return run(Hmac<Md5>(key));
        default:
            return run(EvpHmac(digest, key));
    }
}

template <class Mac>
void expand(Mac& mac, Bytes info, Out out) noexcept {
    Tag memory;
    const auto tag = std::span(memory).first(mac.len());
    Bytes before;
    for (std::uint8_t counter = 1; !out.empty(); ++counter) {
        mac.add(before).add(info).add({&counter, 1}).end(tag.data());
        const auto len = std::min(out.size(), tag.size());
        std::copy_n(tag.begin(), len, out.begin());
        out = out.subspan(len);
        before = tag;
    }
    OPENSSL_cleanse(memory.data(), memory.size());
}

enum class Write { set, mix };

/// P_hash of RFC 5246, 5; mixed by exclusive or into what is there already, where RFC 2246 wants both.
template <class Mac>
void p_hash(Mac& mac, Bytes seed, Out out, Write write) noexcept {
    Tag memory, a_memory;
    const auto tag = std::span(memory).first(mac.len()), a = std::span(a_memory).first(mac.len());
    mac.add(seed).end(a.data());
    while (true) {
        mac.add(a).add(seed).end(tag.data());
        const auto len = std::min(out.size(), tag.size());
        for (std::size_t i = 0; i < len; ++i)
            out[i] = static_cast<std::uint8_t>(write == Write::mix ? out[i] ^ tag[i] : tag[i]);
        out = out.subspan(len);
        if (out.empty()) break;
        mac.add(a).end(a.data());
    }
    OPENSSL_cleanse(memory.data(), memory.size());
    OPENSSL_cleanse(a_memory.data(), a_memory.size());
}

}  // namespace

bool hkdf_extract(const EVP_MD* digest, Bytes salt, Bytes key, Out out) noexcept {
    return with_hmac(digest, salt, [&](auto& mac) {
        if (out.size() != mac.len()) return false;
        mac.add(key).end(out.data());
        return true;
    });
}

bool hkdf_expand(const EVP_MD* digest, Bytes key, Bytes info, Out out) noexcept {
    return with_hmac(digest, key, [&](auto& mac) {
        if (out.empty() || out.size() > 255 * mac.len()) return false;
        expand(mac, info, out);
        return true;
    });
}

bool hkdf(const EVP_MD* digest, Bytes salt, Bytes key, Bytes info, Out out) noexcept {
    Tag memory;
    const auto tag = std::span(memory).first(static_cast<std::size_t>(EVP_MD_get_size(digest)));
    const bool done = hkdf_extract(digest, salt, key, tag) && hkdf_expand(digest, tag, info, out);
    OPENSSL_cleanse(memory.data(), memory.size());
    return done;
}

bool tls1_prf(const EVP_MD* digest, Bytes secret, Bytes seed, Out out) noexcept {
    if (out.empty()) return false;
    if (EVP_MD_get_type(digest) == NID_md5_sha1) {
        const auto half = (secret.size() + 1) / 2;  // the byte in the middle belongs to both
        Hmac<Md5> md5(secret.first(half));
        Hmac<Sha1> sha1(secret.last(half));
        p_hash(md5, seed, out, Write::set);
        p_hash(sha1, seed, out, Write::mix);
        return true;
    }
    return with_hmac(digest, secret, [&](auto& mac) {
        if (mac.len() == 0) return false;
        p_hash(mac, seed, out, Write::set);
        return true;
    });
}

}  // namespace octavo::bridge
