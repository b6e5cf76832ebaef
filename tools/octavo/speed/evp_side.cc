#include "speed/evp_side.hpp"

#include <optional>
#include <utility>

#include "installation.hpp"
#include "speed/jobs.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

class EvpSide final : public Side {
public:
    EvpSide(std::unique_ptr<EvpWork> work, std::size_t depth, bool jobs) : work_(std::move(work)), depth_(depth) {
        if (jobs) loop_.emplace(depth, [this](std::size_t slot) { return work_->operate(slot); });
    }

    void run(std::size_t calls) override {
        if (loop_) return loop_->run(calls * depth_);
        for (std::size_t i = 0; i < calls * depth_; ++i)
            if (!work_->operate(i % depth_)) throw Failure("an operation by EVP calls fails: " + openssl_error());
    }
    std::size_t ops_per_call() const noexcept override { return depth_; }
    bool has_threads() const noexcept override { return loop_.has_value(); }
    void check() const override { work_->check(); }
    std::string note() const override { return work_->note(); }

private:
    std::unique_ptr<EvpWork> work_;
    std::size_t depth_;
    std::optional<JobLoop> loop_;
};

}  // namespace

SidePtr make_evp_side(std::unique_ptr<EvpWork> work, std::size_t depth, bool jobs) {
    return std::make_unique<EvpSide>(std::move(work), depth, jobs);
}

}  // namespace octavo::cli
