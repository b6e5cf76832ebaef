#define OPENSSL_SUPPRESS_DEPRECATED  // hmac.hpp
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string_view>

#include "frontend/provider/hmac.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/provider.hpp"

// The steps of the key schedule of TLS 1.3 (RFC 8446, 7.1), as libssl asks for them: all that they need in one call. A handshake has some twenty,
// and the default provider spends most of their time on finding its own parts. Everything else, every refusal included, is the twin's.
namespace octavo::provider {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// "tls13 " and the longest label are 18 bytes; a context is a transcript's hash.
constexpr std::size_t kMaxLabel = 64, kMaxData = 64;

struct Step {
    int mode = -1;
    std::string_view digest;
    std::optional<Bytes> key, salt, prefix, label, data;
};

std::optional<Bytes>* field_of(Step& step, std::string_view name) noexcept {
    if (name == OSSL_KDF_PARAM_KEY) return &step.key;
    if (name == OSSL_KDF_PARAM_SALT) return &step.salt;
    if (name == OSSL_KDF_PARAM_PREFIX) return &step.prefix;
    if (name == OSSL_KDF_PARAM_LABEL) return &step.label;
    return name == OSSL_KDF_PARAM_DATA ? &step.data : nullptr;
}

bool take(const OSSL_PARAM& param, Step& step) noexcept {
    const std::string_view name = param.key;
    if (name == OSSL_KDF_PARAM_MODE)
        return step.mode == -1 && param.data_type == OSSL_PARAM_INTEGER && OSSL_PARAM_get_int(&param, &step.mode) == 1;
    if (name == OSSL_KDF_PARAM_DIGEST) {
        if (!step.digest.empty() || param.data_type != OSSL_PARAM_UTF8_STRING || param.data == nullptr) return false;
        step.digest = static_cast<const char*>(param.data);
        return true;
    }
    auto* field = field_of(step, name);
    if (field == nullptr || *field || param.data_type != OSSL_PARAM_OCTET_STRING || param.data == nullptr) return false;
    *field = Bytes(static_cast<const std::uint8_t*>(param.data), param.data_size);
    return true;
}

bool read(const OSSL_PARAM params[], Step& step) noexcept {
    if (params == nullptr) return false;
    for (; params->key != nullptr; ++params)
        if (!take(*params, step)) return false;
    return true;
}

bool fits(const std::optional<Bytes>& bytes, std::size_t least, std::size_t most) noexcept {
    return bytes && bytes->size() >= least && bytes->size() <= most;
}

/// HKDF-Expand-Label() with at most one block of output.
template <class Hash>
void expand_label(Bytes secret, Bytes prefix, Bytes label, Bytes data, std::span<std::uint8_t> out) noexcept {
    const std::uint8_t head[] = {0, static_cast<std::uint8_t>(out.size()),
                                 static_cast<std::uint8_t>(prefix.size() + label.size())};
    const auto data_len = static_cast<std::uint8_t>(data.size());
    const std::uint8_t counter = 1;
    typename Hmac<Hash>::Tag tag;
    Hmac<Hash>(secret).add(head).add(prefix).add(label).add({&data_len, 1}).add(data).add({&counter, 1}).end(tag);
    std::copy_n(tag.begin(), out.size(), out.begin());
    OPENSSL_cleanse(tag.data(), tag.size());
}

template <class Hash>
bool expand(const Step& step, std::span<std::uint8_t> out) noexcept {
    if (step.salt || !fits(step.key, Hash::kLen, Hash::kLen) || !fits(step.prefix, 1, kMaxLabel) ||
        !fits(step.label, 1, kMaxLabel) || (step.data && step.data->size() > kMaxData) || out.empty() ||
        out.size() > Hash::kLen)
        return false;
    expand_label<Hash>(*step.key, *step.prefix, *step.label, step.data.value_or(Bytes{}), out);
    return true;
}

/// HKDF-Extract(Derive-Secret(salt, label, ""), key): the next of the three secrets. What is not given is zeros; without a secret before it, nothing is
/// derived.
template <class Hash>
bool extract(const Step& step, std::span<std::uint8_t> out) noexcept {
    using Tag = typename Hmac<Hash>::Tag;
    if (step.data || out.size() != Hash::kLen || (step.key && !fits(step.key, 1, Hash::kBlock)) ||
        (step.salt && (!fits(step.salt, Hash::kLen, Hash::kLen) || !fits(step.prefix, 1, kMaxLabel) ||
                       !fits(step.label, 1, kMaxLabel))))
        return false;
    const Tag zeros{};
    Tag salt{}, tag;
    if (step.salt) {
        typename Hash::Context context;
        Hash::init(&context);
        Hash::final(tag.data(), &context);
        expand_label<Hash>(*step.salt, *step.prefix, *step.label, tag, salt);
    }
    Hmac<Hash>(salt).add(step.key.value_or(Bytes(zeros))).end(tag);
    std::copy(tag.begin(), tag.end(), out.begin());
    OPENSSL_cleanse(salt.data(), salt.size());
    OPENSSL_cleanse(tag.data(), tag.size());
    return true;
}

template <class Hash>
bool run(const Step& step, std::span<std::uint8_t> out) noexcept {
    if (step.mode == EVP_KDF_HKDF_MODE_EXPAND_ONLY) return expand<Hash>(step, out);
    return step.mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY && extract<Hash>(step, out);
}

/// A step's parameters, which hold for the next derivation of the same context, too. Wiped at the end.
class Kept {
public:
    ~Kept() { drop(); }
    bool empty() const noexcept { return count_ == 0; }
    const OSSL_PARAM* params() const noexcept { return params_.data(); }

