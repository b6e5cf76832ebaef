#include "request/modulus_key.hpp"

#include <new>

#include "base/ct.hpp"
#include "base/error.hpp"

namespace octavo::request {
namespace {

namespace modexp = kernel::modexp;

constexpr std::size_t kMinModulusBits = 512;

octavo_status check_modulus(const octavo_number& number) noexcept {
    if ((number.data == nullptr) != (number.len == 0) || number.len > kMaxOperand)
        return fail(OCTAVO_ERR_KEY_MODULUS, "modulus: length %zu does not fit its pointer or is over %zu bytes",
                    number.len, kMaxOperand);
    const Bytes bytes{number.data, number.len};
    const auto bits = bit_length(bytes);
    if (bits < kMinModulusBits || bits > modexp::kMaxModulusBits)
        return fail(OCTAVO_ERR_KEY_MODULUS, "modulus: %zu bits; %zu to %zu are supported", bits, kMinModulusBits,
                    modexp::kMaxModulusBits);
    if (bytes.back() % 2 == 0)
        return fail(OCTAVO_ERR_KEY_MODULUS, "modulus: it is even; Diffie-Hellman and DSA use primes");
    return OCTAVO_OK;
}

Route find_route(Bytes modulus) noexcept {
    if (modexp::lane_row() == nullptr) return {Class::portable, OCTAVO_FALLBACK_CPU};
    if (!modexp::takes_lanes(modulus)) return {Class::portable, OCTAVO_FALLBACK_SIZE};
    switch (bit_length(modulus)) {
        case 2048:
            return {Class::modexp2048};
        case 3072:
            return {Class::modexp3072};
        default:
            return {Class::modexp4096};
    }
}

}  // namespace

octavo_status ModulusKey::create(const octavo_modulus& numbers, std::unique_ptr<Key>& key) noexcept try {
    if (const auto status = check_modulus(numbers.modulus); status != OCTAVO_OK) return status;
    const auto modulus = without_leading_zeros(Bytes{numbers.modulus.data, numbers.modulus.len});
    if (numbers.exponent_len < 1 || numbers.exponent_len > modulus.size())
        return fail(OCTAVO_ERR_KEY_EXPONENT_LEN, "modulus: exponent_len: %zu bytes; it is 1 to %zu",
                    numbers.exponent_len, modulus.size());
    std::unique_ptr<ModulusKey> fresh{new ModulusKey};
    fresh->modulus_.assign(modulus.begin(), modulus.end());
    fresh->exponent_len_ = numbers.exponent_len;
    fresh->route_ = find_route(fresh->modulus_);
    if (fresh->route_.where != Class::portable) fresh->make_lane_form();
    key = std::move(fresh);
    return OCTAVO_OK;
} catch (const std::bad_alloc&) {
    return fail(OCTAVO_ERR_NO_MEMORY, "modulus: memory ran out");
}

void ModulusKey::make_lane_form() {
    constexpr std::size_t kAlignment = 64;
    memory_.reset(std::aligned_alloc(kAlignment, (modexp::kFormSize + kAlignment - 1) / kAlignment * kAlignment));
    if (!memory_) throw std::bad_alloc{};
    form_ = modexp::prepare(modulus_, memory_.get());
}

octavo_status ModulusKey::check(std::uint32_t operation, Bytes input) const noexcept {
    if (!can(operation))
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "operation: %u is none of a modulus; see octavo_operation", operation);
    if (input.size() != modulus_.size() + exponent_len_)
        return fail(OCTAVO_ERR_BAD_LENGTH, "input_len: %zu bytes; it is a base of %zu and an exponent of %zu",
                    input.size(), modulus_.size(), exponent_len_);
    if (!ct::less(input.first(modulus_.size()), modulus_))
        return fail(OCTAVO_ERR_INPUT_TOO_LARGE, "input: the base is not less than the modulus");
    return OCTAVO_OK;
}

modexp::Job ModulusKey::job(Bytes in, std::uint8_t* out) const noexcept {
    const auto len = modulus_.size();
    return {form_, modulus_, in.data(), len, in.data() + len, exponent_len_, out, false};
}

octavo_status ModulusKey::run_portable(std::uint32_t /*operation*/, Bytes in, MutableBytes out) const noexcept {
    auto one = job(in, out.data());
    modexp::ref_row().run(&one, 1, nullptr);
    return one.ok ? OCTAVO_OK : OCTAVO_ERR_OPERATION_FAILED;
}

}  // namespace octavo::request
