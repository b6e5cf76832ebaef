#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "speed/form_memory.hpp"
#include "speed/rsa.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using kernel::rsa::Job;
using kernel::rsa::Row;

/// A key in every form that a row could read.
class PreparedKey {
public:
    explicit PreparedKey(const RsaKey& key)
        : public_memory_(kernel::rsa::kPublicFormSize),
          private_memory_(kernel::rsa::kPrivateFormSize),
          ref_(kernel::rsa::make_ref_form(key.components())) {
        const auto components = key.components();
        if (ref_ == nullptr) throw Failure("the ref row refuses a key that OpenSSL made");
        forms_.ref = ref_.get();
        if (const Row* lane = kernel::rsa::lane_row(); lane != nullptr) {
            if (lane->takes_public(components))
                forms_.public_form = kernel::rsa::prepare_public(components, public_memory_.data());
            if (lane->takes_private(components))
                forms_.private_form = kernel::rsa::prepare_private(components, private_memory_.data());
        }
    }
    const kernel::rsa::KeyForms& forms() const noexcept { return forms_; }

private:
    FormMemory public_memory_, private_memory_;
    kernel::rsa::RefFormPtr ref_;
    kernel::rsa::KeyForms forms_;
};

class KernelSide final : public Side {
public:
    KernelSide(const RsaOperation& operation, std::size_t depth, const Row& row)
        : operation_(operation),
          row_(row),
          batch_(operation.is_private() ? row.run_private : row.run_public),
          key_(rsa_key(operation.bits())),
          data_(make_rsa_data(operation, depth)),
          outputs_(depth, std::vector<std::uint8_t>(operation.bits() / 8)),
          scratch_(row.scratch_len) {
        for (std::size_t i = 0; i < depth; ++i)
            jobs_.push_back({&key_.forms(), data_.inputs[i].data(), outputs_[i].data(), outputs_[i].size(), false});
    }

    void run(std::size_t calls) override {
        for (std::size_t call = 0; call < calls; ++call)
            for (std::size_t i = 0; i < jobs_.size(); i += row_.max_batch)
                batch_(&jobs_[i], std::min(row_.max_batch, jobs_.size() - i), scratch_.data());
    }
    std::size_t ops_per_call() const noexcept override { return jobs_.size(); }
    void check() const override {
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            if (!jobs_[i].ok)
                throw Failure(fmt::format("{}: row {} says that job {} failed", operation_.name(), row_.name, i + 1));
            require_expected(operation_, data_, i, outputs_[i]);
        }
    }
    std::string row() const override { return row_.name; }
    std::string note() const override { return row_note(row_.name, row_.max_batch, jobs_.size()); }

private:
    const RsaOperation& operation_;
    const Row& row_;
    kernel::rsa::Batch* batch_;
    PreparedKey key_;
    RsaData data_;
    std::vector<std::vector<std::uint8_t>> outputs_;
    std::vector<Job> jobs_;
    FormMemory scratch_;
};

const Row* lane_row_for(const RsaOperation& operation) {
    const Row* lane = kernel::rsa::lane_row();
    if (lane == nullptr) return nullptr;
    const auto components = rsa_key(operation.bits()).components();
    const bool takes = operation.is_private() ? lane->takes_private(components) : lane->takes_public(components);
    return takes ? lane : nullptr;
}

}  // namespace

SidePtr rsa_kernel_side(const RsaOperation& operation, std::size_t depth, RowChoice choice) {
    const Row* lane = lane_row_for(operation);
    auto ref = std::make_unique<KernelSide>(operation, depth, kernel::rsa::ref_row());
    auto lanes = lane == nullptr ? nullptr : std::make_unique<KernelSide>(operation, depth, *lane);
    return choose_row(std::move(lanes), std::move(ref), choice);
}

}  // namespace octavo::cli
