#include <array>
#include <cstring>

#include "base/wipe.hpp"
#include "device/lanes.hpp"
#include "kernel/rsa/rsa.hpp"
#include "request/rsa_key.hpp"

namespace octavo::device {
namespace {

namespace rsa = kernel::rsa;

constexpr std::size_t kMaxLaneBytes = 512, kMaxRsaBatch = 8;

}  // namespace

void run_rsa_lanes(std::span<Work> batch, const Scratch& scratch, Counters::Work& counters) noexcept {
    // Results go to memory of their own first: where one fails its check, its operand is needed again.
    std::array<std::array<std::uint8_t, kMaxLaneBytes>, kMaxRsaBatch> results;
    const WipeOnExit wipe_results{results};
    std::array<rsa::Job, kMaxRsaBatch> jobs;
    std::array<Work*, kMaxRsaBatch> owners;
    std::size_t count = 0;
    for (auto& work : batch) {
        const auto* forms = static_cast<const request::RsaKey*>(work.key)->lane_forms(work.operation);
        if (forms == nullptr) {
            work.status = OCTAVO_ERR_NO_MEMORY;
            continue;
        }
        jobs[count] = {forms, work.in.data(), results[count].data(), work.out.size(), false};
        owners[count++] = &work;
    }
    const auto& row = *rsa::lane_row();
    auto* const run = batch[0].operation == OCTAVO_RSA_PRIVATE ? row.run_private : row.run_public;
    if (count > 0) run(jobs.data(), count, scratch.data());
    for (std::size_t i = 0; i < count; ++i) {
        if (jobs[i].ok) {
            std::memcpy(owners[i]->out.data(), jobs[i].out, jobs[i].len);
            owners[i]->status = OCTAVO_OK;
            add(counters.lane_requests, 1);
        } else {
            add(counters.fallback[OCTAVO_FALLBACK_CHECK], 1);
            run_on_ref_row(*owners[i]);
        }
    }
}

}  // namespace octavo::device
