#include "device/work.hpp"

#include <algorithm>
#include <array>

#include "base/clock.hpp"
#include "base/wipe.hpp"
#include "device/lanes.hpp"

namespace octavo::device {
namespace {

// by class
constexpr std::array<LaneBatch*, request::kNumLaneClasses> kLaneBatches = {
    run_rsa_lanes,        run_rsa_lanes,          run_rsa_lanes,       run_rsa_lanes,         run_rsa_lanes,
    run_rsa_lanes,        run_modexp_lanes,       run_modexp_lanes,    run_modexp_lanes,      sign_p256_lanes,
    verify_p256_lanes,    derive_p256_lanes,      generate_p256_lanes, sign_p384_lanes,       verify_p384_lanes,
    derive_p384_lanes,    generate_p384_lanes,    derive_x25519_lanes, generate_x25519_lanes, sign_ed25519_lanes,
    verify_ed25519_lanes, generate_ed25519_lanes,
};

/// An ECDSA signature of at most this, with a digest: octavo.h, OCTAVO_ECDSA_VERIFY.
constexpr std::size_t kMaxSigned = 256;

/// Signs and verifies. False where the signature is wrong.
bool sign_and_check(Work& work, Bytes digest) noexcept {
    work.status = work.key->run_portable(work.operation, digest, work.out);
    if (work.status != OCTAVO_OK) return true;
    std::array<std::uint8_t, kMaxSigned> together;
    const auto end =
        std::copy(digest.begin(), digest.end(), std::copy(work.out.begin(), work.out.end(), together.begin()));
    return work.key->run_portable(OCTAVO_ECDSA_VERIFY, {together.begin(), end}, {}) == OCTAVO_OK;
}

void run_checked(Work& work) noexcept {
    std::array<std::uint8_t, kMaxSigned> digest;  // the result may come to lie where the operand was
    const Bytes copy{digest.begin(), std::copy(work.in.begin(), work.in.end(), digest.begin())};
    if (sign_and_check(work, copy) || sign_and_check(work, copy)) return;
    work.status = OCTAVO_ERR_OPERATION_FAILED;
    wipe(work.out.data(), work.out.size());
}

}  // namespace

void run_on_ref_row(Work& work) noexcept {
    if (work.route.is_checked)
        run_checked(work);
    else
        work.status = work.key->run_portable(work.operation, work.in, work.out);
}

void run_lanes(std::span<Work> batch, const Scratch& scratch, Counters::Work& counters) noexcept {
    struct Call {
        std::span<Work> batch;
        const Scratch& scratch;
        Counters::Work& counters;
    } call{batch, scratch, counters};
    const auto run = [](void* argument) {
        const auto& c = *static_cast<const Call*>(argument);
        kLaneBatches[request::index(c.batch[0].route.where)](c.batch, c.scratch, c.counters);
    };
    scratch.run_on_stack(run, &call);
}

void run_portable(Work& work, Counters::Work& counters) noexcept {
    if (work.route.where == request::Class::portable)
        add(counters.fallback[work.route.reason], 1);
    else
        add(counters.scalar_requests, 1);
    run_on_ref_row(work);
}

void run_alone(Work& work, CostTable& costs, const Scratch& scratch, Counters::Work& counters) noexcept {
    const auto where = work.route.where;
    const auto start = now_ns();
    const auto plan = where == request::Class::portable ? 0 : costs.plan(where, 1);
    if (plan == 0)
        run_portable(work, counters);
    else
        run_lanes({&work, 1}, scratch, counters);
    const auto took = now_ns() - start;
    if (where != request::Class::portable) costs.observe(where, plan, took);
    add(counters.batch_size[0], 1);
    add(counters.service_time[time_bucket(took)], 1);
}

}  // namespace octavo::device
