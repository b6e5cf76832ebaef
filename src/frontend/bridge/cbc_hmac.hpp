#pragma once

#include <intel-ipsec-mb.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace octavo::bridge {

/// Several records of TLS 1.1 or 1.2 sealed at a time by AES-CBC with HMAC (RFC 5246, 6.2.3.2), by libipsec-mb: sixteen lanes of SHA and of AES. A
/// record alone takes as long as sixteen there, so that few are faster one after another by OpenSSL. Plain data, which may be copied as
/// bytes, on a boundary of 16 bytes; whoever has it wipes it. Constant time in keys and text.
class CbcHmac {
public:
    using Bytes = std::span<const std::uint8_t>;
    enum class Hash : std::uint8_t { sha1, sha256 };
    enum class Sealing : std::uint8_t { done, declined, failed };
    static constexpr std::size_t kBlock = 16, kHeaderLen = 13, kMaxLanes = 16, kMaxMacKey = 64;
    static constexpr std::size_t kMaxLen = (1 << 14) + 2048;  ///< of a record: RFC 5246, 6.2.3

    /// In place: room for an explicit IV, text, room for MAC and padding, `len` bytes in all.
    struct Record {
        std::uint8_t* bytes;
        std::size_t len, text_len;
        const std::uint8_t* header;  ///< sequence number, type, version; kHeaderLen bytes, whose length is not read
    };

    void set_hash(Hash hash) noexcept { hash_ = hash; }
    /// Nothing is sealed until both keys are given again.
    void forget_keys() noexcept {
        key_len_ = 0;
        has_mac_key_ = false;
    }
    /// 16 or 32 bytes.
    void set_key(Bytes key) noexcept;
    /// Nothing is sealed before, or where it has more than kMaxMacKey bytes.
    void set_mac_key(Bytes key) noexcept;

    /// What OpenSSL makes of a text of that length.
    std::size_t sealed_len(std::size_t text_len) const noexcept {
        return kBlock + (text_len + mac_len() + kBlock) / kBlock * kBlock;
    }
    /// From how many records on it is worth it: measured, see docs/man/octavo-engine.7.
    std::size_t least() const noexcept;
    /// At most kMaxLanes, each sealed_len() long, which is at most kMaxLen. Declined where memory ran out or a key is missing: nothing was changed.
    /// Failed: the records are of no use.
    Sealing seal(std::span<const Record> records) noexcept;

private:
    static constexpr std::size_t kMaxRounds = 15, kMaxState = 32;

    IMB_JOB* next_job(IMB_MGR* m, const std::uint8_t* iv) const noexcept;
    bool make_ivs(IMB_MGR* m, std::uint8_t* ivs, std::size_t count) noexcept;
    std::size_t start(IMB_MGR* m, const Record& record, const std::uint8_t* iv) noexcept;
    std::size_t mac_len() const noexcept { return hash_ == Hash::sha1 ? 20 : 32; }

    alignas(kBlock) std::array<std::uint8_t, kBlock * kMaxRounds> keys_;
    alignas(kBlock) std::array<std::uint8_t, kMaxState> inner_, outer_;
    alignas(kBlock) std::array<std::uint8_t, kBlock> chain_;  ///< the newest explicit IV
    std::size_t key_len_;
    Hash hash_;
    bool has_mac_key_;
};

}  // namespace octavo::bridge
