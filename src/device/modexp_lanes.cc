#include <array>

#include "device/lanes.hpp"
#include "kernel/modexp/modexp.hpp"
#include "request/modulus_key.hpp"

namespace octavo::device {

void run_modexp_lanes(std::span<Work> batch, const Scratch& scratch, Counters::Work& counters) noexcept {
    constexpr std::size_t kMaxModexpBatch = 8;
    std::array<kernel::modexp::Job, kMaxModexpBatch> jobs;
    for (std::size_t i = 0; i < batch.size(); ++i)
        jobs[i] = static_cast<const request::ModulusKey*>(batch[i].key)->job(batch[i].in, batch[i].out.data());
    kernel::modexp::lane_row()->run(jobs.data(), batch.size(), scratch.data());
    for (auto& work : batch) {
        work.status = OCTAVO_OK;
        add(counters.lane_requests, 1);
    }
}

}  // namespace octavo::device
