#include "request/ec_key.hpp"

#include <algorithm>
#include <new>

#include "base/error.hpp"
#include "base/wipe.hpp"
#include "kernel/ed25519/ed25519.hpp"
#include "kernel/p256/p256.hpp"
#include "kernel/p384/p384.hpp"
#include "kernel/x25519/x25519.hpp"

namespace octavo::request {
namespace {

namespace curve = kernel::curve;

constexpr std::size_t kMaxDigest = 64;

octavo_status check_private(const curve::Curve& c, const octavo_number& number) noexcept {
    if ((number.data == nullptr) != (number.len == 0))
        return fail(OCTAVO_ERR_KEY_PRIVATE, "ec key: private_key: length %zu does not fit its pointer", number.len);
    const bool any_length = c.family == curve::Family::weierstrass;
    const Bytes bytes{number.data, number.len};
    if (number.len == 0 ||
        (any_length ? without_leading_zeros(bytes).size() <= c.private_len : number.len == c.private_len))
        return OCTAVO_OK;
    return fail(OCTAVO_ERR_KEY_PRIVATE, "ec key: private_key: %zu bytes; %s takes %zu", number.len, c.name,
                c.private_len);
}

octavo_status check_public(const curve::Curve& c, const octavo_number& number) noexcept {
    if ((number.data == nullptr) != (number.len == 0))
        return fail(OCTAVO_ERR_KEY_PUBLIC, "ec key: public_key: length %zu does not fit its pointer", number.len);
    const bool compressed = c.family == curve::Family::weierstrass && number.len == 1 + c.private_len;
    if (number.len == 0 || number.len == c.public_len || compressed) return OCTAVO_OK;
    return fail(OCTAVO_ERR_KEY_PUBLIC, "ec key: public_key: %zu bytes; %s takes %zu", number.len, c.name, c.public_len);
}

octavo_status fault_status(const curve::Curve& c, curve::Fault fault) noexcept {
    switch (fault) {
        case curve::Fault::ok:
            return OCTAVO_OK;
        case curve::Fault::private_key:
            return fail(OCTAVO_ERR_KEY_PRIVATE, "ec key: private_key: 0, or not less than the order of %s", c.name);
        case curve::Fault::public_key:
            return fail(OCTAVO_ERR_KEY_PUBLIC, "ec key: public_key: no point of %s", c.name);
        case curve::Fault::no_memory:
            break;
    }
    return fail(OCTAVO_ERR_NO_MEMORY, "ec key: memory ran out");
}

octavo_status status_of(curve::Answer answer, octavo_status refusal) noexcept {
    if (answer == curve::Answer::ok) return OCTAVO_OK;
    return answer == curve::Answer::refused ? refusal : OCTAVO_ERR_OPERATION_FAILED;
}

bool verifies(std::uint32_t operation) noexcept {
    return operation == OCTAVO_ECDSA_VERIFY || operation == OCTAVO_EDDSA_VERIFY;
}

/// The family that an operation is for; for OCTAVO_EC_GENERATE, every one.
bool fits(curve::Family family, std::uint32_t operation) noexcept {
    switch (operation) {
        case OCTAVO_ECDSA_SIGN:
        case OCTAVO_ECDSA_VERIFY:
            return family == curve::Family::weierstrass;
        case OCTAVO_ECDH_DERIVE:
            return family != curve::Family::edwards;
        case OCTAVO_EDDSA_SIGN:
        case OCTAVO_EDDSA_VERIFY:
            return family == curve::Family::edwards;
        default:
            return operation == OCTAVO_EC_GENERATE;
    }
}

octavo_status bad_length(std::size_t len, const char* wanted, std::size_t number) noexcept {
    return fail(OCTAVO_ERR_BAD_LENGTH, "input_len: %zu bytes; it is %s %zu", len, wanted, number);
}

octavo_status check_input(const curve::Curve& c, std::uint32_t operation, std::size_t len) noexcept {
    const auto signature = verifies(operation) ? c.signature_len : 0;
    if (len < signature) return bad_length(len, "a signature and what it signs: over", signature);
    const auto digest = len - signature;
    switch (operation) {
        case OCTAVO_ECDSA_SIGN:
        case OCTAVO_ECDSA_VERIFY:
            return digest >= 1 && digest <= kMaxDigest ? OCTAVO_OK : bad_length(digest, "a digest of 1 to", kMaxDigest);
        case OCTAVO_ECDH_DERIVE: {
            const bool compressed = c.family == curve::Family::weierstrass && len == 1 + c.private_len;
            return len == c.public_len || compressed ? OCTAVO_OK : bad_length(len, "a public key of", c.public_len);
        }
        case OCTAVO_EC_GENERATE:
            return len == 0 ? OCTAVO_OK : bad_length(len, "nothing:", 0);
        default:
            return OCTAVO_OK;
    }
}

struct LaneCurve {
    std::uint32_t curve;
    Class sign, verify, derive, generate;
};
constexpr LaneCurve kLaneCurves[] = {
    {OCTAVO_CURVE_P256, Class::p256_sign, Class::p256_verify, Class::p256_derive, Class::p256_generate},
    {OCTAVO_CURVE_P384, Class::p384_sign, Class::p384_verify, Class::p384_derive, Class::p384_generate},
    {OCTAVO_CURVE_X25519, Class::portable, Class::portable, Class::x25519_derive, Class::x25519_generate},
    {OCTAVO_CURVE_ED25519, Class::ed25519_sign, Class::ed25519_verify, Class::portable, Class::ed25519_generate},
};

Class class_of(std::uint32_t curve_id, std::uint32_t operation) noexcept {
    for (const auto& lane : kLaneCurves) {
        if (lane.curve != curve_id) continue;
        if (operation == OCTAVO_EC_GENERATE) return lane.generate;
        if (operation == OCTAVO_ECDH_DERIVE) return lane.derive;
        return verifies(operation) ? lane.verify : lane.sign;
    }
    return Class::portable;
}

bool has_lanes(std::uint32_t curve_id) noexcept {
    switch (curve_id) {
        case OCTAVO_CURVE_X25519:
            return kernel::x25519::lane_row() != nullptr;
        case OCTAVO_CURVE_ED25519:
            return kernel::ed25519::lane_row() != nullptr;
        default:
            return (curve_id == OCTAVO_CURVE_P256 ? kernel::p256::lane_row() : kernel::p384::lane_row()) != nullptr;
    }
}

}  // namespace

octavo_status EcKey::create(const octavo_ec_key& numbers, std::unique_ptr<Key>& key) noexcept try {
    const auto* found = curve::find(numbers.curve);
    if (found == nullptr)
        return fail(OCTAVO_ERR_KEY_CURVE, "ec key: curve: %u is none; see octavo_curve", numbers.curve);
    if (const auto status = check_private(*found, numbers.private_key); status != OCTAVO_OK) return status;
    if (const auto status = check_public(*found, numbers.public_key); status != OCTAVO_OK) return status;
    std::unique_ptr<EcKey> fresh{new EcKey(*found)};
    if (const auto status = fresh->take(numbers); status != OCTAVO_OK) return status;
    key = std::move(fresh);
    return OCTAVO_OK;
} catch (const std::bad_alloc&) {
    return fail(OCTAVO_ERR_NO_MEMORY, "ec key: memory ran out");
}

EcKey::~EcKey() {
    curve::FormDelete{}(form_.load(std::memory_order_acquire));
    wipe(private_.data(), private_.size());
}

octavo_status EcKey::take(const octavo_ec_key& numbers) noexcept {
    const Bytes given{numbers.private_key.data, numbers.private_key.len};
    if (given.empty() && numbers.public_key.len == 0) return OCTAVO_OK;
    if (!given.empty()) {
        private_len_ = curve_.private_len;
        const auto digits = given.size() > private_len_ ? given.last(private_len_) : given;
        std::copy(digits.begin(), digits.end(),
                  private_.begin() + static_cast<std::ptrdiff_t>(private_len_ - digits.size()));
    }
    const Bytes point{numbers.public_key.data, numbers.public_key.len};
    if (curve_.family == curve::Family::edwards && private_len_ > 0) return take_edwards_pair(point);
    if (!point.empty()) public_len_ = curve_.public_len;
    return fault_status(curve_, curve::check(curve_, private_key(), point, MutableBytes{public_}.first(public_len_)));
}

/// A signature with another public key than the seed's own would give the seed's scalar away: it is computed, whatever is given.
octavo_status EcKey::take_edwards_pair(Bytes given) noexcept {
    public_len_ = curve_.public_len;
    if (!curve::compute_public(curve_, private_key(), MutableBytes{public_}.first(public_len_)))
        return fail(OCTAVO_ERR_NO_MEMORY, "ec key: memory ran out");
    if (given.empty() || std::equal(given.begin(), given.end(), public_.begin())) return OCTAVO_OK;
    return fail(OCTAVO_ERR_KEY_PUBLIC, "ec key: public_key: not that of the private key");
}

const curve::Form* EcKey::form() const noexcept {
    if (const auto* made = form_.load(std::memory_order_acquire)) return made;
    auto fresh = curve::make_form(curve_, private_key(), public_key());
    curve::Form* first = nullptr;
    // release: the form's contents are visible before its address; the loser of a race takes the winner's form
    if (fresh && form_.compare_exchange_strong(first, fresh.get(), std::memory_order_acq_rel)) first = fresh.release();
    return first;
}

bool EcKey::can(std::uint32_t operation) const noexcept { return fits(curve_.family, operation); }

octavo_status EcKey::check(std::uint32_t operation, Bytes input) const noexcept {
    if (!can(operation))
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "operation: %u is none of a key on %s; see octavo_operation", operation,
                    curve_.name);
    if (operation != OCTAVO_EC_GENERATE && !has_numbers())
        return fail(OCTAVO_ERR_NO_PRIVATE_KEY, "key: it names a curve and has no numbers");
    if (operation != OCTAVO_EC_GENERATE && !verifies(operation) && private_len_ == 0)
        return fail(OCTAVO_ERR_NO_PRIVATE_KEY, "key: a private operation needs a private key; this one is public");
    return check_input(curve_, operation, input.size());
}

