#include <poll.h>

#include <limits>
#include <string>

#include "support.hpp"

/// octavo_instance_create(), _destroy(), _fd() and _statistics(): arguments and handles.

namespace api_test {
namespace {

octavo_instance_config default_config() {
    octavo_instance_config config{};
    config.size = sizeof config;
    return config;
}

/// The answer to a configuration; an instance that was made is destroyed again.
octavo_status create(const octavo_instance_config& config) {
    octavo_instance instance{77};
    const auto status = octavo_instance_create(&config, &instance);
    if (status == OCTAVO_OK)
        EXPECT_EQ(octavo_instance_destroy(instance), OCTAVO_OK);
    else
        EXPECT_EQ(instance.id, 0U) << "the handle must be {0} after an error";
    return status;
}

TEST(Instance, NullConfigurationIsAllDefaults) {
    octavo_instance instance{};
    ASSERT_EQ(octavo_instance_create(nullptr, &instance), OCTAVO_OK);
    EXPECT_NE(instance.id, 0U);
    EXPECT_EQ(octavo_instance_destroy(instance), OCTAVO_OK);
}

TEST(Instance, NullHandlePointer) {
    const auto config = default_config();
    EXPECT_TRUE(refused(octavo_instance_create(&config, nullptr), {OCTAVO_ERR_NULL_ARGUMENT}, "instance"));
}

TEST(Instance, SizeFieldMustBeTheStructs) {
    auto config = default_config();
    for (const std::size_t size : {std::size_t{0}, sizeof config - 1, sizeof config + 8, SIZE_MAX}) {
        config.size = size;
        EXPECT_TRUE(refused(create(config), {OCTAVO_ERR_BAD_ARGUMENT}, "size")) << size;
    }
}

TEST(Instance, Names) {
    auto config = default_config();
    const std::string longest(31, 'x'), too_long(32, 'x'), absurd(1 << 20, 'x');
    config.name = longest.c_str();
    EXPECT_EQ(create(config), OCTAVO_OK);
    config.name = "";
    EXPECT_EQ(create(config), OCTAVO_OK);
    for (const auto* name : {&too_long, &absurd}) {
        config.name = name->c_str();
        EXPECT_TRUE(refused(create(config), {OCTAVO_ERR_BAD_ARGUMENT, OCTAVO_ERR_BAD_LENGTH}, "name"));
    }
}

TEST(Instance, Drivers) {
    auto config = default_config();
    for (const std::uint32_t driver : {0U, 1U, 2U}) {
        config.driver = driver;
        EXPECT_EQ(create(config), OCTAVO_OK) << driver;
    }
    for (const std::uint32_t driver : {3U, 1000U, UINT32_MAX}) {
        config.driver = driver;
        EXPECT_TRUE(refused(create(config), {OCTAVO_ERR_BAD_ARGUMENT}, "driver")) << driver;
    }
}

TEST(Instance, RingSizes) {
    auto config = default_config();
    for (const std::uint32_t size : {0U, 2U, 4U, 256U, 4096U}) {
        config.ring_size = size;
        EXPECT_EQ(create(config), OCTAVO_OK) << size;
    }
    for (const std::uint32_t size : {1U, 3U, 5U, 255U, 4095U, 8192U, 1U << 31, UINT32_MAX}) {
        config.ring_size = size;
        EXPECT_TRUE(refused(create(config), {OCTAVO_ERR_BAD_ARGUMENT}, "ring_size")) << size;
    }
}

TEST(Instance, ManyAtOnceWithEngineThreads) {
    std::vector<octavo::Instance> instances;
    for (int i = 0; i < 20; ++i) instances.push_back(make_instance(octavo::Driver::threads, 4));
    const auto key = make_key(shared_parts(512));
    const auto input = random_below(shared_parts(512).n);
    std::vector<octavo::Request> requests;
    for (auto& instance : instances) requests.push_back(*instance.submit(key, octavo::Operation::rsa_public, input));
    for (auto& request : requests) EXPECT_EQ(request.wait(), octavo::Status::ok);
}

TEST(Instance, MoreThanTheStatisticsFileHolds) {
    std::vector<octavo::Instance> instances;
    for (int i = 0; i < 100; ++i) instances.push_back(make_instance());
    const auto key = make_key(shared_parts(512));
    for (auto& instance : instances) {
        Buffer output(64);
        ASSERT_TRUE(instance.execute(key, octavo::Operation::rsa_public, Buffer(64), output));
        EXPECT_EQ(instance.statistics()->completed, 1U);
    }
}

// ---- handles ----

/// Handles that are no instance, and that look much like one.
std::vector<octavo_instance> void_handles() {
    auto owner = make_instance();
    const auto gone = owner.release();
    EXPECT_EQ(octavo_instance_destroy(gone), OCTAVO_OK);
    return {gone, {0}, {1ULL << 40}, {UINT64_MAX}, {gone.id ^ 1U}, {gone.id | 1ULL << 63}};
}

TEST(Instance, DestroyedAndInventedHandles) {
    const auto key = make_key(shared_parts(512));
    const Buffer input(64);
    Buffer output(64);
    const auto submission = plain_submission(key, OCTAVO_RSA_PUBLIC, input);
    for (const auto handle : void_handles()) {
        octavo_request request{1};
        std::size_t number = 0;
        int fd = -1;
        octavo_statistics statistics{};
        statistics.size = sizeof statistics;
        const auto bad = [](octavo_status status) { return refused(status, {OCTAVO_ERR_BAD_HANDLE}, "instance"); };
        EXPECT_TRUE(bad(octavo_instance_destroy(handle))) << handle.id;
        EXPECT_TRUE(bad(octavo_instance_fd(handle, &fd)));
        EXPECT_TRUE(bad(octavo_submit(handle, &submission, &request)));
        EXPECT_TRUE(bad(octavo_poll(handle, 1, &number)));
        EXPECT_TRUE(bad(octavo_wait(handle, {1}, 0)));
        EXPECT_TRUE(bad(octavo_result(handle, {1}, output.data(), output.size(), &number)));
        EXPECT_TRUE(bad(octavo_cancel(handle, {1})));
        EXPECT_TRUE(bad(octavo_instance_statistics(handle, &statistics)));
        EXPECT_TRUE(bad(octavo_execute(handle, key.handle(), OCTAVO_RSA_PUBLIC, input.data(), input.size(),
                                       output.data(), output.size(), &number)));
    }
}

TEST(Instance, HandlesAreNotReusedSoon) {
    auto first = make_instance();
    const auto old = first.release();
    ASSERT_EQ(octavo_instance_destroy(old), OCTAVO_OK);
    for (int i = 0; i < 50; ++i) EXPECT_NE(make_instance().handle().id, old.id);
}

// ---- descriptor ----

TEST(InstanceFd, NullPointer) {
    const auto instance = make_instance(octavo::Driver::threads);
    EXPECT_TRUE(refused(octavo_instance_fd(instance.handle(), nullptr), {OCTAVO_ERR_NULL_ARGUMENT}, "fd"));
}

TEST(InstanceFd, InlineHasNone) {
    const auto instance = make_instance(octavo::Driver::in_line);
    int fd = 77;
    EXPECT_EQ(octavo_instance_fd(instance.handle(), &fd), OCTAVO_ERR_UNSUPPORTED);
    EXPECT_NE(std::string{octavo_error_text()}, "");
}

bool readable(int fd, int timeout_ms) {
    pollfd poll_fd{fd, POLLIN, 0};
    return poll(&poll_fd, 1, timeout_ms) == 1 && (poll_fd.revents & POLLIN) != 0;
}

class InstanceFdPerDriver : public testing::TestWithParam<octavo::Driver> {};

TEST_P(InstanceFdPerDriver, IsReadableWhileThereIsSomethingToReap) {
    auto instance = make_instance(GetParam());
    const auto key = make_key(shared_parts(512));
    const auto fd = instance.fd();
    ASSERT_TRUE(fd);
    ASSERT_EQ(*instance.fd(), *fd) << "one descriptor for each instance";
    EXPECT_FALSE(readable(*fd, 0));
    for (int round = 0; round < 50; ++round) {
        int calls = 0;
        octavo::Completion count{[&calls](octavo::Status, View) { ++calls; }};
        ASSERT_FALSE(is_error(instance.submit(key, octavo::Operation::rsa_public, Buffer(64), count)));
        while (calls == 0) {
            ASSERT_TRUE(readable(*fd, 10'000)) << "round " << round;
            ASSERT_TRUE(instance.poll());
        }
        EXPECT_FALSE(readable(*fd, 0)) << "poll() drains it";
    }
}

TEST_P(InstanceFdPerDriver, StaysReadableWhenTheQuotaWasTooSmall) {
    auto instance = make_instance(GetParam());
    const auto key = make_key(shared_parts(512));
    const auto fd = instance.fd();
    ASSERT_TRUE(fd);
    int calls = 0;
    const auto count = [&calls](octavo::Status, View) { ++calls; };
    octavo::Completion a{count}, b{count}, c{count};
    for (auto* completion : {&a, &b, &c})
        ASSERT_FALSE(is_error(instance.submit(key, octavo::Operation::rsa_public, Buffer(64), *completion)));
    while (calls < 3) {
        ASSERT_TRUE(readable(*fd, 10'000)) << calls << " reaped";
        ASSERT_TRUE(instance.poll(1));
    }
}
INSTANTIATE_TEST_SUITE_P(Threads, InstanceFdPerDriver,
                         testing::Values(octavo::Driver::threads, octavo::Driver::automatic));

// ---- statistics: arguments ----

TEST(InstanceStatistics, Arguments) {
    const auto instance = make_instance();
    EXPECT_TRUE(
        refused(octavo_instance_statistics(instance.handle(), nullptr), {OCTAVO_ERR_NULL_ARGUMENT}, "statistics"));
    octavo_statistics statistics{};
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{8}, sizeof statistics - 8, sizeof statistics + 8, SIZE_MAX}) {
        statistics.size = size;
        EXPECT_TRUE(
            refused(octavo_instance_statistics(instance.handle(), &statistics), {OCTAVO_ERR_BAD_ARGUMENT}, "size"));
    }
}

}  // namespace
}  // namespace api_test
