#include "device/work.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "base/clock.hpp"
#include "base/wipe.hpp"
#include "kernel/rsa/rsa.hpp"
#include "request/rsa_key.hpp"

namespace octavo::device {
namespace {

namespace rsa = kernel::rsa;

constexpr std::size_t kMaxLaneBytes = 512;

void run_on_ref_row(Work& work) noexcept { work.status = work.key->run_portable(work.operation, work.in, work.out); }

void run_rsa_lanes(std::span<Work> batch, const Scratch& scratch, Counters::Work& counters) noexcept {
    // Results go to memory of their own first: where one fails its check, its operand is needed again.
    std::array<std::array<std::uint8_t, kMaxLaneBytes>, kMaxBatch> results;
    const WipeOnExit wipe_results{results};
    std::array<rsa::Job, kMaxBatch> jobs;
    std::array<Work*, kMaxBatch> owners;
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

}  // namespace

Scratch::Scratch() {
    constexpr std::size_t kAlignment = 64;
    std::size_t len = kAlignment;
    for (const auto& row : rsa::rows()) len = std::max(len, row.scratch_len);
    memory_.reset(std::aligned_alloc(kAlignment, (len + kAlignment - 1) / kAlignment * kAlignment));
    if (memory_ == nullptr) throw std::bad_alloc();
}

void run_lanes(std::span<Work> batch, const Scratch& scratch, Counters::Work& counters) noexcept {
    run_rsa_lanes(batch, scratch, counters);
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