std::size_t EcKey::output_length(std::uint32_t operation) const noexcept {
    switch (operation) {
        case OCTAVO_ECDSA_SIGN:
        case OCTAVO_EDDSA_SIGN:
            return curve_.signature_len;
        case OCTAVO_ECDH_DERIVE:
            return curve_.secret_len;
        case OCTAVO_EC_GENERATE:
            return curve_.private_len + curve_.public_len;
        default:
            return 0;
    }
}

Route EcKey::route(std::uint32_t operation) const noexcept {
    const auto where = class_of(curve_.id, operation);
    if (where == Class::portable) return {where, OCTAVO_FALLBACK_CURVE};
    // a verification needs the point, which is computed with the portable form where it was not given
    if (verifies(operation) && public_len_ == 0 && private_len_ > 0) return {Class::portable, OCTAVO_FALLBACK_CURVE};
    return has_lanes(curve_.id) ? Route{where, OCTAVO_FALLBACK_CPU} : Route{Class::portable, OCTAVO_FALLBACK_CPU};
}

octavo_status EcKey::run_portable(std::uint32_t operation, Bytes in, MutableBytes out) const noexcept {
    // OpenSSL's outputs must not overlap its inputs
    std::array<std::uint8_t, kMaxPrivate + kMaxPublic> result;
    const WipeOnExit wiper{result};
    const auto status = run_apart(operation, in, MutableBytes{result}.first(out.size()));
    if (status == OCTAVO_OK) std::copy_n(result.begin(), out.size(), out.begin());
    return status;
}

octavo_status EcKey::run_apart(std::uint32_t operation, Bytes in, MutableBytes out) const noexcept {
    if (operation == OCTAVO_EC_GENERATE)
        return curve::generate(curve_, out.first(curve_.private_len), out.subspan(curve_.private_len))
                   ? OCTAVO_OK
                   : OCTAVO_ERR_OPERATION_FAILED;
    const auto* held = form();
    if (held == nullptr) return OCTAVO_ERR_NO_MEMORY;
    switch (operation) {
        case OCTAVO_ECDSA_SIGN:
        case OCTAVO_EDDSA_SIGN:
            return curve::sign(*held, in, out) ? OCTAVO_OK : OCTAVO_ERR_OPERATION_FAILED;
        case OCTAVO_ECDSA_VERIFY:
        case OCTAVO_EDDSA_VERIFY:
            return status_of(curve::verify(*held, in.first(curve_.signature_len), in.subspan(curve_.signature_len)),
                             OCTAVO_ERR_BAD_SIGNATURE);
        default:
            return status_of(curve::derive(*held, in, out), OCTAVO_ERR_BAD_POINT);
    }
}

}  // namespace octavo::request
