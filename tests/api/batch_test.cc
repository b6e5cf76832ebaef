// octavo_poll_batch(), and by it the order of batches: whatever leaves no lane idle, then the shortest, and nothing waits for ever.
#include <vector>

#include "support.hpp"

namespace api_test {
namespace {

constexpr std::size_t kPass = 8, kRsaPass = 4;
/// Batches of others that a request may have to let pass.
constexpr int kMostPassed = 4;

octavo_key x25519_generator() {
    octavo_ec_key parts{};
    parts.size = sizeof parts;
    parts.curve = OCTAVO_CURVE_X25519;
    octavo_key key{};
    EXPECT_EQ(octavo_key_create_ec(&parts, &key), OCTAVO_OK);
    return key;
}

class Batches : public testing::Test {
protected:
    ~Batches() override { octavo_key_destroy(generator_); }

    static void count(void* number, octavo_request, octavo_status status, const std::uint8_t*, std::size_t) {
        EXPECT_EQ(status, OCTAVO_OK);
        ++*static_cast<int*>(number);
    }

    void submit(octavo_key key, std::uint32_t operation, View input, std::size_t num, int& done) {
        octavo_submission submission = OCTAVO_SUBMISSION_INIT;
        submission.key = key;
        submission.operation = operation;
        submission.input = input.data();
        submission.input_len = input.size();
        submission.callback = count;
        submission.callback_argument = &done;
        for (std::size_t i = 0; i < num; ++i)
            ASSERT_EQ(octavo_submit(instance_.handle(), &submission, nullptr), OCTAVO_PENDING);
    }
    void sign(std::size_t num) { submit(rsa_.handle(), OCTAVO_RSA_PRIVATE, input_, num, signed_); }
    void generate(std::size_t num) { submit(generator_, OCTAVO_EC_GENERATE, {}, num, generated_); }

    std::size_t poll_batch() {
        std::size_t num_reaped = 99;
        EXPECT_EQ(octavo_poll_batch(instance_.handle(), &num_reaped), OCTAVO_OK);
        return num_reaped;
    }

    octavo::Instance instance_ = make_instance(octavo::Driver::in_line);
    octavo::Key rsa_ = make_key(shared_parts(2048));
    octavo_key generator_ = x25519_generator();
    Buffer input_ = Buffer(256, 1);
    int signed_ = 0, generated_ = 0;
};

TEST_F(Batches, NothingToDo) { EXPECT_EQ(poll_batch(), 0U); }

TEST_F(Batches, NotFromACallback) {
    struct Call {
        octavo_instance instance;
        octavo_status status;
    } call{instance_.handle(), OCTAVO_OK};
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    submission.key = generator_;
    submission.operation = OCTAVO_EC_GENERATE;
    submission.callback_argument = &call;
    submission.callback = [](void* argument, octavo_request, octavo_status, const std::uint8_t*, std::size_t) {
        auto* self = static_cast<Call*>(argument);
        self->status = octavo_poll_batch(self->instance, nullptr);
    };
    ASSERT_EQ(octavo_submit(instance_.handle(), &submission, nullptr), OCTAVO_PENDING);
    EXPECT_EQ(poll_batch(), 1U);
    EXPECT_EQ(call.status, OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_EQ(octavo_poll_batch({0}, nullptr), OCTAVO_ERR_BAD_HANDLE);
}

TEST_F(Batches, OnlyOneAndAllOfIt) {
    sign(kRsaPass);
    generate(kPass);
    std::size_t first = poll_batch();
    EXPECT_GE(first, 1U);
    EXPECT_LT(first, kRsaPass + kPass);
    for (std::size_t done = first, batch = 1; batch > 0; done += batch) {
        batch = poll_batch();
        EXPECT_EQ(static_cast<std::size_t>(signed_ + generated_), done + batch);
    }
    EXPECT_EQ(signed_, static_cast<int>(kRsaPass));
    EXPECT_EQ(generated_, static_cast<int>(kPass));
}

TEST_F(Batches, WithoutAnIdleLaneFirst) {
    if (!has_lanes()) GTEST_SKIP() << kNoLanes;
    generate(kPass - 1);
    sign(kRsaPass);
    EXPECT_EQ(poll_batch(), kRsaPass);
    EXPECT_EQ(signed_, static_cast<int>(kRsaPass));
    EXPECT_EQ(poll_batch(), kPass - 1);
}

TEST_F(Batches, OfFullOnesTheOldest) {
    if (!has_lanes()) GTEST_SKIP() << kNoLanes;
    sign(kRsaPass);
    generate(kPass);
    EXPECT_EQ(poll_batch(), kRsaPass);
    EXPECT_EQ(signed_, static_cast<int>(kRsaPass));
}

TEST_F(Batches, OfOthersTheShortest) {
    if (!has_lanes()) GTEST_SKIP() << kNoLanes;
    sign(1);
    generate(1);
    EXPECT_EQ(poll_batch(), 1U);
    EXPECT_EQ(generated_, 1);
    EXPECT_EQ(signed_, 0);
}

TEST_F(Batches, NothingWaitsForEver) {
    sign(1);
    int num_batches = 0;
    for (; signed_ == 0 && num_batches < 100; ++num_batches) {
        generate(kPass);
        poll_batch();
    }
    EXPECT_LE(num_batches, kMostPassed + 1);
}

}  // namespace
}  // namespace api_test
