#define OPENSSL_SUPPRESS_DEPRECATED  // SHA256_Init() and its like: an EVP_MAC costs more than a signature in lanes
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/ct.hpp"
#include "base/wipe.hpp"
#include "kernel/ec/secret.hpp"
#include "kernel/evp_ref.hpp"
#include "kernel/openssl_ref.hpp"

namespace octavo::kernel::ec {
namespace {

constexpr std::size_t kMaxLen = 48;

// FIPS 186-5 / SP 800-186, 3.2.1.3 and 3.2.1.4
constexpr std::array<std::uint8_t, 32> kOrderP256 = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                                     0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
constexpr std::array<std::uint8_t, 48> kOrderP384 = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};

struct Sha256 {
    static constexpr std::size_t kLen = 32, kBlock = 64;
    using Context = SHA256_CTX;
    static void init(Context* context) noexcept { SHA256_Init(context); }
    static void update(Context* context, Bytes bytes) noexcept { SHA256_Update(context, bytes.data(), bytes.size()); }
    static void final(std::uint8_t* out, Context* context) noexcept { SHA256_Final(out, context); }
};
struct Sha384 {
    static constexpr std::size_t kLen = 48, kBlock = 128;
    using Context = SHA512_CTX;
    static void init(Context* context) noexcept { SHA384_Init(context); }
    static void update(Context* context, Bytes bytes) noexcept { SHA384_Update(context, bytes.data(), bytes.size()); }
    static void final(std::uint8_t* out, Context* context) noexcept { SHA384_Final(out, context); }
};

/// The state (K, V) of RFC 6979, 3.2, wiped at the end.
template <typename Hash>
class Generator {
public:
    Generator() noexcept {
        k_.fill(0);
        v_.fill(1);
    }
    ~Generator() { wipe(this, sizeof *this); }
    Generator(const Generator&) = delete;
    Generator& operator=(const Generator&) = delete;

    /// K = HMAC_K(V || separator || parts), V = HMAC_K(V)
    void feed(std::uint8_t separator, std::initializer_list<Bytes> parts) noexcept {
        begin();
        Hash::update(&context_, {&separator, 1});
        for (const Bytes part : parts) Hash::update(&context_, part);
        end(k_);
        step();
    }
    /// V = HMAC_K(V)
    void step() noexcept {
        begin();
        end(v_);
    }
    Bytes value() const noexcept { return v_; }

private:
    using Digest = std::array<std::uint8_t, Hash::kLen>;

    void start(std::uint8_t pad) noexcept {
        block_.fill(pad);
        for (std::size_t i = 0; i < k_.size(); ++i) block_[i] ^= k_[i];
        Hash::init(&context_);
        Hash::update(&context_, block_);
    }
    /// HMAC_K(V ...
    void begin() noexcept {
        start(0x36);
        Hash::update(&context_, v_);
    }
    void end(Digest& out) noexcept {
        Digest inner;
        Hash::final(inner.data(), &context_);
        start(0x5c);
        Hash::update(&context_, inner);
        Hash::final(out.data(), &context_);
    }

    Digest k_, v_;
    std::array<std::uint8_t, Hash::kBlock> block_;
    typename Hash::Context context_;
};

bool is_zero(Bytes number) noexcept {
    std::uint8_t bits = 0;
    for (const auto byte : number) bits |= byte;
    return bits == 0;
}

bool in_range(const Group& group, Bytes scalar) noexcept { return !is_zero(scalar) && ct::less(scalar, group.order); }

/// digest mod order: it is less than twice the order, whose top bit is set.
void reduce(const Group& group, Bytes digest, MutableBytes out) noexcept {
    const auto keep = static_cast<std::uint8_t>(ct::less(digest, group.order) - 1);  // all ones: subtract
    std::uint32_t borrow = 0;
    for (std::size_t i = digest.size(); i-- > 0;) {
        const std::uint32_t difference = std::uint32_t{digest[i]} - (group.order[i] & keep) - borrow;
        out[i] = static_cast<std::uint8_t>(difference);
        borrow = difference >> 31;
    }
}

template <typename Hash>
void derive(const Group& group, Bytes scalar, Bytes digest, Bytes extra, MutableBytes nonce) noexcept {
    std::array<std::uint8_t, kMaxLen> reduced;
    const MutableBytes z = MutableBytes{reduced}.first(digest.size());
    reduce(group, digest, z);
    Generator<Hash> generator;
    generator.feed(0, {scalar, z, extra});
    generator.feed(1, {scalar, z, extra});
    for (;; generator.feed(0, {})) {
        generator.step();
        std::copy_n(generator.value().begin(), nonce.size(), nonce.begin());
        if (in_range(group, nonce)) return;
    }
}

}  // namespace

const Group kGroupP256{kOrderP256, false}, kGroupP384{kOrderP384, true};

bool random_secret(MutableBytes bytes) noexcept {
    const KeepErrors keep;
    OSSL_LIB_CTX* lib = openssl_library();
    return lib != nullptr && RAND_priv_bytes_ex(lib, bytes.data(), bytes.size(), 0) == 1;
}

bool random_scalar(const Group& group, MutableBytes scalar) noexcept {
    do {
        if (!random_secret(scalar)) return false;
    } while (!in_range(group, scalar));
    return true;
}

void derive_nonce(const Group& group, Bytes scalar, Bytes digest, Bytes extra, MutableBytes nonce) noexcept {
    if (group.sha384)
        derive<Sha384>(group, scalar, digest, extra, nonce);
    else
        derive<Sha256>(group, scalar, digest, extra, nonce);
}

}  // namespace octavo::kernel::ec
