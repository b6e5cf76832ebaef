#include <atomic>
#include <limits>
#include <string>

#include "support.hpp"

/// octavo_submit(), _execute(), _result(), _poll(), _wait(): what is refused, and that what is refused takes nothing.

namespace api_test {
namespace {

using octavo::Driver;
using octavo::Operation;

/// One key of 512 bits, one instance of each driver in turn, one good input.
class Requests : public testing::TestWithParam<Driver> {
protected:
    octavo_status submit(const octavo_submission& submission) {
        request_ = {77};
        const auto status = octavo_submit(instance_.handle(), &submission, &request_);
        EXPECT_TRUE(status >= 0 || request_.id == 0) << "no handle after an error";
        return status;
    }
    octavo_status execute(std::uint32_t operation, View input) {
        Buffer output(64);
        std::size_t len = 0;
        return octavo_execute(instance_.handle(), key_.handle(), operation, input.data(), input.size(), output.data(),
                              output.size(), &len);
    }
    void expect_nothing_taken() {
        const auto s = statistics_of(instance_.handle());
        EXPECT_EQ(s.submitted, 0U);
        EXPECT_EQ(s.in_flight, 0U);
        EXPECT_EQ(s.failed, 0U);
    }

    RsaParts parts_ = shared_parts(512);
    octavo::Key key_ = make_key(parts_);
    octavo::Key public_key_ = make_key(public_half(parts_));
    octavo::Instance instance_ = make_instance(GetParam());
    Buffer input_ = random_below(parts_.n);
    octavo_submission good_ = plain_submission(key_, OCTAVO_RSA_PUBLIC, input_);
    octavo_request request_{};
};
INSTANTIATE_TEST_SUITE_P(Drivers, Requests, testing::ValuesIn(kAllDrivers), driver_name);

// ---- submit ----

TEST_P(Requests, SubmitNullArguments) {
    EXPECT_TRUE(
        refused(octavo_submit(instance_.handle(), nullptr, &request_), {OCTAVO_ERR_NULL_ARGUMENT}, "submission"));
    EXPECT_TRUE(refused(octavo_submit(instance_.handle(), &good_, nullptr), {OCTAVO_ERR_NULL_ARGUMENT}, "request"));
    auto bad = good_;
    bad.input = nullptr;
    EXPECT_TRUE(refused(submit(bad), {OCTAVO_ERR_NULL_ARGUMENT}, "input"));
    expect_nothing_taken();
}

TEST_P(Requests, SubmitSizeField) {
    auto bad = good_;
    for (const std::size_t size : {std::size_t{0}, sizeof bad - 8, sizeof bad + 8, SIZE_MAX}) {
        bad.size = size;
        EXPECT_TRUE(refused(submit(bad), {OCTAVO_ERR_BAD_ARGUMENT}, "size"));
    }
    expect_nothing_taken();
}

TEST_P(Requests, SubmitUnknownOperation) {
    auto bad = good_;
    for (const std::uint32_t operation : {0U, 3U, 0x10001U, UINT32_MAX}) {
        bad.operation = operation;
        EXPECT_TRUE(refused(submit(bad), {OCTAVO_ERR_BAD_ARGUMENT}, "operation"));
        EXPECT_TRUE(refused(execute(operation, input_), {OCTAVO_ERR_BAD_ARGUMENT}, "operation"));
    }
    expect_nothing_taken();
}

TEST_P(Requests, SubmitVoidKey) {
    auto bad = good_;
    const auto gone = make_key(parts_).handle();  // destroyed at the end of this line
    for (const auto id : {gone.id, std::uint64_t{0}, std::uint64_t{1} << 40, UINT64_MAX, instance_.handle().id + 999}) {
        bad.key = {id};
        EXPECT_TRUE(refused(submit(bad), {OCTAVO_ERR_BAD_HANDLE}, "key")) << id;
    }
    expect_nothing_taken();
}

TEST_P(Requests, InputOfAnotherLength) {
    const Buffer room(4096);
    auto bad = good_;
    bad.input = room.data();
    for (const std::size_t len : {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{65}, std::size_t{4096},
                                  SIZE_MAX, (std::size_t{1} << 61) + 64}) {
        bad.input_len = len;
        EXPECT_TRUE(refused(submit(bad), {OCTAVO_ERR_BAD_LENGTH}, "input_len")) << len;
        EXPECT_TRUE(refused(execute(OCTAVO_RSA_PUBLIC, View{room.data(), len}), {OCTAVO_ERR_BAD_LENGTH}, "input_len"));
    }
    expect_nothing_taken();
}

TEST_P(Requests, InputNotLessThanTheModulus) {
    for (const auto& input : {parts_.n, plus(parts_.n, 2), Buffer(64, 0xff)})
        for (const auto operation : {OCTAVO_RSA_PUBLIC, OCTAVO_RSA_PRIVATE}) {
            EXPECT_TRUE(
                refused(submit(plain_submission(key_, operation, input)), {OCTAVO_ERR_INPUT_TOO_LARGE}, "input"));
            EXPECT_TRUE(refused(execute(operation, input), {OCTAVO_ERR_INPUT_TOO_LARGE}, "input"));
        }
    expect_nothing_taken();
    for (const auto& input : {plus(parts_.n, -1), Buffer(64)}) EXPECT_EQ(execute(OCTAVO_RSA_PUBLIC, input), OCTAVO_OK);
}

TEST_P(Requests, PrivateOperationWithAPublicKey) {
    EXPECT_TRUE(
        refused(submit(plain_submission(public_key_, OCTAVO_RSA_PRIVATE, input_)), {OCTAVO_ERR_NO_PRIVATE_KEY}, "key"));
    Buffer output(64);
    std::size_t len = 0;
    EXPECT_EQ(octavo_execute(instance_.handle(), public_key_.handle(), OCTAVO_RSA_PRIVATE, input_.data(), 64,
                             output.data(), 64, &len),
              OCTAVO_ERR_NO_PRIVATE_KEY);
    expect_nothing_taken();
}

TEST(RequestsInline, WakeupIsUnsupported) {
    const auto key = make_key(shared_parts(512));
    const auto instance = make_instance(Driver::in_line);
    const Buffer input(64);
    auto submission = plain_submission(key, OCTAVO_RSA_PUBLIC, input);
    octavo_request request{};
    submission.wakeup.fd = 0;
    EXPECT_TRUE(refused(octavo_submit(instance.handle(), &submission, &request), {OCTAVO_ERR_UNSUPPORTED}, "wakeup"));
    submission.wakeup.fd = -1;
    submission.wakeup.call = [](void*) {};
    EXPECT_TRUE(refused(octavo_submit(instance.handle(), &submission, &request), {OCTAVO_ERR_UNSUPPORTED}, "wakeup"));
    EXPECT_EQ(statistics_of(instance.handle()).submitted, 0U);
}

// ---- execute ----

TEST_P(Requests, ExecuteNullArguments) {
    Buffer output(64);
    std::size_t len = 0;
    const auto call = [&](const std::uint8_t* in, std::uint8_t* out, std::size_t* out_len) {
        return octavo_execute(instance_.handle(), key_.handle(), OCTAVO_RSA_PUBLIC, in, 64, out, 64, out_len);
    };
    EXPECT_TRUE(refused(call(nullptr, output.data(), &len), {OCTAVO_ERR_NULL_ARGUMENT}, "input"));
    EXPECT_TRUE(refused(call(input_.data(), nullptr, &len), {OCTAVO_ERR_NULL_ARGUMENT}, "output"));
    expect_nothing_taken();
    EXPECT_EQ(call(input_.data(), output.data(), nullptr), OCTAVO_OK)
        << "the length is known: it need not be asked for";
}

TEST_P(Requests, ExecuteCapacityTooSmall) {
    Buffer output(64, 0xee);
    std::size_t len = 0;
    for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}, std::size_t{63}})
        EXPECT_TRUE(refused(octavo_execute(instance_.handle(), key_.handle(), OCTAVO_RSA_PUBLIC, input_.data(), 64,
                                           output.data(), capacity, &len),
                            {OCTAVO_ERR_BAD_LENGTH}, "capacity"));
    EXPECT_EQ(output, Buffer(64, 0xee));
    expect_nothing_taken();
}

