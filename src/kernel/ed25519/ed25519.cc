#include "kernel/ed25519/ed25519.hpp"

#include <array>

#include "kernel/ed25519/ed25519_rows.hpp"
#include "kernel/row.hpp"

namespace octavo::kernel::ed25519 {
namespace {

constexpr std::array kRows = {
    Row{"avx512ifma", cpu::avx512f | cpu::avx512ifma | cpu::avx512bw | cpu::avx512dq, keygen_avx512ifma,
        sign_avx512ifma, verify_avx512ifma, 8, 64},
    Row{"ref", cpu::none, keygen_ref, sign_ref, verify_ref, 1, 64},
};

}  // namespace

std::span<const Row> rows() noexcept { return kRows; }

const Row& ref_row() noexcept { return kRows.back(); }

const Row* lane_row() noexcept { return first_usable_lane_row(kRows); }

}  // namespace octavo::kernel::ed25519
