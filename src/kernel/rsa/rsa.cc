#include "kernel/rsa/rsa.hpp"

#include <array>

#include "kernel/row.hpp"
#include "kernel/rsa/rsa_forms.hpp"
#include "kernel/rsa/rsa_rows.hpp"

namespace octavo::kernel::rsa {
namespace {

bool takes_any(const Components& /*key*/) noexcept { return true; }

constexpr std::array kRows = {
    Row{"avx512ifma", cpu::avx512f | cpu::avx512ifma | cpu::avx512bw | cpu::avx512dq, takes_public_lanes,
        takes_private_lanes, run_public_avx512ifma, run_private_avx512ifma, 4, 8, 8, kLaneScratchLen},
    Row{"ref", cpu::none, takes_any, takes_any, run_public_ref, run_private_ref, 1, 1, 8, 0},
};

}  // namespace

const std::size_t kPublicFormSize = sizeof(PublicForm);
const std::size_t kPrivateFormSize = sizeof(PrivateForm);

std::span<const Row> rows() noexcept { return kRows; }

const Row& ref_row() noexcept { return kRows.back(); }

const Row* lane_row() noexcept { return first_usable_lane_row(kRows); }

}  // namespace octavo::kernel::rsa
