#include "request/rsa_key.hpp"

#include <cstring>
#include <new>

#include "base/ct.hpp"
#include "base/error.hpp"
#include "base/wipe.hpp"

namespace octavo::request {
namespace {

namespace rsa = kernel::rsa;

constexpr std::size_t kMinModulusBits = 512;
constexpr std::size_t kSmallModulusBits = 3072, kMaxExponentBitsOfLargeModulus = 64;  // OpenSSL's own limits
constexpr std::size_t kMaxExtraPrimes = 3;

struct Field {
    const char* name;
    octavo_number octavo_rsa_key::*number;
    Bytes rsa::Components::*component;
    octavo_status code;
};
constexpr Field kFields[] = {
    {"n", &octavo_rsa_key::n, &rsa::Components::n, OCTAVO_ERR_KEY_N},
    {"e", &octavo_rsa_key::e, &rsa::Components::e, OCTAVO_ERR_KEY_E},
    {"d", &octavo_rsa_key::d, &rsa::Components::d, OCTAVO_ERR_KEY_D},
    {"p", &octavo_rsa_key::p, &rsa::Components::p, OCTAVO_ERR_KEY_P},
    {"q", &octavo_rsa_key::q, &rsa::Components::q, OCTAVO_ERR_KEY_Q},
    {"dp", &octavo_rsa_key::dp, &rsa::Components::dp, OCTAVO_ERR_KEY_DP},
    {"dq", &octavo_rsa_key::dq, &rsa::Components::dq, OCTAVO_ERR_KEY_DQ},
    {"qinv", &octavo_rsa_key::qinv, &rsa::Components::qinv, OCTAVO_ERR_KEY_QINV},
};
constexpr std::size_t kFirstCrtField = 3;
constexpr octavo_number octavo_rsa_prime::*kPrimeFields[] = {&octavo_rsa_prime::prime, &octavo_rsa_prime::exponent,
                                                             &octavo_rsa_prime::coefficient};

bool lies(const octavo_number& number) noexcept {
    return (number.data == nullptr) != (number.len == 0) || number.len > rsa::kMaxModulusBytes;
}

octavo_status check_lengths(const octavo_rsa_key& numbers) noexcept {
    for (const auto& field : kFields)
        if (lies(numbers.*field.number))
            return fail(field.code, "rsa key: %s: length %zu does not fit its pointer or is over %zu bytes", field.name,
                        (numbers.*field.number).len, rsa::kMaxModulusBytes);
    if (numbers.num_extra_primes > kMaxExtraPrimes || (numbers.num_extra_primes > 0 && numbers.extra_primes == nullptr))
        return fail(OCTAVO_ERR_KEY_EXTRA_PRIME, "rsa key: extra_primes: %zu given; 0 to %zu with an array are allowed",
                    numbers.num_extra_primes, kMaxExtraPrimes);
    for (std::size_t i = 0; i < numbers.num_extra_primes; ++i)
        for (auto field : kPrimeFields)
            if (lies(numbers.extra_primes[i].*field) || (numbers.extra_primes[i].*field).len == 0)
                return fail(OCTAVO_ERR_KEY_EXTRA_PRIME, "rsa key: extra_primes[%zu]: a number is absent or too long",
                            i);
    return OCTAVO_OK;
}

octavo_status check_modulus(Bytes n) noexcept {
    const auto bits = bit_length(n);
    if (bits < kMinModulusBits || bits > rsa::kMaxModulusBits)
        return fail(OCTAVO_ERR_KEY_N, "rsa key: n: %zu bits; %zu to %zu are supported", bits, kMinModulusBits,
                    rsa::kMaxModulusBits);
    if (n.back() % 2 == 0) return fail(OCTAVO_ERR_KEY_N, "rsa key: n is even; a modulus is odd");
    return OCTAVO_OK;
}

octavo_status check_exponent(Bytes e, Bytes n) noexcept {
    const auto bits = bit_length(e);
    if (bits < 2) return fail(OCTAVO_ERR_KEY_E, "rsa key: e is absent, 0 or 1; it is at least 3");
    if (e.back() % 2 == 0) return fail(OCTAVO_ERR_KEY_E, "rsa key: e is even; a public exponent is odd");
    if (bit_length(n) > kSmallModulusBits && bits > kMaxExponentBitsOfLargeModulus)
        return fail(OCTAVO_ERR_KEY_E, "rsa key: e: %zu bits; at most %zu where n is over %zu bits", bits,
                    kMaxExponentBitsOfLargeModulus, kSmallModulusBits);
    e = without_leading_zeros(e);
    if (e.size() > n.size() || (e.size() == n.size() && std::memcmp(e.data(), n.data(), n.size()) >= 0))
        return fail(OCTAVO_ERR_KEY_E, "rsa key: e is not less than n");
    return OCTAVO_OK;
}

octavo_status check_presence(const rsa::Components& key) noexcept {
    std::size_t present = 0;
    for (std::size_t i = kFirstCrtField; i < std::size(kFields); ++i) present += !(key.*kFields[i].component).empty();
    if (present > 0 && key.d.empty())
        return fail(OCTAVO_ERR_KEY_D, "rsa key: d is absent although CRT values are given");
    if (present == 0 && !key.extra.empty())
        return fail(OCTAVO_ERR_KEY_P, "rsa key: p is absent although extra primes are given");
    for (std::size_t i = kFirstCrtField; present > 0 && i < std::size(kFields); ++i)
        if ((key.*kFields[i].component).empty())
            return fail(kFields[i].code, "rsa key: %s is absent; give all of p, q, dp, dq, qinv or none",
                        kFields[i].name);
    return OCTAVO_OK;
}

octavo_status fault_status(rsa::Fault fault) noexcept {
    switch (fault) {
        case rsa::Fault::ok:
            return OCTAVO_OK;
        case rsa::Fault::n:
            return fail(OCTAVO_ERR_KEY_N, "rsa key: n is not the product of the primes");
        case rsa::Fault::e:
            return fail(OCTAVO_ERR_KEY_E, "rsa key: e does not fit the primes");
        case rsa::Fault::d:
            return fail(OCTAVO_ERR_KEY_D, "rsa key: d is 0, not less than n, or not the inverse of e");
        case rsa::Fault::p:
            return fail(OCTAVO_ERR_KEY_P, "rsa key: p is even or out of range");
        case rsa::Fault::q:
            return fail(OCTAVO_ERR_KEY_Q, "rsa key: q is even, out of range, or the same as p");
        case rsa::Fault::dp:
            return fail(OCTAVO_ERR_KEY_DP, "rsa key: dp is out of range, or e dp is not 1 mod p - 1");
        case rsa::Fault::dq:
            return fail(OCTAVO_ERR_KEY_DQ, "rsa key: dq is out of range, or e dq is not 1 mod q - 1");
        case rsa::Fault::qinv:
            return fail(OCTAVO_ERR_KEY_QINV, "rsa key: qinv is out of range, or q qinv is not 1 mod p");
        case rsa::Fault::extra:
            return fail(OCTAVO_ERR_KEY_EXTRA_PRIME, "rsa key: extra_primes: values are inconsistent");
        case rsa::Fault::no_memory:
            break;
    }
    return fail(OCTAVO_ERR_NO_MEMORY, "rsa key: memory ran out");
}

std::size_t total_length(const octavo_rsa_key& numbers) noexcept {
    std::size_t total = 0;
    for (const auto& field : kFields) total += (numbers.*field.number).len;
    for (std::size_t i = 0; i < numbers.num_extra_primes; ++i)
        for (auto field : kPrimeFields) total += (numbers.extra_primes[i].*field).len;
    return total;
}

Class class_of(std::size_t modulus_bytes, bool is_private) noexcept {
    switch (modulus_bytes) {
        case 256:
            return is_private ? Class::rsa2048_private : Class::rsa2048_public;
        case 384:
            return is_private ? Class::rsa3072_private : Class::rsa3072_public;
        case 512:
            return is_private ? Class::rsa4096_private : Class::rsa4096_public;
        default:
            return Class::portable;
    }
}

/// Why no lane row takes a private key of a size that lanes have.
octavo_fallback private_reason(const rsa::Components& key, bool public_fits) noexcept {
    if (key.p.empty()) return OCTAVO_FALLBACK_NO_CRT;
    if (!public_fits) return OCTAVO_FALLBACK_EXPONENT;
    return OCTAVO_FALLBACK_PRIMES;
}

}  // namespace

/// A lane form in memory of its own, wiped at the end.
struct RsaKey::LaneForm {
    explicit LaneForm(std::size_t form_size) : size(form_size), memory(::operator new(form_size, kAlignment)) {}
    LaneForm(const LaneForm&) = delete;
    LaneForm& operator=(const LaneForm&) = delete;
    ~LaneForm() {
        wipe(memory, size);
        ::operator delete(memory, kAlignment);
    }