TEST_P(Requests, ExecuteOverlap) {
    Buffer room(192);
    std::copy(input_.begin(), input_.end(), room.begin() + 64);
    const auto call = [&](std::ptrdiff_t out, std::size_t capacity) {
        std::size_t len = 0;
        return octavo_execute(instance_.handle(), key_.handle(), OCTAVO_RSA_PUBLIC, room.data() + 64, 64,
                              room.data() + out, capacity, &len);
    };
    for (const std::ptrdiff_t out : {1, 32, 63, 65, 100, 127})
        EXPECT_TRUE(refused(call(out, 64), {OCTAVO_ERR_OVERLAP}, "output")) << out;
    expect_nothing_taken();
    const auto right = mod_exp(input_, parts_.e, parts_.n);
    for (const std::ptrdiff_t out : {128, 0, 64}) {
        EXPECT_EQ(call(out, 64), OCTAVO_OK) << out;
        EXPECT_TRUE(std::equal(right.begin(), right.end(), room.begin() + out)) << out;
    }
}

TEST_P(Requests, ExecuteVoidKey) {
    Buffer output(64);
    std::size_t len = 0;
    const auto gone = make_key(parts_).handle();
    EXPECT_TRUE(
        refused(octavo_execute(instance_.handle(), gone, OCTAVO_RSA_PUBLIC, input_.data(), 64, output.data(), 64, &len),
                {OCTAVO_ERR_BAD_HANDLE}, "key"));
    expect_nothing_taken();
}

