// Requests by every polling mode and driver, by every way to wait for them, one, some and many: the same results.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <deque>

#include "support.hpp"
#include "support/polling_settings.hpp"

namespace octavo::test {
namespace {

using api_test::Buffer;

/// A different input for each.
Buffer input_of(std::size_t index, std::size_t len) {
    Buffer input(len, 0x11);
    input[len - 1] = static_cast<std::uint8_t>(index);
    return input;
}

class PollingMatrix : public PollingTest {
protected:
    static constexpr std::size_t kCounts[] = {1, 16, 200};

    /// One request that waits, and how it is told.
    struct Request {
        octavo_request handle{};
        octavo_status status = OCTAVO_PENDING;
        int fd = -1;
        std::atomic<int> num_wakes{0};
        int num_replies = 0;
        Buffer output;

        Request() = default;
        Request(const Request&) = delete;
        Request& operator=(const Request&) = delete;
        ~Request() {
            if (fd >= 0) ::close(fd);
        }

        static void woken(void* self) { ++static_cast<Request*>(self)->num_wakes; }
        static void replied(void* self, octavo_request, octavo_status status, const std::uint8_t* output,
                            std::size_t len) {
            auto& request = *static_cast<Request*>(self);
            ++request.num_replies;
            request.status = status;
            request.output.assign(output, output + len);
        }
        void fetch() {
            Buffer bytes(kLength);
            std::size_t len = 0;
            status = octavo_result(thread_instance(), handle, bytes.data(), bytes.size(), &len);
            if (status == OCTAVO_OK) output = bytes;
        }
        bool is_readable() const {
            pollfd wanted{fd, POLLIN, 0};
            return ::poll(&wanted, 1, 0) == 1;
        }
    };
    using Requests = std::deque<Request>;

    /// `tell` says in the submission how the request is told.
    template <typename Tell>
    Requests submit(std::size_t count, Tell&& tell) {
        Requests requests(count);
        for (std::size_t i = 0; i < count; ++i) {
            const auto input = input_of(i, kLength);
            auto submission = api_test::plain_submission(key_, OCTAVO_RSA_PUBLIC, input);
            tell(submission, requests[i]);
            const auto status = octavo_submit(thread_instance(), &submission, &requests[i].handle);
            EXPECT_TRUE(status == OCTAVO_PENDING || status == OCTAVO_OK) << octavo_error_text();
            requests[i].status = status;
        }
        return requests;
    }
    /// The application's part, until all are done: told, or done at submission.
    template <typename IsTold>
    static void run(Requests& requests, IsTold&& is_told) {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        for (auto& request : requests)
            while (request.status != OCTAVO_OK && !is_told(request)) {
                poll_as_the_mode_wants();
                if (GetParam().mode == OCTAVO_POLLING_INLINE) octavo_poll(thread_instance(), SIZE_MAX, nullptr);
                std::this_thread::yield();
                ASSERT_LT(std::chrono::steady_clock::now(), limit) << "a request is not told";
            }
        ASSERT_EQ(octavo_poll(thread_instance(), SIZE_MAX, nullptr), OCTAVO_OK);
    }
    void expect_right(const Requests& requests) const {
        for (std::size_t i = 0; i < requests.size(); ++i) {
            EXPECT_EQ(requests[i].status, OCTAVO_OK) << i << " of " << requests.size();
            EXPECT_EQ(requests[i].output, expected_[i]) << i << " of " << requests.size();
        }
    }
    void fetch_and_expect_right(Requests& requests) const {
        for (auto& request : requests) request.fetch();
        expect_right(requests);
    }
    void expect_unsupported(const octavo_wakeup& wakeup) const {
        const auto input = input_of(0, kLength);
        auto submission = api_test::plain_submission(key_, OCTAVO_RSA_PUBLIC, input);
        submission.wakeup = wakeup;
        octavo_request request{};
        EXPECT_EQ(octavo_submit(thread_instance(), &submission, &request), OCTAVO_ERR_UNSUPPORTED);
    }

    static constexpr std::size_t kLength = 64;
    const octavo::Key key_ = api_test::make_key(api_test::shared_parts(512));

private:
    std::vector<Buffer> expected() const {
        const auto instance = api_test::make_instance();
        std::vector<Buffer> outputs;
        for (std::size_t i = 0; i < 200; ++i) {
            const auto input = input_of(i, kLength);
            outputs.emplace_back(kLength);
            EXPECT_EQ(octavo_execute(instance.handle(), key_.handle(), OCTAVO_RSA_PUBLIC, input.data(), kLength,
                                     outputs[i].data(), kLength, nullptr),
                      OCTAVO_OK);
        }
        return outputs;
    }
    const std::vector<Buffer> expected_ = expected();
};

TEST_P(PollingMatrix, Executed) {
    for (const auto count : kCounts)
        in_thread([&] {
            Requests requests(count);
            for (std::size_t i = 0; i < count; ++i) {
                const auto input = input_of(i, kLength);
                requests[i].output.resize(kLength);
                requests[i].status = octavo_execute(thread_instance(), key_.handle(), OCTAVO_RSA_PUBLIC, input.data(),
                                                    kLength, requests[i].output.data(), kLength, nullptr);
            }
            expect_right(requests);
        });
}

TEST_P(PollingMatrix, WaitedFor) {
    for (const auto count : kCounts)
        in_thread([&] {
            auto requests = submit(count, [](auto&, auto&) {});
            for (auto& request : requests)
                EXPECT_EQ(octavo_wait(thread_instance(), request.handle, 60'000'000'000), OCTAVO_OK);
            fetch_and_expect_right(requests);
        });
}

TEST_P(PollingMatrix, ToldByDescriptors) {
    for (const auto count : kCounts)
        in_thread([&] {
            if (GetParam().is_polled_by_thread()) return expect_unsupported({0, nullptr, nullptr});
            auto requests = submit(count, [](auto& submission, auto& request) {
                submission.wakeup.fd = request.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
            });
            run(requests, [](const Request& request) { return request.is_readable(); });
            fetch_and_expect_right(requests);
        });
}

TEST_P(PollingMatrix, ToldByCalls) {
    for (const auto count : kCounts)
        in_thread([&] {
            if (GetParam().is_polled_by_thread()) return expect_unsupported({-1, Request::woken, nullptr});
            auto requests = submit(count, [](auto& submission, auto& request) {
                submission.wakeup.call = Request::woken;
                submission.wakeup.argument = &request;
            });
            std::vector<int> wanted;
            for (const auto& request : requests) wanted.push_back(request.status == OCTAVO_OK ? 0 : 1);
            run(requests, [](const Request& request) { return request.num_wakes > 0; });
            fetch_and_expect_right(requests);
            for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(requests[i].num_wakes, wanted[i]) << i;
        });
}

/// The reply comes to the owner when it polls, not to whoever polls the device.
TEST_P(PollingMatrix, RepliedByCallbacks) {
    for (const auto count : kCounts)
        in_thread([&] {
            auto requests = submit(count, [](auto& submission, auto& request) {
                submission.callback = Request::replied;
                submission.callback_argument = &request;
            });
            run(requests, [](const Request& request) {
                octavo_poll(thread_instance(), SIZE_MAX, nullptr);
                return request.num_replies > 0;
            });
            expect_right(requests);
            for (const auto& request : requests) EXPECT_EQ(request.num_replies, 1);
        });
}

INSTANTIATE_TEST_SUITE_P(Modes, PollingMatrix, testing::ValuesIn(kPollingSettings), test_name);

}  // namespace
}  // namespace octavo::test