    void drop() noexcept {
        OPENSSL_cleanse(bytes_.data(), used_);
        count_ = used_ = 0;
    }
    /// False where they are too long.
    bool keep(const OSSL_PARAM params[]) noexcept {
        for (; params->key != nullptr; ++params)
            if (!add(*params)) return false;
        params_[count_] = OSSL_PARAM_construct_end();
        return true;
    }

private:
    static constexpr std::size_t kMost = 7;
    bool add(const OSSL_PARAM& param) noexcept {
        const auto* from = static_cast<const std::uint8_t*>(param.data);
        const bool is_text = param.data_type == OSSL_PARAM_UTF8_STRING;
        const auto len = is_text ? std::strlen(static_cast<const char*>(param.data)) + 1 : param.data_size;
        if (count_ == kMost || len > bytes_.size() - used_) return false;
        std::copy_n(from, len, bytes_.data() + used_);
        params_[count_] = param;
        params_[count_++].data = bytes_.data() + used_;
        used_ = std::min(bytes_.size(), (used_ + len + 7) / 8 * 8);  // integers are aligned
        return true;
    }

    alignas(8) std::array<std::uint8_t, 640> bytes_;
    std::array<OSSL_PARAM, kMost + 1> params_;
    std::size_t count_ = 0, used_ = 0;
};

/// The twin is made when something wants it, and does all from then on.
struct Context {
    const Provider& provider;
    void* twin = nullptr;
    Kept kept;

    const KdfFunctions& functions() const noexcept { return provider.standard.tls13_kdf(); }
    explicit Context(const Provider& of) noexcept : provider(of) {}
    ~Context() {
        if (twin != nullptr) functions().freectx(twin);
    }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    void* need_twin() noexcept {
        if (twin != nullptr) return twin;
        auto* made = functions().newctx(provider.standard.provctx());
        if (made == nullptr) return nullptr;
        if (!kept.empty() && functions().set_ctx_params(made, kept.params()) != 1) {
            functions().freectx(made);
            return nullptr;
        }
        kept.drop();
        return twin = made;
    }
    bool derive(std::span<std::uint8_t> out, const OSSL_PARAM params[]) noexcept {
        Step step;
        if (twin != nullptr || !kept.empty() || out.data() == nullptr || !read(params, step)) return false;
        const auto* digest = provider.standard.digests().find(step.digest);
        if (digest == nullptr) return false;
        const bool done = EVP_MD_is_a(digest->md, "SHA2-384")   ? run<Sha384>(step, out)
                          : EVP_MD_is_a(digest->md, "SHA2-256") ? run<Sha256>(step, out)
                                                                : false;
        if (done && kept.keep(params)) return true;
        kept.drop();
        return false;
    }
};

Context& context_of(void* context) { return *static_cast<Context*>(context); }

void* newctx(void* provctx) { return new (std::nothrow) Context(*static_cast<const Provider*>(provctx)); }
void freectx(void* context) { delete static_cast<Context*>(context); }

void* dupctx(void* context) {
    auto& from = context_of(context);
    if (!from.kept.empty() && from.need_twin() == nullptr) return nullptr;
    auto to = std::unique_ptr<Context>(new (std::nothrow) Context(from.provider));
    if (to == nullptr || from.twin == nullptr) return to.release();
    to->twin = from.functions().dupctx(from.twin);
    return to->twin == nullptr ? nullptr : to.release();
}

void reset(void* context) {
    auto& self = context_of(context);
    self.kept.drop();
    if (self.twin != nullptr) self.functions().reset(self.twin);
}

int derive(void* context, unsigned char* out, std::size_t len, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    if (self.derive({out, len}, params)) return 1;
    return self.need_twin() == nullptr ? 0 : self.functions().derive(self.twin, out, len, params);
}

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    if (params == nullptr) return 1;
    return self.need_twin() == nullptr ? 0 : self.functions().set_ctx_params(self.twin, params);
}

int get_ctx_params(void* context, OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return self.need_twin() == nullptr ? 0 : self.functions().get_ctx_params(self.twin, params);
}

const OSSL_PARAM* settable(void*, void* provctx) {
    const auto& standard = static_cast<const Provider*>(provctx)->standard;
    return standard.tls13_kdf().settable_ctx_params(nullptr, standard.provctx());
}

const OSSL_PARAM* gettable(void*, void* provctx) {
    const auto& standard = static_cast<const Provider*>(provctx)->standard;
    return standard.tls13_kdf().gettable_ctx_params(nullptr, standard.provctx());
}

const OSSL_DISPATCH functions[] = {
    entry(OSSL_FUNC_KDF_NEWCTX, newctx),
    entry(OSSL_FUNC_KDF_FREECTX, freectx),
    entry(OSSL_FUNC_KDF_DUPCTX, dupctx),
    entry(OSSL_FUNC_KDF_RESET, reset),
    entry(OSSL_FUNC_KDF_DERIVE, derive),
    entry(OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, gettable),
    entry(OSSL_FUNC_KDF_GET_CTX_PARAMS, get_ctx_params),
    entry(OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, settable),
    entry(OSSL_FUNC_KDF_SET_CTX_PARAMS, set_ctx_params),
    {0, nullptr},
};

}  // namespace

const Offer tls13_kdf_offer = {OSSL_OP_KDF, "TLS13-KDF", functions, "TLS 1.3 key schedule by Octavo"};

}  // namespace octavo::provider
