#include "frontend/provider/curve_key.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <algorithm>
#include <bit>
#include <new>

namespace octavo::provider {
namespace {

constexpr std::size_t kMaxName = 64;

/// OpenSSL's integers are in the byte order of the machine.
void copy_integer(std::span<const std::uint8_t> from, std::uint8_t* to) {
    if constexpr (std::endian::native == std::endian::little)
        std::reverse_copy(from.begin(), from.end(), to);
    else
        std::copy(from.begin(), from.end(), to);
}

/// The curve of an EC key; null for one that is not Octavo's, and for explicit parameters.
const Curve* curve_of(const KeyFunctions& functions, void* twin) {
    std::array<char, kMaxName> name{};
    int decoded_from_explicit = 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size()),
        OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &decoded_from_explicit),
        OSSL_PARAM_construct_end(),
    };
    if (functions.get_params(twin, params) != 1 || decoded_from_explicit != 0) return nullptr;
    return curve_named(KeyKind::ec, name.data());
}

bool read_private(const KeyFunctions& functions, void* twin, Numbers& numbers) {
    std::array<std::uint8_t, kMaxPrivateBytes> raw;
    const bool ec = numbers.curve->kind == KeyKind::ec;
    OSSL_PARAM params[] = {ec ? OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, raw.data(), raw.size())
                              : OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, raw.data(), raw.size()),
                           OSSL_PARAM_construct_end()};
    const auto wanted = numbers.curve->private_len;
    const bool good = functions.get_params(twin, params) == 1 && params[0].return_size <= wanted &&
                      (ec || params[0].return_size == wanted);
    if (good && ec) {
        const auto len = params[0].return_size;
        std::fill_n(numbers.private_key().data(), wanted - len, std::uint8_t{0});
        copy_integer({raw.data(), len}, numbers.private_key().data() + (wanted - len));
    } else if (good) {
        std::copy_n(raw.data(), wanted, numbers.private_key().data());
    }
    OPENSSL_cleanse(raw.data(), raw.size());
    return good;
}

/// By its coordinates: in whichever form the key writes its point, Octavo's is uncompressed.
bool read_point(const KeyFunctions& functions, void* twin, std::span<std::uint8_t> point) {
    const auto len = point.size() / 2;
    std::array<std::uint8_t, kMaxPublicBytes> raw;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_EC_PUB_X, raw.data(), len),
                           OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_EC_PUB_Y, raw.data() + len, len),
                           OSSL_PARAM_construct_end()};
    if (functions.get_params(twin, params) != 1 || params[0].return_size != len || params[1].return_size != len)
        return false;
    point[0] = POINT_CONVERSION_UNCOMPRESSED;
    copy_integer({raw.data(), len}, point.data() + 1);
    copy_integer({raw.data() + len, len}, point.data() + 1 + len);
    return true;
}

bool read_public(const KeyFunctions& functions, void* twin, Numbers& numbers) {
    const auto key = numbers.public_key();
    if (numbers.curve->kind == KeyKind::ec) return read_point(functions, twin, key);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key.data(), key.size()),
                           OSSL_PARAM_construct_end()};
    return functions.get_params(twin, params) == 1 && params[0].return_size == key.size();
}

