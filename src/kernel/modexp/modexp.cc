#include "kernel/modexp/modexp.hpp"

#include <array>

#include "kernel/modexp/modexp_rows.hpp"
#include "kernel/row.hpp"
#include "kernel/rsa/rsa_rows.hpp"

namespace octavo::kernel::modexp {
namespace {

constexpr std::uint8_t kAnyExponent[] = {3};

rsa::Components public_key(Bytes modulus) noexcept {
    rsa::Components key;
    key.n = modulus;
    key.e = kAnyExponent;
    return key;
}

constexpr std::array kRows = {
    Row{"avx512ifma", cpu::avx512f | cpu::avx512ifma | cpu::avx512bw | cpu::avx512dq, run_avx512ifma, 8, 8,
        kLaneScratchLen},
    Row{"ref", cpu::none, run_ref, 1, 8, 0},
};

}  // namespace

std::span<const Row> rows() noexcept { return kRows; }

const Row& ref_row() noexcept { return kRows.back(); }

const Row* lane_row() noexcept { return first_usable_lane_row(kRows); }

bool takes_lanes(Bytes modulus) noexcept { return rsa::takes_public_lanes(public_key(modulus)); }

const std::size_t kFormSize = sizeof(Form);

Form* prepare(Bytes modulus, void* memory) noexcept {
    rsa::prepare_public(public_key(modulus), memory);
    return static_cast<Form*>(memory);
}

}  // namespace octavo::kernel::modexp