TEST_P(Requests, ExecuteWithALargeCapacity) {
    Buffer output(1000, 0xee);
    std::size_t len = 0;
    ASSERT_EQ(octavo_execute(instance_.handle(), key_.handle(), OCTAVO_RSA_PUBLIC, input_.data(), 64, output.data(),
                             1000, &len),
              OCTAVO_OK);
    EXPECT_EQ(len, 64U);
    EXPECT_TRUE(std::all_of(output.begin() + 64, output.end(), [](auto b) { return b == 0xee; }));
}

// ---- poll ----

TEST_P(Requests, PollQuotaOfZero) {
    std::size_t num_reaped = 99;
    EXPECT_TRUE(refused(octavo_poll(instance_.handle(), 0, &num_reaped), {OCTAVO_ERR_BAD_ARGUMENT}, "quota"));
}

TEST_P(Requests, PollWithNothingToDo) {
    std::size_t num_reaped = 99;
    EXPECT_EQ(octavo_poll(instance_.handle(), SIZE_MAX, &num_reaped), OCTAVO_OK);
    EXPECT_EQ(num_reaped, 0U);
    EXPECT_EQ(octavo_poll(instance_.handle(), 1, nullptr), OCTAVO_OK);
}

TEST_P(Requests, PollReapsAtMostTheQuota) {
    int calls = 0;
    auto submission = good_;
    submission.callback_argument = &calls;
    submission.callback = [](void* n, octavo_request, octavo_status status, const std::uint8_t*, std::size_t len) {
        EXPECT_EQ(status, OCTAVO_OK);
        EXPECT_EQ(len, 64U);
        ++*static_cast<int*>(n);
    };
    for (int i = 0; i < 20; ++i) ASSERT_GE(submit(submission), OCTAVO_OK);
    const auto done = poll_until(instance_.handle(), [&] {
        const int before = calls;
        std::size_t num_reaped = 0;
        EXPECT_EQ(octavo_poll(instance_.handle(), 3, &num_reaped), OCTAVO_OK);
        EXPECT_LE(num_reaped, 3U);
        EXPECT_EQ(static_cast<std::size_t>(calls - before), num_reaped);
        return calls >= 14;  // the last ones are poll_until's
    });
    ASSERT_TRUE(done);
    ASSERT_TRUE(poll_until(instance_.handle(), [&] { return calls == 20; }));
    EXPECT_TRUE(adds_up(statistics_of(instance_.handle())));
}

// ---- result ----

TEST_P(Requests, ResultArguments) {
    ASSERT_GE(submit(good_), OCTAVO_OK);
    ASSERT_EQ(octavo_wait(instance_.handle(), request_, UINT64_MAX), OCTAVO_OK);
    Buffer output(64, 0xee);
    std::size_t len = 0;
    const auto result = [&](std::uint8_t* out, std::size_t capacity, std::size_t* out_len) {
        return octavo_result(instance_.handle(), request_, out, capacity, out_len);
    };
    EXPECT_TRUE(refused(result(nullptr, 64, &len), {OCTAVO_ERR_NULL_ARGUMENT}, "output"));
    EXPECT_TRUE(refused(result(output.data(), 63, &len), {OCTAVO_ERR_BAD_LENGTH}, "capacity"));
    EXPECT_TRUE(refused(result(output.data(), 0, &len), {OCTAVO_ERR_BAD_LENGTH}, "capacity"));
    EXPECT_EQ(output, Buffer(64, 0xee)) << "nothing changes";
    EXPECT_EQ(result(output.data(), 64, &len), OCTAVO_OK) << "the handle was still good";
    EXPECT_EQ(len, 64U);
    EXPECT_EQ(output, mod_exp(input_, parts_.e, parts_.n));
}

