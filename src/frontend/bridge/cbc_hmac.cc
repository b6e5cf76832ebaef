#include "frontend/bridge/cbc_hmac.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <atomic>

#include "frontend/bridge/ipsec_mb.hpp"

namespace octavo::bridge {
namespace {

/// Managers that nobody uses at the moment. One serves a thread at a time, and between calls its lanes are empty; a child of fork() has those
/// that were idle.
std::array<std::atomic<IMB_MGR*>, 16> idle{};

/// A manager for the length of a call. Null where memory ran out.
class Manager {
public:
    Manager() noexcept : manager_(take()) {}
    ~Manager() {
        if (manager_ != nullptr) give(manager_);
    }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;
    IMB_MGR* get() const noexcept { return manager_; }

private:
    static IMB_MGR* take() noexcept {
        for (auto& place : idle)
            if (auto* found = place.exchange(nullptr, std::memory_order_acquire); found != nullptr) return found;
        return make_ipsec_manager().release();
    }
    static void give(IMB_MGR* manager) noexcept {
        for (auto& place : idle) {
            IMB_MGR* nobody = nullptr;
            // Its lanes are seen as this thread left them.
            if (place.compare_exchange_strong(nobody, manager, std::memory_order_release, std::memory_order_relaxed))
                return;
        }
        FreeIpsecManager{}(manager);
    }