    static constexpr std::align_val_t kAlignment{64};
    std::size_t size;
    void* memory;
    rsa::KeyForms forms;
};

octavo_status RsaKey::create(const octavo_rsa_key& numbers, std::unique_ptr<Key>& key) noexcept try {
    if (const auto status = check_lengths(numbers); status != OCTAVO_OK) return status;
    std::unique_ptr<RsaKey> fresh{new RsaKey};
    fresh->copy_numbers(numbers);
    if (const auto status = fresh->check_numbers(); status != OCTAVO_OK) return status;
    if (const auto status = fresh->make_portable(); status != OCTAVO_OK) return status;
    fresh->find_routes();
    key = std::move(fresh);
    return OCTAVO_OK;
} catch (const std::bad_alloc&) {
    return fail(OCTAVO_ERR_NO_MEMORY, "rsa key: memory ran out");
}

RsaKey::~RsaKey() {
    delete public_form_.load(std::memory_order_acquire);
    delete private_form_.load(std::memory_order_acquire);
    if (!storage_.empty()) wipe(storage_.data(), storage_.size());  // a null pointer is not for explicit_bzero()
}

void RsaKey::copy_numbers(const octavo_rsa_key& numbers) {
    storage_.resize(total_length(numbers));
    std::size_t used = 0;
    const auto copy = [&](const octavo_number& number) -> Bytes {
        if (number.len == 0) return {};
        std::memcpy(storage_.data() + used, number.data, number.len);
        const Bytes copied{storage_.data() + used, number.len};
        used += number.len;
        return copied;
    };
    for (const auto& field : kFields) components_.*field.component = copy(numbers.*field.number);
    for (std::size_t i = 0; i < numbers.num_extra_primes; ++i) {
        const auto& prime = numbers.extra_primes[i];
        extra_.push_back({copy(prime.prime), copy(prime.exponent), copy(prime.coefficient)});
    }
    components_.extra = extra_;
    components_.n = modulus_ = without_leading_zeros(components_.n);
}

octavo_status RsaKey::check_numbers() const noexcept {
    if (const auto status = check_modulus(components_.n); status != OCTAVO_OK) return status;
    if (const auto status = check_exponent(components_.e, components_.n); status != OCTAVO_OK) return status;
    if (const auto status = check_presence(components_); status != OCTAVO_OK) return status;
    return fault_status(rsa::check_components(components_));
}

octavo_status RsaKey::make_portable() noexcept {
    ref_ = rsa::make_ref_form(components_);
    if (ref_ == nullptr) return fail(OCTAVO_ERR_NO_MEMORY, "rsa key: OpenSSL could not hold the key");
    return OCTAVO_OK;
}

octavo_status RsaKey::check(std::uint32_t operation, Bytes input) const noexcept {
    if (!can(operation))
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "operation: %u is none of an RSA key; see octavo_operation", operation);
    if (operation == OCTAVO_RSA_PRIVATE && !has_private())
        return fail(OCTAVO_ERR_NO_PRIVATE_KEY, "key: a private operation needs a private key; this one is public");
    if (input.size() != modulus_.size())
        return fail(OCTAVO_ERR_BAD_LENGTH, "input_len: %zu bytes; this key takes %zu", input.size(), modulus_.size());
    if (!ct::less(input, modulus_)) return fail(OCTAVO_ERR_INPUT_TOO_LARGE, "input: not less than the modulus");
    return OCTAVO_OK;
}

