#pragma once

#include <intel-ipsec-mb.h>
#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace octavo::bridge {

/// libipsec-mb's functions for one length of key. Their time depends on lengths alone; data may lie at any address, in place or apart.
struct GcmFunctions {
    aes_gcm_pre_t prepare = nullptr;
    aes_gcm_enc_dec_t encrypt_all = nullptr, decrypt_all = nullptr;
    aes_gcm_init_t start = nullptr;
    aes_gcm_init_var_iv_t start_long = nullptr;
    aes_gmac_update_t add = nullptr;
    aes_gcm_enc_dec_update_t encrypt = nullptr, decrypt = nullptr;
    aes_gcm_enc_dec_finalize_t encrypt_end = nullptr, decrypt_end = nullptr;
};

/// One context of AES-GCM (NIST SP 800-38D) under provider and engine: a message in pieces, or records of TLS 1.2 in place. Answers as OpenSSL's
/// contexts do, but that nothing follows a wrong tag, where OpenSSL goes on deciphering. Wiped in the end. One thread at a time.
class Gcm {
public:
    using Bytes = std::span<const std::uint8_t>;
    static constexpr std::size_t kIvLen = 12, kMaxIvLen = 128, kTagLen = 16;
    /// Of TLS 1.2: what is authenticated besides the record, and the IV's two parts.
    static constexpr std::size_t kTlsAadLen = 13, kFixedLen = 4, kExplicitLen = 8;
    static constexpr std::size_t kWholeIv = SIZE_MAX;

    /// Keys have 16, 24 or 32 bytes. Random IVs come from `random`, null for the application's own. Not good() where memory ran out.
    Gcm(std::size_t key_len, OSSL_LIB_CTX* random) noexcept;
    /// A copy goes on from where the other is.
    Gcm(const Gcm& other) noexcept = default;
    Gcm& operator=(const Gcm& other) = delete;
    ~Gcm();

    bool good() const noexcept { return functions_ != nullptr; }
    std::size_t key_len() const noexcept { return key_len_; }
    std::size_t iv_len() const noexcept { return state_.iv_len; }
    /// The length of the newest tag, given or made; kTagLen before there is one.
    std::size_t tag_len() const noexcept { return state_.tag_len == 0 ? kTagLen : state_.tag_len; }
    bool encrypts() const noexcept { return state_.encrypts; }
    /// The IV that the next message has; empty where there was none yet.
    Bytes iv() const noexcept;

    void set_direction(bool encrypts) noexcept { state_.encrypts = encrypts; }
    /// `key` has key_len() bytes.
    void set_key(const std::uint8_t* key) noexcept;
    /// False unless 1 to kMaxIvLen bytes. A message begins.
    bool set_iv(Bytes iv) noexcept;
    /// False unless 1 to kMaxIvLen. Another length than before takes the present IV away.
    bool set_iv_len(std::size_t len) noexcept;
    /// What final() compares with; only of decryption, and 1 to kTagLen bytes, else false.
    bool set_tag(Bytes tag) noexcept;
    /// Only of encryption, 1 to kTagLen bytes, and where there is one; else false.
    bool get_tag(std::span<std::uint8_t> tag) const noexcept;

    /// The first `len` bytes of an IV that next_iv() counts up; the others are random where we encrypt. With kWholeIv all iv_len() of them.
    bool set_fixed_iv(const std::uint8_t* fixed, std::size_t len) noexcept;
    /// A message begins with that IV, whose last bytes, as many as `out` has room for, go to `out`; and the IV counts up. Without room, or with more
    /// than an IV has, `out` gets iv_len() bytes.
    bool next_iv(std::uint8_t* out, std::size_t room) noexcept;
    /// The last bytes of the IV of the message that begins: only of decryption.
    bool set_invocation(Bytes last) noexcept;

    /// The next update() is a record of TLS 1.2 with these data, whose length is the record's. Gives back by how much a record grows besides its
    /// explicit IV, 0 for a length that cannot be.
    std::size_t set_tls_aad(Bytes aad) noexcept;
    std::size_t tls_pad() const noexcept { return state_.tls_pad; }

    /// The next piece: additional data where `out` is null, else text. Or a record, in place: explicit IV, text, tag. `done` is what was
    /// written, or the number of additional bytes. False where the order, the key or the IV is not right, or a record is forged: it is
    /// wiped then.
    bool update(std::uint8_t* out, const std::uint8_t* in, std::size_t len, std::size_t& done) noexcept;
    /// Ends the message: its tag is there to get, or was compared with the one that was set. No IV serves twice.
    bool final() noexcept;

private:
    enum class Iv : std::uint8_t { none, given, in_use, used_up };

    struct State {
        State() noexcept {}            // leaves key and message as they are: both are made before they are used
        alignas(64) gcm_key_data key;  // libipsec-mb stores to it by aligned vectors
        alignas(64) gcm_context_data message;
        std::array<std::uint8_t, kMaxIvLen> iv{};
        std::array<std::uint8_t, kTagLen> tag{};
        std::array<std::uint8_t, kTlsAadLen> tls_aad{};
        std::size_t iv_len = kIvLen, tag_len = 0, tls_pad = 0;
        std::uint64_t aad_len = 0, data_len = 0;
        Iv iv_state = Iv::none;
        bool encrypts = true, has_key = false, counts = false, has_tls_aad = false;
        bool in_text = false;  // additional data have ended
    };

    bool begin() noexcept;
    void start() noexcept;
    bool add(const std::uint8_t* in, std::size_t len) noexcept;
    bool crypt(std::uint8_t* out, const std::uint8_t* in, std::size_t len) noexcept;
    void end_additional() noexcept;
    void end(std::uint8_t* tag) noexcept;
    bool make_random_iv() noexcept;
    bool random(std::span<std::uint8_t> bytes) noexcept;
    bool record(std::uint8_t* out, const std::uint8_t* in, std::size_t len, std::size_t& done) noexcept;
    bool seal(std::uint8_t* record, std::size_t len) noexcept;
    bool open(std::uint8_t* record, std::size_t len) noexcept;
    void one_shot(std::uint8_t* text, std::size_t len, std::uint8_t* tag) noexcept;
    void count_up() noexcept;

    const std::size_t key_len_;
    const GcmFunctions* const functions_;
    OSSL_LIB_CTX* const random_;
    State state_;
};

}  // namespace octavo::bridge