TEST_P(Requests, ResultTwice) {
    ASSERT_GE(submit(good_), OCTAVO_OK);
    ASSERT_EQ(octavo_wait(instance_.handle(), request_, UINT64_MAX), OCTAVO_OK);
    Buffer output(64);
    std::size_t len = 0;
    ASSERT_EQ(octavo_result(instance_.handle(), request_, output.data(), 64, &len), OCTAVO_OK);
    EXPECT_TRUE(refused(octavo_result(instance_.handle(), request_, output.data(), 64, &len), {OCTAVO_ERR_BAD_HANDLE},
                        "request"));
    EXPECT_TRUE(refused(octavo_wait(instance_.handle(), request_, 0), {OCTAVO_ERR_BAD_HANDLE}, "request"));
    EXPECT_EQ(octavo_cancel(instance_.handle(), request_), OCTAVO_CANCELLED);
}

TEST_P(Requests, ResultOfARequestWithACallback) {
    auto submission = good_;
    int calls = 0;
    submission.callback_argument = &calls;
    submission.callback = [](void* n, octavo_request, octavo_status, const std::uint8_t*, std::size_t) {
        ++*static_cast<int*>(n);
    };
    ASSERT_GE(submit(submission), OCTAVO_OK);
    Buffer output(64);
    std::size_t len = 0;
    const auto result = [&] { return octavo_result(instance_.handle(), request_, output.data(), 64, &len); };
    EXPECT_TRUE(refused(result(), {OCTAVO_ERR_BAD_ARGUMENT}, "callback"));
    ASSERT_EQ(octavo_wait(instance_.handle(), request_, UINT64_MAX), OCTAVO_OK);
    EXPECT_TRUE(refused(result(), {OCTAVO_ERR_BAD_ARGUMENT}, "callback"));
    EXPECT_EQ(calls, 0) << "octavo_wait() runs no callback";
    ASSERT_TRUE(poll_until(instance_.handle(), [&] { return calls == 1; }));
}

TEST_P(Requests, InventedRequestHandles) {
    Buffer output(64);
    std::size_t len = 0;
    ASSERT_GE(submit(good_), OCTAVO_OK);
    for (const std::uint64_t id :
         {std::uint64_t{0}, UINT64_MAX, std::uint64_t{1} << 40, request_.id ^ (std::uint64_t{1} << 33),
          request_.id ^ (std::uint64_t{1} << 63), request_.id + 4096}) {
        EXPECT_TRUE(refused(octavo_result(instance_.handle(), {id}, output.data(), 64, &len), {OCTAVO_ERR_BAD_HANDLE},
                            "request"))
            << id;
        EXPECT_TRUE(refused(octavo_wait(instance_.handle(), {id}, 0), {OCTAVO_ERR_BAD_HANDLE}, "request")) << id;
        EXPECT_EQ(octavo_cancel(instance_.handle(), {id}), OCTAVO_CANCELLED) << id;
    }
    EXPECT_EQ(octavo_wait(instance_.handle(), request_, UINT64_MAX), OCTAVO_OK) << "the real one is untouched";
    EXPECT_EQ(octavo_result(instance_.handle(), request_, output.data(), 64, &len), OCTAVO_OK);
}

TEST_P(Requests, InputMayChangeAfterSubmission) {
    const auto right = mod_exp(input_, parts_.e, parts_.n);
    ASSERT_GE(submit(good_), OCTAVO_OK);
    std::fill(input_.begin(), input_.end(), std::uint8_t{0xff});
    ASSERT_EQ(octavo_wait(instance_.handle(), request_, UINT64_MAX), OCTAVO_OK);
    Buffer output(64);
    std::size_t len = 0;
    ASSERT_EQ(octavo_result(instance_.handle(), request_, output.data(), 64, &len), OCTAVO_OK);
    EXPECT_EQ(output, right);
}

// ---- back-pressure ----

TEST_P(Requests, RetryTakesNothing) {
    instance_ = make_instance(GetParam(), 4);
    std::vector<octavo_request> accepted;
    for (int i = 0; i < 4; ++i) {
        const auto status = submit(good_);
        ASSERT_TRUE(status == OCTAVO_PENDING || status == OCTAVO_OK);
        accepted.push_back(request_);
    }
    for (int i = 0; i < 3; ++i) EXPECT_EQ(submit(good_), OCTAVO_RETRY);
    auto s = statistics_of(instance_.handle());
    EXPECT_EQ(s.submitted, 4U);
    EXPECT_EQ(s.in_flight, 4U);
    EXPECT_EQ(s.retried, 3U);
    Buffer output(64);
    std::size_t len = 0;
    for (const auto request : accepted) {
        ASSERT_EQ(octavo_wait(instance_.handle(), request, UINT64_MAX), OCTAVO_OK);
        ASSERT_EQ(octavo_result(instance_.handle(), request, output.data(), 64, &len), OCTAVO_OK);
        EXPECT_EQ(output, mod_exp(input_, parts_.e, parts_.n));
        const auto again = submit(good_);
        EXPECT_TRUE(again == OCTAVO_PENDING || again == OCTAVO_OK) << "one given back, one taken";
    }
    s = statistics_of(instance_.handle());
    EXPECT_EQ(s.submitted, 8U);
    EXPECT_EQ(s.completed + s.in_flight, 8U);
    EXPECT_TRUE(adds_up(s));
}

