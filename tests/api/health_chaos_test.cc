#include <array>
#include <atomic>

#include "health.hpp"

/// Threads that submit, cancel and fetch, while endpoints fail in every way at random: nothing is lost or answered twice.

namespace api_test {
namespace {

/// One thread with an instance of its own.
class Client {
public:
    explicit Client(Driver driver)
        : instance_(*octavo::Instance::create({.name = "chaos", .driver = driver, .ring_size = 64})) {}

    void run_until(const std::atomic<bool>& stop) {
        for (std::uint64_t i = 0; !stop && !HasFatalFailure(); ++i) {
            const auto status = submit();
            ASSERT_TRUE(status == OCTAVO_PENDING || status == OCTAVO_OK || status == OCTAVO_RETRY) << status;
            if (requests_.empty() || (status != OCTAVO_RETRY && i % 3 != 0)) continue;
            end_one(i * 7 % requests_.size(), i % 11 == 0);
        }
        while (!requests_.empty() && !HasFatalFailure()) end_one(requests_.size() - 1, false);
        const auto counted = statistics_of(instance_.handle());
        EXPECT_EQ(counted.submitted, accepted_);
        // A request that was done already when it was cancelled counts as completed.
        EXPECT_EQ(counted.completed + counted.cancelled, accepted_);
        EXPECT_EQ(fetched_ + num_cancels_, accepted_);
        EXPECT_LE(counted.cancelled, num_cancels_);
        EXPECT_EQ(counted.in_flight, 0U);
        EXPECT_EQ(counted.failed, 0U);
        EXPECT_TRUE(adds_up(counted));
    }

private:
    static bool HasFatalFailure() { return testing::Test::HasFatalFailure(); }
    octavo_status submit() {
        auto submission = plain_submission(key_, OCTAVO_RSA_PUBLIC, input_);
        octavo_request request{};
        const auto status = octavo_submit(instance_.handle(), &submission, &request);
        if (status == OCTAVO_PENDING || status == OCTAVO_OK) requests_.push_back(request), ++accepted_;
        return status;
    }
    void end_one(std::size_t index, bool by_cancel) {
        const auto request = requests_[index];
        requests_.erase(requests_.begin() + static_cast<std::ptrdiff_t>(index));
        if (by_cancel) {
            ASSERT_EQ(octavo_cancel(instance_.handle(), request), OCTAVO_OK);
            ASSERT_EQ(octavo_cancel(instance_.handle(), request), OCTAVO_CANCELLED) << "it is void";
            ++num_cancels_;
            return;
        }
        ASSERT_EQ(octavo_wait(instance_.handle(), request, UINT64_MAX), OCTAVO_OK);
        size_t len = 0;
        ASSERT_EQ(octavo_result(instance_.handle(), request, output_.data(), output_.size(), &len), OCTAVO_OK);
        ASSERT_EQ(output_, expected_);
        ++fetched_;
    }

    octavo::Instance instance_;
    const RsaParts& parts_ = shared_parts(512);
    octavo::Key key_ = make_key(parts_);
    Buffer input_ = random_below(parts_.n);
    Buffer expected_ = mod_exp(input_, parts_.e, parts_.n);
    Buffer output_ = Buffer(expected_.size());
    std::vector<octavo_request> requests_;
    std::uint64_t accepted_ = 0, fetched_ = 0, num_cancels_ = 0;
};

/// Fault `i` of a sequence in which each meets each.
void torment(std::uint64_t i) {
    const std::array<Fault, 6> faults = {Fault{.kind = FaultKind::error, .value = 300'000},
                                         Fault{.kind = FaultKind::delay, .value = 2'000'000},
                                         Fault{.kind = FaultKind::hang},
                                         Fault{.kind = FaultKind::restart, .value = 5'000'000},
                                         Fault{.kind = FaultKind::kill},
                                         Fault{.kind = FaultKind::hang, .operation = OCTAVO_RSA_PUBLIC}};
    inject(faults[(i * 5 + i / 6) % faults.size()]);
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    if (i % 3 == 2) clear_faults();
    if (i % 7 == 6) inject({.kind = FaultKind::restart, .value = 1'000'000});
}

TEST(HealthChaos, NothingIsLost) {
    const bool is_long = std::getenv("OCTAVO_LONG_TESTS") != nullptr;
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (const auto driver : kAllDrivers) threads.emplace_back([driver, &stop] { Client{driver}.run_until(stop); });
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{is_long ? 60'000 : 2'500};
    for (std::uint64_t i = 0; std::chrono::steady_clock::now() < end; ++i) torment(i);
    clear_faults();
    stop = true;
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace api_test
