#include <fmt/core.h>
#include <octavo/octavo.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "speed/rsa.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

constexpr std::size_t kDefaultRing = 256;

void require(octavo_status status, const char* call) {
    if (status >= OCTAVO_OK) return;
    throw Failure(fmt::format("{} answers {}: {}", call, octavo_status_name(status), octavo_error_text()));
}

class ApiKey {
public:
    explicit ApiKey(const RsaKey& key) {
        const auto number = [](const std::vector<std::uint8_t>& bytes) {
            return octavo_number{bytes.data(), bytes.size()};
        };
        octavo_rsa_key numbers{};
        numbers.size = sizeof numbers;
        numbers.n = number(key.n);
        numbers.e = number(key.e);
        numbers.d = number(key.d);
        numbers.p = number(key.p);
        numbers.q = number(key.q);
        numbers.dp = number(key.dp);
        numbers.dq = number(key.dq);
        numbers.qinv = number(key.qinv);
        require(octavo_key_create_rsa(&numbers, &key_), "octavo_key_create_rsa");
    }
    ApiKey(const ApiKey&) = delete;
    ApiKey& operator=(const ApiKey&) = delete;
    ~ApiKey() { octavo_key_destroy(key_); }
    octavo_key get() const noexcept { return key_; }

private:
    octavo_key key_{};
};

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

/// Submits until `depth` requests are outstanding, polls until all are done: what an event loop does under load.
class ApiSide final : public Side {
public:
    ApiSide(const Operation& operation, std::size_t depth)
        : operation_(operation),
          key_(rsa_key(operation.bits)),
          instance_(depth),
          data_(make_rsa_data(operation, depth)),
          slots_(depth) {
        for (auto& slot : slots_) {
            slot.side = this;
            slot.output.resize(operation.bits / 8);
        }
    }

    void run(std::size_t calls) override {
        for (std::size_t call = 0; call < calls; ++call) run_once();
    }
    std::size_t ops_per_call() const noexcept override { return slots_.size(); }
    void check() const override {
        for (std::size_t i = 0; i < slots_.size(); ++i) require_expected(operation_, data_, i, slots_[i].output);
    }

private:
    struct Slot {
        ApiSide* side;
        std::vector<std::uint8_t> output;
    };

    static void done(void* argument, octavo_request, octavo_status status, const std::uint8_t* output,
                     std::size_t len) {
        auto& slot = *static_cast<Slot*>(argument);
        ++slot.side->num_done_;
        if (status == OCTAVO_OK && len == slot.output.size())
            std::memcpy(slot.output.data(), output, len);
        else
            slot.side->failed_ = status;
    }

    void submit(std::size_t i) {
        octavo_submission submission = OCTAVO_SUBMISSION_INIT;
        submission.key = key_.get();
        submission.operation = operation_.is_private ? OCTAVO_RSA_PRIVATE : OCTAVO_RSA_PUBLIC;
        submission.input = data_.inputs[i].data();
        submission.input_len = data_.inputs[i].size();
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
            throw Failure(fmt::format("{} ends with {}", operation_.name, octavo_status_name(failed_)));
    }

    const Operation& operation_;
    ApiKey key_;
    InlineInstance instance_;
    RsaData data_;
    std::vector<Slot> slots_;
    std::size_t num_done_ = 0;
    octavo_status failed_ = OCTAVO_OK;
};

}  // namespace

SidePtr rsa_api_side(const Operation& operation, std::size_t depth) {
    return std::make_unique<ApiSide>(operation, depth);
}

}  // namespace octavo::cli