octavo_status RsaKey::run_portable(std::uint32_t operation, Bytes in, MutableBytes out) const noexcept {
    const rsa::KeyForms forms{nullptr, nullptr, ref_.get()};
    rsa::Job job{&forms, in.data(), out.data(), out.size(), false};
    const auto& row = rsa::ref_row();
    (operation == OCTAVO_RSA_PRIVATE ? row.run_private : row.run_public)(&job, 1, nullptr);
    return job.ok ? OCTAVO_OK : OCTAVO_ERR_OPERATION_FAILED;
}

void RsaKey::find_routes() noexcept {
    const auto public_class = class_of(modulus_.size(), false);
    if (public_class == Class::portable || bit_length(modulus_) % 8 != 0) {
        public_route_.reason = private_route_.reason = OCTAVO_FALLBACK_SIZE;
        return;
    }
    const auto* row = rsa::lane_row();
    if (row == nullptr) return;
    const bool public_fits = row->takes_public(components_);
    public_route_.reason = OCTAVO_FALLBACK_EXPONENT;
    if (public_fits) public_route_.where = public_class;
    private_route_.reason = private_reason(components_, public_fits);
    if (has_private() && row->takes_private(components_)) private_route_.where = class_of(modulus_.size(), true);
}

const rsa::KeyForms* RsaKey::lane_forms(std::uint32_t operation) const noexcept try {
    const bool is_private = operation == OCTAVO_RSA_PRIVATE;
    auto& published = is_private ? private_form_ : public_form_;
    if (auto* form = published.load(std::memory_order_acquire)) return &form->forms;
    auto fresh = std::make_unique<LaneForm>(is_private ? rsa::kPrivateFormSize : rsa::kPublicFormSize);
    if (is_private)
        fresh->forms.private_form = rsa::prepare_private(components_, fresh->memory);
    else
        fresh->forms.public_form = rsa::prepare_public(components_, fresh->memory);
    LaneForm* first = nullptr;
    // release: the form's contents are visible before its address; the loser of a race takes the winner's form
    if (published.compare_exchange_strong(first, fresh.get(), std::memory_order_acq_rel)) first = fresh.release();
    return &first->forms;
} catch (const std::bad_alloc&) {
    return nullptr;
}

}  // namespace octavo::request
