#pragma once

#include <intel-ipsec-mb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace octavo::bridge {

/// One context of ChaCha20-Poly1305 (RFC 8439): a message in pieces, or records of TLS 1.2 (RFC 7905). Answers as OpenSSL's contexts do, but that it
/// refuses to work without a key, additional data after text, and more than kMaxText bytes. Its time depends on lengths alone. Wiped in the end. One thread at a time.
class ChaCha20Poly1305 {
public:
    using Bytes = std::span<const std::uint8_t>;
    static constexpr std::size_t kKeyLen = 32, kIvLen = 12, kTagLen = 16, kTlsAadLen = 13;
    /// Of one message: RFC 8439, 2.8. The counter of blocks would come round after it.
    static constexpr std::uint64_t kMaxText = (std::uint64_t{1} << 38) - 64;

    ChaCha20Poly1305() noexcept;
    /// A copy goes on from where the other is. Throws std::bad_alloc.
    ChaCha20Poly1305(const ChaCha20Poly1305& other) = default;
    ChaCha20Poly1305& operator=(const ChaCha20Poly1305& other) = delete;
    ~ChaCha20Poly1305();

    /// False where memory ran out.
    bool good() const noexcept { return functions_ != nullptr; }
    bool encrypts() const noexcept { return state_.encrypts; }
    std::size_t tag_len() const noexcept { return state_.tag_len; }
    std::size_t tls_pad() const noexcept { return state_.tls_pad; }
    /// Whether the next update() is a record.
    bool expects_record() const noexcept { return state_.is_record; }

    void set_direction(bool encrypts) noexcept { state_.encrypts = encrypts; }
    /// kKeyLen and kIvLen bytes. Each begins a message.
    void set_key(const std::uint8_t* key) noexcept;
    void set_iv(const std::uint8_t* iv) noexcept;
    /// How much of the tag counts, 1 to kTagLen bytes; and what final() compares with, unless null.
    void set_tag(const std::uint8_t* tag, std::size_t len) noexcept;
    /// At most kTagLen bytes of the newest.
    void get_tag(std::span<std::uint8_t> tag) const noexcept;
    /// The next update() is a record of TLS 1.2 with these data, whose number is mixed into the IV. False for a length that cannot be.
    bool set_tls_aad(Bytes aad) noexcept;

    /// The next piece: additional data where `out` is null, else text. Or a record, in place or apart: text, tag. `done` is what was written, or
    /// the number of additional bytes. False where the order or the
    /// length is not right, there is no key, or a record is forged: what it was deciphered to is wiped then.
    bool update(std::uint8_t* out, const std::uint8_t* in, std::size_t len, std::size_t& done) noexcept;
    /// Ends the message: its tag is there to get, or was compared with the one that was set. Another one begins, with the same IV.
    bool final() noexcept;

private:
    struct Functions {
        chacha_poly_init_t start = nullptr;
        chacha_poly_enc_dec_update_t encrypt = nullptr, decrypt = nullptr;
        chacha_poly_finalize_t end = nullptr;
    };
    static const Functions* load() noexcept;
    static const Functions* functions() noexcept;

    struct State {
        chacha20_poly1305_context_data message;
        std::array<std::uint8_t, kKeyLen> key;
        std::array<std::uint8_t, kIvLen> fixed, iv;  ///< as it was set; as it is used
        std::array<std::uint8_t, kTagLen> tag;
        std::size_t tag_len = kTagLen, tls_pad = 0, tls_text_len = 0;
        std::uint64_t text_len = 0;
        bool encrypts = true, has_key = false, in_text = false, is_record = false;
    };

    void begin() noexcept;
    bool add(const std::uint8_t* in, std::size_t len) noexcept;
    bool crypt(std::uint8_t* out, const std::uint8_t* in, std::size_t len) noexcept;
    void end(std::uint8_t* tag) noexcept;
    bool record(std::uint8_t* out, const std::uint8_t* in, std::size_t len) noexcept;

    const Functions* const functions_;
    State state_{};
    std::vector<std::uint8_t> additional_;  ///< libipsec-mb wants it in one piece
};

}  // namespace octavo::bridge
