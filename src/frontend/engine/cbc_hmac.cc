#define OPENSSL_SUPPRESS_DEPRECATED  // EVP_CIPHER methods are what an ENGINE is about
#include "frontend/bridge/cbc_hmac.hpp"

#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>

#include "frontend/bridge/cpu.hpp"
#include "frontend/bridge/made_once.hpp"
#include "frontend/engine/ciphers.hpp"
#include "frontend/engine/offload.hpp"
#include "frontend/engine/own_cipher.hpp"
#include "frontend/engine/thresholds.hpp"

// AES-CBC with HMAC for records of TLS. A record at a time is OpenSSL's own, whose stitched code is faster; several in one call, a pipeline, are
// sealed by libipsec-mb where they are enough.
namespace octavo::engine {
namespace {

using bridge::CbcHmac;

constexpr std::size_t kMaxPipes = 32;  // libssl's
constexpr int kVersionTls11 = 0x0302;
constexpr std::size_t kFailed = SIZE_MAX;

/// Behind OpenSSL's own data.
struct State {
    CbcHmac sealer;
    std::array<std::array<std::uint8_t, CbcHmac::kHeaderLen>, kMaxPipes> headers;
    std::size_t num_headers;
    // Of the pipeline to come, as libssl sets it.
    std::size_t num_pipes;
    unsigned char** outputs;
    unsigned char** inputs;
    const size_t* lengths;
    bool is_ours;  // as it was when the key came
};

struct Kind {
    int nid;
    CbcHmac::Hash hash;
    const EVP_CIPHER* (*own)();
};
constexpr Kind kKinds[] = {
    {NID_aes_128_cbc_hmac_sha1, CbcHmac::Hash::sha1, EVP_aes_128_cbc_hmac_sha1},
    {NID_aes_256_cbc_hmac_sha1, CbcHmac::Hash::sha1, EVP_aes_256_cbc_hmac_sha1},
    {NID_aes_128_cbc_hmac_sha256, CbcHmac::Hash::sha256, EVP_aes_128_cbc_hmac_sha256},
    {NID_aes_256_cbc_hmac_sha256, CbcHmac::Hash::sha256, EVP_aes_256_cbc_hmac_sha256},
};

// As the engine is loaded: the guard of a function-local static could be left locked by a fork.
const OwnCipher own_ciphers[] = {OwnCipher(kKinds[0].own()), OwnCipher(kKinds[1].own()), OwnCipher(kKinds[2].own()),
                                 OwnCipher(kKinds[3].own())};

template <std::size_t kind>
const OwnCipher& own() noexcept {
    return own_ciphers[kind];
}

template <std::size_t kind>
State& state_of(EVP_CIPHER_CTX* context) noexcept {
    return own<kind>().template state<State>(context);
}

template <std::size_t kind>
int init(EVP_CIPHER_CTX* context, const unsigned char* key, const unsigned char* iv, int encrypts) {
    auto& state = state_of<kind>(context);
    state.num_pipes = state.num_headers = 0;
    state.is_ours = encrypts != 0 && is_enabled(Algorithm::aes_cbc_hmac_sha) && bridge::has_wide_aes();
    state.sealer.forget_keys();
    if (key != nullptr && state.is_ours) {
        state.sealer.set_hash(kKinds[kind].hash);
        state.sealer.set_key({key, static_cast<std::size_t>(EVP_CIPHER_CTX_get_key_length(context))});
    }
    return own<kind>().init(context, key, iv, encrypts);
}

/// What libssl says about the next record, or about each of a pipeline's.
template <std::size_t kind>
int add_header(EVP_CIPHER_CTX* context, int len, void* header) {
    auto& state = state_of<kind>(context);
    if (header != nullptr && len == CbcHmac::kHeaderLen && state.num_headers < kMaxPipes)
        std::copy_n(static_cast<const std::uint8_t*>(header), CbcHmac::kHeaderLen,
                    state.headers[state.num_headers++].begin());
    return own<kind>().control(context, EVP_CTRL_AEAD_TLS1_AAD, len, header);
}

bool set_pipes(State& state, int number) {
    if (number < 1 || number > static_cast<int>(kMaxPipes)) return false;
    state.num_pipes = static_cast<std::size_t>(number);
    return true;
}

template <std::size_t kind>
int control(EVP_CIPHER_CTX* context, int type, int number, void* pointer) {
    auto& state = state_of<kind>(context);
    switch (type) {
        case EVP_CTRL_AEAD_TLS1_AAD:
            return add_header<kind>(context, number, pointer);
        case EVP_CTRL_AEAD_SET_MAC_KEY:
            if (state.is_ours && pointer != nullptr && number >= 0)
                state.sealer.set_mac_key({static_cast<const std::uint8_t*>(pointer), static_cast<std::size_t>(number)});
            return own<kind>().control(context, type, number, pointer);
        case EVP_CTRL_SET_PIPELINE_OUTPUT_BUFS:
            state.outputs = static_cast<unsigned char**>(pointer);
            return set_pipes(state, number) ? 1 : 0;
        case EVP_CTRL_SET_PIPELINE_INPUT_BUFS:
            state.inputs = static_cast<unsigned char**>(pointer);
            return set_pipes(state, number) ? 1 : 0;
        case EVP_CTRL_SET_PIPELINE_INPUT_LENS:
            state.lengths = static_cast<const size_t*>(pointer);
            return set_pipes(state, number) ? 1 : 0;
        default:
            return own<kind>().control(context, type, number, pointer);
    }
}

/// The pipeline's record `i` as the sealer takes it; false where it is for OpenSSL to judge.
bool take(const State& state, std::size_t i, CbcHmac::Record& record) {
    const auto* const header = state.headers[i].data();
    const auto number = [&](std::size_t at) { return header[at] << 8 | header[at + 1]; };
    const auto len = static_cast<std::size_t>(number(CbcHmac::kHeaderLen - 2));
    if (number(CbcHmac::kHeaderLen - 4) < kVersionTls11 || len < CbcHmac::kBlock) return false;
    const auto text_len = len - CbcHmac::kBlock;
    if (state.lengths[i] != state.sealer.sealed_len(text_len) || state.lengths[i] > CbcHmac::kMaxLen) return false;
    record = {state.outputs[i], state.lengths[i], text_len, header};
    return true;
}

/// As many from `first` on as fill the lanes and are long enough. How many were sealed, or where it failed kFailed; 0: leave the next one to OpenSSL.
std::size_t seal(State& state, std::size_t first, std::size_t threshold) {
    std::array<CbcHmac::Record, CbcHmac::kMaxLanes> records;
    std::size_t count = 0;
    while (count < records.size() && first + count < state.num_pipes && take(state, first + count, records[count]) &&
           records[count].len >= threshold)
        ++count;
    if (count < state.sealer.least()) return 0;
    for (std::size_t i = 0; i < count; ++i)
        if (state.inputs[first + i] != state.outputs[first + i])
            std::copy_n(state.inputs[first + i], records[i].len, records[i].bytes);
    const auto sealing = state.sealer.seal({records.data(), count});
    return sealing == CbcHmac::Sealing::done ? count : sealing == CbcHmac::Sealing::failed ? kFailed : 0;
}

template <std::size_t kind>
int run_own(EVP_CIPHER_CTX* context, std::size_t i) {
    auto& state = state_of<kind>(context);
    auto header = state.headers[i];
    return own<kind>().control(context, EVP_CTRL_AEAD_TLS1_AAD, CbcHmac::kHeaderLen, header.data()) > 0 &&
                   own<kind>().run(context, state.outputs[i], state.inputs[i], state.lengths[i]) == 1
               ? 1
               : 0;
}

template <std::size_t kind>
int run_pipeline(EVP_CIPHER_CTX* context) {
    auto& state = state_of<kind>(context);
    const std::size_t threshold = threshold_of(kKinds[kind].nid);
    if (state.num_headers != state.num_pipes || state.inputs == nullptr || state.outputs == nullptr ||
        state.lengths == nullptr)
        return 0;
    // The direction may have changed since the key came, by an init without one, of which OpenSSL tells no cipher.
    const bool may_seal = state.is_ours && EVP_CIPHER_CTX_is_encrypting(context) == 1;
    for (std::size_t i = 0; i < state.num_pipes;) {
        const auto sealed = may_seal ? seal(state, i, threshold) : 0;
        if (sealed == kFailed || (sealed == 0 && run_own<kind>(context, i) != 1)) return 0;
        i += std::max(sealed, std::size_t{1});
    }
    return 1;
}

template <std::size_t kind>
int run(EVP_CIPHER_CTX* context, unsigned char* out, const unsigned char* in, size_t len) {
    auto& state = state_of<kind>(context);
    const int answer = state.num_pipes > 0 ? run_pipeline<kind>(context) : own<kind>().run(context, out, in, len);
    state.num_headers = state.num_pipes = 0;
    state.outputs = state.inputs = nullptr;
    state.lengths = nullptr;
    return answer;
}

template <std::size_t kind>
const EVP_CIPHER* cipher() noexcept {
    static bridge::MadeOnce<const EVP_CIPHER*, nullptr> once;
    return once.get([]() -> const EVP_CIPHER* {
        const auto& from = own<kind>();
        return from.good() ? from.template extend<State>(init<kind>, run<kind>, control<kind>, from.cleanup,
                                                         EVP_CIPH_FLAG_PIPELINE)
                           : nullptr;
    });
}

}  // namespace

const EVP_CIPHER* aes128_cbc_hmac_sha1() noexcept { return cipher<0>(); }
const EVP_CIPHER* aes256_cbc_hmac_sha1() noexcept { return cipher<1>(); }
const EVP_CIPHER* aes128_cbc_hmac_sha256() noexcept { return cipher<2>(); }
const EVP_CIPHER* aes256_cbc_hmac_sha256() noexcept { return cipher<3>(); }

}  // namespace octavo::engine