TEST_P(Requests, ExecuteWhileTheRingIsFull) {
    instance_ = make_instance(GetParam(), 2);
    ASSERT_GE(submit(good_), OCTAVO_OK);
    ASSERT_GE(submit(good_), OCTAVO_OK);
    const auto status = execute(OCTAVO_RSA_PUBLIC, input_);
    EXPECT_TRUE(status == OCTAVO_OK || status == OCTAVO_RETRY) << octavo_status_name(status);
}

// ---- wait ----

TEST_P(Requests, WaitTimesOutAndTheRequestGoesOn) {
    const auto key = make_key(shared_parts(4096));
    const auto input = random_below(shared_parts(4096).n);
    std::vector<octavo_request> requests(30);
    for (auto& request : requests) {
        const auto submission = plain_submission(key, OCTAVO_RSA_PRIVATE, input);
        ASSERT_GE(octavo_submit(instance_.handle(), &submission, &request), OCTAVO_OK);
    }
    const auto early = octavo_wait(instance_.handle(), requests.back(), 1);
    EXPECT_TRUE(early == OCTAVO_TIMEOUT || early == OCTAVO_OK);
    for (const auto request : requests) ASSERT_EQ(octavo_wait(instance_.handle(), request, UINT64_MAX), OCTAVO_OK);
    Buffer output(512);
    std::size_t len = 0;
    for (const auto request : requests) {
        EXPECT_EQ(octavo_wait(instance_.handle(), request, 0), OCTAVO_OK) << "done stays done";
        EXPECT_EQ(octavo_result(instance_.handle(), request, output.data(), 512, &len), OCTAVO_OK);
    }
    EXPECT_EQ(mod_exp(output, shared_parts(4096).e, shared_parts(4096).n), input);
}

TEST_P(Requests, ResultBeforeItIsDoneIsPending) {
    const auto key = make_key(shared_parts(4096));
    const auto input = random_below(shared_parts(4096).n);
    const auto submission = plain_submission(key, OCTAVO_RSA_PRIVATE, input);
    Buffer output(512);
    std::size_t len = 0;
    ASSERT_EQ(octavo_submit(instance_.handle(), &submission, &request_), OCTAVO_PENDING);
    EXPECT_EQ(octavo_result(instance_.handle(), request_, output.data(), 512, &len), OCTAVO_PENDING);
    ASSERT_EQ(octavo_wait(instance_.handle(), request_, UINT64_MAX), OCTAVO_OK);
    EXPECT_EQ(octavo_result(instance_.handle(), request_, output.data(), 512, &len), OCTAVO_OK);
}

// ---- words ----

TEST(Status, Names) {
    EXPECT_STREQ(octavo_status_name(OCTAVO_RETRY), "OCTAVO_RETRY");
    EXPECT_STREQ(octavo_status_name(OCTAVO_ERR_KEY_EXTRA_PRIME), "OCTAVO_ERR_KEY_EXTRA_PRIME");
    for (int status = -45; status <= 5; ++status) {
        const bool exists = status >= -18 || status <= -32;
        EXPECT_EQ(std::string{octavo_status_name(static_cast<octavo_status>(status))} != "OCTAVO_?", exists) << status;
    }
    for (const int status : {-46, -19, 6, 1000, -1000})
        EXPECT_STREQ(octavo_status_name(static_cast<octavo_status>(status)), "OCTAVO_?");
}

TEST(Status, Version) {
    EXPECT_EQ(octavo_version(), OCTAVO_VERSION_MAJOR * 10000U + OCTAVO_VERSION_MINOR * 100U + OCTAVO_VERSION_PATCH);
}

TEST(Status, ErrorTextBelongsToItsThread) {
    ASSERT_EQ(octavo_key_destroy({0}), OCTAVO_ERR_BAD_HANDLE);
    const std::string here = octavo_error_text();
    EXPECT_NE(here, "");
    std::thread{[] { EXPECT_STREQ(octavo_error_text(), ""); }}.join();
    EXPECT_EQ(octavo_error_text(), here);
}

}  // namespace
}  // namespace api_test