    IMB_MGR* manager_;
};

constexpr std::size_t kHashBlock = 64;

// Jobs come back one by one, in order; nobody waits for a single one. Both answer how many have done what they were to do.

std::size_t submit(IMB_MGR* m) noexcept {
    std::size_t num_done = 0;
    for (auto* job = IMB_SUBMIT_JOB(m); job != nullptr; job = IMB_GET_COMPLETED_JOB(m))
        if (job->status == IMB_STATUS_COMPLETED) ++num_done;
    return num_done;
}

std::size_t flush(IMB_MGR* m) noexcept {
    std::size_t num_done = 0;
    while (const auto* job = IMB_FLUSH_JOB(m))
        if (job->status == IMB_STATUS_COMPLETED) ++num_done;
    return num_done;
}

/// HMAC's state after the block of key and pad.
void start_hash(IMB_MGR* m, CbcHmac::Hash hash, CbcHmac::Bytes key, std::uint8_t pad, std::uint8_t* state) noexcept {
    std::array<std::uint8_t, kHashBlock> block;
    block.fill(pad);
    for (std::size_t i = 0; i < key.size(); ++i) block[i] ^= key[i];
    if (hash == CbcHmac::Hash::sha1)
        IMB_SHA1_ONE_BLOCK(m, block.data(), state);
    else
        IMB_SHA256_ONE_BLOCK(m, block.data(), state);
    OPENSSL_cleanse(block.data(), block.size());
}

}  // namespace

void CbcHmac::set_key(Bytes key) noexcept {
    const Manager loan;
    auto* const m = loan.get();
    if (m == nullptr) return;
    alignas(kBlock) std::array<std::uint8_t, kBlock * kMaxRounds> to_decrypt;
    if (key.size() == kBlock)
        IMB_AES_KEYEXP_128(m, key.data(), keys_.data(), to_decrypt.data());
    else
        IMB_AES_KEYEXP_256(m, key.data(), keys_.data(), to_decrypt.data());
    OPENSSL_cleanse(to_decrypt.data(), to_decrypt.size());
    chain_.fill(0);
    key_len_ = key.size();
}

void CbcHmac::set_mac_key(Bytes key) noexcept {
    const Manager loan;
    auto* const m = loan.get();
    has_mac_key_ = m != nullptr && key.size() <= kMaxMacKey;
    if (!has_mac_key_) return;
    start_hash(m, hash_, key, 0x36, inner_.data());
    start_hash(m, hash_, key, 0x5c, outer_.data());
}

/// A pass takes what 4.5 records take in OpenSSL with SHA-1, and 8.3 or, with keys of 256 bits, 6.3 with SHA-256; short records have a little more around
/// them.
std::size_t CbcHmac::least() const noexcept {
    if (hash_ == Hash::sha1) return 6;
    return key_len_ == kBlock ? 10 : 8;
}

/// The fields of a job that all have in common.
IMB_JOB* CbcHmac::next_job(IMB_MGR* m, const std::uint8_t* iv) const noexcept {
    auto* const job = IMB_GET_NEXT_JOB(m);
    job->cipher_direction = IMB_DIR_ENCRYPT;
    job->cipher_mode = IMB_CIPHER_CBC;
    job->enc_keys = job->dec_keys = keys_.data();
    job->key_len_in_bytes = key_len_;
    job->iv = iv;
    job->iv_len_in_bytes = kBlock;
    return job;
}

/// The callers' first blocks become the explicit IVs: enciphered, each chained to the one before, so that they need not be random.
bool CbcHmac::make_ivs(IMB_MGR* m, std::uint8_t* ivs, std::size_t count) noexcept {
    auto* const job = next_job(m, chain_.data());
    job->chain_order = IMB_ORDER_CIPHER_HASH;
    job->hash_alg = IMB_AUTH_NULL;
    job->src = job->dst = ivs;
    job->cipher_start_src_offset_in_bytes = 0;
    job->msg_len_to_cipher_in_bytes = count * kBlock;
    if (submit(m) + flush(m) != 1) return false;
    std::copy_n(ivs + (count - 1) * kBlock, kBlock, chain_.begin());
    return true;
}

/// What is authenticated stands before the text while it is hashed, where the explicit IV comes to stand.
std::size_t CbcHmac::start(IMB_MGR* m, const Record& record, const std::uint8_t* iv) noexcept {
    const auto& [bytes, len, text_len, header] = record;
    auto* const text = bytes + kBlock;
    auto* const mac = text + text_len;
    std::copy_n(header, kHeaderLen - 2, text - kHeaderLen);
    text[-2] = static_cast<std::uint8_t>(text_len >> 8);
    text[-1] = static_cast<std::uint8_t>(text_len);
    const auto pad = len - kBlock - text_len - mac_len();
    std::fill_n(mac + mac_len(), pad, static_cast<std::uint8_t>(pad - 1));
    auto* const job = next_job(m, iv);
    job->chain_order = IMB_ORDER_HASH_CIPHER;
    job->hash_alg = hash_ == Hash::sha1 ? IMB_AUTH_HMAC_SHA_1 : IMB_AUTH_HMAC_SHA_256;
    job->u.HMAC._hashed_auth_key_xor_ipad = inner_.data();
    job->u.HMAC._hashed_auth_key_xor_opad = outer_.data();
    job->src = bytes;
    job->dst = text;
    job->cipher_start_src_offset_in_bytes = kBlock;
    job->msg_len_to_cipher_in_bytes = len - kBlock;
    job->hash_start_src_offset_in_bytes = kBlock - kHeaderLen;
    job->msg_len_to_hash_in_bytes = kHeaderLen + text_len;
    job->auth_tag_output = mac;
    job->auth_tag_output_len_in_bytes = mac_len();
    return submit(m);
}

CbcHmac::Sealing CbcHmac::seal(std::span<const Record> records) noexcept {
    const Manager loan;
    auto* const m = loan.get();
    if (m == nullptr || key_len_ == 0 || !has_mac_key_ || records.empty() || records.size() > kMaxLanes)
        return Sealing::declined;
    alignas(kBlock) std::array<std::uint8_t, kMaxLanes * kBlock> ivs;
    const auto iv = [&](std::size_t i) { return ivs.data() + i * kBlock; };
    for (std::size_t i = 0; i < records.size(); ++i) std::copy_n(records[i].bytes, kBlock, iv(i));
    if (!make_ivs(m, ivs.data(), records.size())) return Sealing::failed;
    std::size_t num_done = 0;
    for (std::size_t i = 0; i < records.size(); ++i) num_done += start(m, records[i], iv(i));
    if (num_done + flush(m) != records.size()) return Sealing::failed;
    for (std::size_t i = 0; i < records.size(); ++i) std::copy_n(iv(i), kBlock, records[i].bytes);
    return Sealing::done;
}

}  // namespace octavo::bridge
