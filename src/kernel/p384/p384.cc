#include "kernel/p384/p384.hpp"

#include <array>

#include "kernel/ec/ec_ref.hpp"
#include "kernel/p384/p384_rows.hpp"
#include "kernel/row.hpp"

namespace octavo::kernel::p384 {
namespace {

constexpr std::array kRows = {
    ec::Row{"avx512ifma", cpu::avx512f | cpu::avx512ifma | cpu::avx512bw | cpu::avx512dq, keygen_avx512ifma,
            derive_avx512ifma, sign_avx512ifma, verify_avx512ifma, nonces_avx512ifma, 8, 64},
    ec::Row{"ref", cpu::none, ec::keygen_ref<ec::RefCurve::p384>, ec::derive_ref<ec::RefCurve::p384>,
            ec::sign_ref<ec::RefCurve::p384>, ec::verify_ref<ec::RefCurve::p384>, ec::nonces_ref<ec::RefCurve::p384>, 1,
            64},
};

}  // namespace

std::span<const ec::Row> rows() noexcept { return kRows; }

const ec::Row& ref_row() noexcept { return kRows.back(); }

const ec::Row* lane_row() noexcept { return first_usable_lane_row(kRows); }

}  // namespace octavo::kernel::p384
