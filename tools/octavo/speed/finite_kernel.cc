#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "kernel/modexp/modexp.hpp"
#include "speed/finite.hpp"
#include "speed/form_memory.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using kernel::modexp::Row;

class KernelSide final : public Side {
public:
    KernelSide(const FiniteOperation& operation, std::size_t depth, const Row& row)
        : operation_(operation),
          row_(row),
          data_(make_finite_data(operation.group(), depth)),
          powers_(depth, std::vector<std::uint8_t>(data_.modulus.size())),
          form_(kernel::modexp::kFormSize),
          scratch_(row.scratch_len) {
        const kernel::modexp::Form* form = kernel::modexp::prepare(data_.modulus, form_.data());
        for (std::size_t i = 0; i < depth; ++i)
            jobs_.push_back({form, data_.modulus, data_.bases[i].data(), data_.modulus.size(),
                             data_.exponents[i].data(), data_.exponents[i].size(), powers_[i].data(), false});
    }

    void run(std::size_t calls) override {
        for (std::size_t call = 0; call < calls; ++call)
            for (std::size_t i = 0; i < jobs_.size(); i += row_.max_batch)
                row_.run(&jobs_[i], std::min(row_.max_batch, jobs_.size() - i), scratch_.data());
    }
    std::size_t ops_per_call() const noexcept override { return jobs_.size(); }
    void check() const override {
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            if (!jobs_[i].ok)
                throw Failure(fmt::format("{}: row {} says that job {} failed", operation_.name(), row_.name, i + 1));
            require_power(operation_, data_, i, powers_[i]);
        }
    }
    std::string row() const override { return row_.name; }
    std::string note() const override { return row_note(row_.name, row_.max_batch, jobs_.size()); }

private:
    const FiniteOperation& operation_;
    const Row& row_;
    FiniteData data_;
    std::vector<std::vector<std::uint8_t>> powers_;
    FormMemory form_, scratch_;
    std::vector<kernel::modexp::Job> jobs_;
};

}  // namespace

SidePtr finite_kernel_side(const FiniteOperation& operation, std::size_t depth, RowChoice choice) {
    const Row* lane = kernel::modexp::lane_row();
    auto ref = std::make_unique<KernelSide>(operation, depth, kernel::modexp::ref_row());
    auto lanes = lane == nullptr ? nullptr : std::make_unique<KernelSide>(operation, depth, *lane);
    return choose_row(std::move(lanes), std::move(ref), choice);
}

}  // namespace octavo::cli
