#include "speed/api_side.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "usage.hpp"

namespace octavo::cli {
namespace {

constexpr std::size_t kDefaultRing = 256;

class InlineInstance {
public:
    explicit InlineInstance(std::size_t depth) {
        octavo_instance_config config{};
        config.size = sizeof config;
        config.name = "speed";
        config.driver = OCTAVO_DRIVER_INLINE;
        config.ring_size = static_cast<std::uint32_t>(std::bit_ceil(std::max(depth, kDefaultRing)));
        require(octavo_instance_create(&config, &instance_), "octavo_instance_create");
    }
    InlineInstance(const InlineInstance&) = delete;
    InlineInstance& operator=(const InlineInstance&) = delete;
    ~InlineInstance() { octavo_instance_destroy(instance_); }
    octavo_instance get() const noexcept { return instance_; }

private:
    octavo_instance instance_{};
};

/// Submits until all are outstanding, polls until all are done: what an event loop does under load.
class ApiSide final : public Side {
public:
    explicit ApiSide(ApiWork work)
        : work_(std::move(work)), instance_(work_.inputs.size()), outputs_(work_.inputs.size()) {
        std::size_t len = 0;
        require(octavo_key_output_length(work_.key.handle(), work_.operation, &len), "octavo_key_output_length");
        for (auto& output : outputs_) {
            output.resize(len);
            slots_.push_back({this, &output});
        }
    }

    void run(std::size_t calls) override {
        for (std::size_t call = 0; call < calls; ++call) run_once();
    }
    std::size_t ops_per_call() const noexcept override { return slots_.size(); }
    void check() const override { work_.check(outputs_); }
    std::string note() const override {
        octavo_statistics counters{};
        counters.size = sizeof counters;
        require(octavo_instance_statistics(instance_.get(), &counters), "octavo_instance_statistics");
        if (counters.fallback[OCTAVO_FALLBACK_CURVE] == 0) return {};
        return fmt::format("{}: the library has no lanes for it, the ref row does it at the layer api", work_.name);
    }

private:
    struct Slot {
        ApiSide* side;
        std::vector<std::uint8_t>* output;
    };

    static void done(void* argument, octavo_request, octavo_status status, const std::uint8_t* output,
                     std::size_t len) {
        const auto& slot = *static_cast<Slot*>(argument);
        ++slot.side->num_done_;
        if (status == OCTAVO_OK && len == slot.output->size())
            std::copy_n(output, len, slot.output->begin());
        else
            slot.side->failed_ = status == OCTAVO_OK ? OCTAVO_ERR_INTERNAL : status;
    }

    void submit(std::size_t i) {
        octavo_submission submission = OCTAVO_SUBMISSION_INIT;
        submission.key = work_.key.handle();
        submission.operation = work_.operation;
        submission.input = work_.inputs[i].data();
        submission.input_len = work_.inputs[i].size();
        submission.callback = done;
        submission.callback_argument = &slots_[i];
        const auto status = octavo_submit(instance_.get(), &submission, nullptr);
        require(status, "octavo_submit");
        if (status == OCTAVO_RETRY) throw Failure("octavo_submit answers OCTAVO_RETRY with room in the ring");
    }

    void run_once() {
        num_done_ = 0;
        for (std::size_t i = 0; i < slots_.size(); ++i) submit(i);
        while (num_done_ < slots_.size()) require(octavo_poll(instance_.get(), slots_.size(), nullptr), "octavo_poll");
        if (failed_ != OCTAVO_OK)
            throw Failure(fmt::format("{} ends with {}", work_.name, octavo_status_name(failed_)));
    }

    ApiWork work_;
    InlineInstance instance_;
    ByteLists outputs_;
    std::vector<Slot> slots_;
    std::size_t num_done_ = 0;
    octavo_status failed_ = OCTAVO_OK;
};

}  // namespace

void require(octavo_status status, const char* call) {
    if (status >= OCTAVO_OK) return;
    throw Failure(fmt::format("{} answers {}: {}", call, octavo_status_name(status), octavo_error_text()));
}

octavo::Key require(octavo::Result<octavo::Key> made, const char* call) {
    require(static_cast<octavo_status>(made.status()), call);
    return std::move(*made);
}

SidePtr make_api_side(ApiWork work) { return std::make_unique<ApiSide>(std::move(work)); }

}  // namespace octavo::cli