bool read(const KeyFunctions& functions, void* twin, Numbers& numbers) {
    numbers.has_private = functions.has(twin, OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 1;
    numbers.has_public = functions.has(twin, OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 1;
    return (numbers.has_private || numbers.has_public) &&
           (!numbers.has_private || read_private(functions, twin, numbers)) &&
           (!numbers.has_public || read_public(functions, twin, numbers));
}

int selection_of(const Numbers& numbers) {
    return OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS | (numbers.has_private ? OSSL_KEYMGMT_SELECT_PRIVATE_KEY : 0) |
           (numbers.has_public ? OSSL_KEYMGMT_SELECT_PUBLIC_KEY : 0);
}

}  // namespace

Numbers::~Numbers() { drop_private(); }

void Numbers::drop_private() noexcept {
    if (has_private) OPENSSL_cleanse(bytes.data(), curve->private_len);
    has_private = false;
}

CurveKey* CurveKey::adopt(const Provider& provider, KeyKind kind, void* twin) noexcept {
    if (twin == nullptr) return nullptr;
    auto* key = new (std::nothrow) CurveKey(provider, kind, twin, nullptr);
    if (key == nullptr) provider.standard.keys(kind).free(twin);
    return key;
}

CurveKey* CurveKey::make(const Provider& provider, std::unique_ptr<Numbers> numbers) noexcept {
    if (numbers == nullptr) return nullptr;
    auto* key = new (std::nothrow) CurveKey(provider, numbers->curve->kind, nullptr, numbers.get());
    if (key != nullptr) numbers.release();  // NOLINT: it is the key's now
    return key;
}

CurveKey::CurveKey(const Provider& provider, KeyKind kind, void* twin, Numbers* numbers) noexcept
    : provider_(provider), kind_(kind), twin_(twin), numbers_(numbers) {}

CurveKey::~CurveKey() {
    forget();
    if (auto* twin = twin_.load(std::memory_order_relaxed)) functions().free(twin);
}

CurveKey* CurveKey::retain() noexcept {
    references_.fetch_add(1, std::memory_order_relaxed);
    return this;
}

void CurveKey::release() noexcept {
    // acq_rel: what other threads did with the key comes before its end
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void CurveKey::forget() noexcept {
    registered_.forget();
    delete numbers_.exchange(nullptr, std::memory_order_acq_rel);
    curve_.store(nullptr, std::memory_order_release);
}

bool CurveKey::leave_to_twin() noexcept {
    if (twin() == nullptr) return false;
    forget();
    return true;
}

void* CurveKey::twin() noexcept {
    auto* twin = twin_.load(std::memory_order_acquire);
    if (twin != nullptr) return twin;
    auto* mine = make_twin(*numbers_.load(std::memory_order_acquire));
    if (mine == nullptr || twin_.compare_exchange_strong(twin, mine, std::memory_order_acq_rel)) return mine;
    functions().free(mine);  // another thread was first
    return twin;
}

void* CurveKey::make_twin(const Numbers& numbers) const noexcept {
    auto* twin = functions().create(provider_.standard.provctx());
    if (twin == nullptr) return nullptr;
    const bool ec = kind_ == KeyKind::ec;
    std::array<std::uint8_t, kMaxPrivateBytes> integer;
    auto* secret = const_cast<std::uint8_t*>(numbers.private_key().data());  // OpenSSL's type; it only reads
    const auto secret_len = numbers.curve->private_len;
    if (ec && numbers.has_private) copy_integer(numbers.private_key(), integer.data());
    std::array<OSSL_PARAM, 4> params;
    auto* next = params.data();
    if (ec)
        *next++ =
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(numbers.curve->names[0]), 0);
    if (numbers.has_public)
        *next++ = OSSL_PARAM_construct_octet_string(
            OSSL_PKEY_PARAM_PUB_KEY, const_cast<std::uint8_t*>(numbers.public_key().data()), numbers.curve->public_len);
    if (numbers.has_private)
        *next++ = ec ? OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, integer.data(), secret_len)
                     : OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, secret, secret_len);
    *next = OSSL_PARAM_construct_end();
    const bool empty = !ec && !numbers.has_private && !numbers.has_public;
    const bool good = empty || functions().import(twin, selection_of(numbers), params.data()) == 1;
    OPENSSL_cleanse(integer.data(), integer.size());
    if (good) return twin;
    functions().free(twin);
    return nullptr;
}

const Curve* CurveKey::curve() noexcept {
    static constexpr Curve kNoCurve{};
    if (const auto* numbers = numbers_.load(std::memory_order_acquire)) return numbers->curve;
    if (kind_ != KeyKind::ec) return only_curve(kind_);
    const auto* curve = curve_.load(std::memory_order_acquire);
    if (curve == nullptr) {
        ERR_set_mark();
        const auto* found = curve_of(functions(), twin_.load(std::memory_order_acquire));
        ERR_pop_to_mark();
        curve = found != nullptr ? found : &kNoCurve;
        curve_.store(curve, std::memory_order_release);
    }
    return curve == &kNoCurve ? nullptr : curve;
}

const Numbers* CurveKey::numbers() noexcept {
    auto* numbers = numbers_.load(std::memory_order_acquire);
    if (numbers == nullptr) {
        auto* mine = read_numbers();
        if (mine == nullptr) return nullptr;
        if (numbers_.compare_exchange_strong(numbers, mine, std::memory_order_acq_rel))
            numbers = mine;
        else
            delete mine;
    }
    return numbers->curve == nullptr ? nullptr : numbers;
}

/// Numbers without a curve remember that there are none for Octavo.
Numbers* CurveKey::read_numbers() const noexcept {
    auto* twin = twin_.load(std::memory_order_acquire);
    ERR_set_mark();
    const auto* curve = kind_ == KeyKind::ec ? curve_of(functions(), twin) : only_curve(kind_);
    auto* numbers = new (std::nothrow) Numbers(curve);
    if (numbers != nullptr && curve != nullptr && !read(functions(), twin, *numbers)) {
        delete numbers;
        numbers = new (std::nothrow) Numbers(nullptr);
    }
    ERR_pop_to_mark();
    return numbers;
}

bool CurveKey::set_public(std::span<const std::uint8_t> bytes) noexcept {
    auto* numbers = numbers_.load(std::memory_order_acquire);
    if (has_twin() || numbers->has_private || bytes.size() != numbers->curve->public_len) return false;
    if (kind_ == KeyKind::ec && !is_point(*numbers->curve, bytes)) return false;
    registered_.forget();
    std::copy(bytes.begin(), bytes.end(), numbers->public_key().begin());
    numbers->has_public = true;
    return true;
}

bool CurveKey::handle(octavo_key& handle) noexcept {
    return registered_.get(handle, [this](octavo_key& made) noexcept {
        const auto* known = numbers();
        if (known == nullptr) return OCTAVO_ERR_UNSUPPORTED;
        octavo_ec_key key{};
        key.size = sizeof key;
        key.curve = known->curve->id;
        if (known->has_private) key.private_key = {known->private_key().data(), known->curve->private_len};
        if (known->has_public) key.public_key = {known->public_key().data(), known->curve->public_len};
        return octavo_key_create_ec(&key, &made);
    });
}

}  // namespace octavo::provider
