#include "kernel/x25519/x25519.hpp"

#include <array>

#include "kernel/row.hpp"
#include "kernel/x25519/x25519_rows.hpp"

namespace octavo::kernel::x25519 {
namespace {

constexpr std::array kRows = {
    Row{"avx512ifma", cpu::avx512f | cpu::avx512ifma | cpu::avx512bw | cpu::avx512dq, keygen_avx512ifma,
        derive_avx512ifma, 8, 64},
    Row{"ref", cpu::none, keygen_ref, derive_ref, 1, 64},
};

}  // namespace

std::span<const Row> rows() noexcept { return kRows; }

const Row& ref_row() noexcept { return kRows.back(); }

const Row* lane_row() noexcept { return first_usable_lane_row(kRows); }

}  // namespace octavo::kernel::x25519
