#include <gtest/gtest.h>
#include <octavo/octavo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "support.hpp"

namespace {

octavo_instance mine() {
    octavo_instance instance{};
    EXPECT_EQ(octavo_thread_instance(&instance), OCTAVO_OK) << octavo_error_text();
    return instance;
}

octavo_instance_config inline_config() {
    octavo_instance_config config{};
    config.size = sizeof config;
    config.driver = OCTAVO_DRIVER_INLINE;
    return config;
}

std::uint32_t driver_of(octavo_instance instance) {
    std::uint32_t driver = 99;
    EXPECT_EQ(octavo_instance_driver(instance, &driver), OCTAVO_OK);
    return driver;
}

TEST(ThreadInstance, IsOneForEachThread) {
    EXPECT_NE(mine().id, 0U);
    EXPECT_EQ(mine().id, mine().id);
    EXPECT_EQ(driver_of(mine()), static_cast<std::uint32_t>(OCTAVO_DRIVER_AUTO));
    octavo_instance other{};
    std::thread([&] { other = mine(); }).join();
    EXPECT_NE(other.id, mine().id);
    std::uint32_t driver = 0;
    EXPECT_EQ(octavo_instance_driver(other, &driver), OCTAVO_ERR_BAD_HANDLE) << "it outlived its thread";
}

TEST(ThreadInstance, IsConfiguredBeforeItsUse) {
    std::thread([] {
        const auto config = inline_config();
        ASSERT_EQ(octavo_thread_instance_configure(&config), OCTAVO_OK);
        const auto first = mine();
        EXPECT_EQ(driver_of(first), static_cast<std::uint32_t>(OCTAVO_DRIVER_INLINE));
        ASSERT_EQ(octavo_thread_instance_configure(&config), OCTAVO_OK) << "an idle one is replaced";
        std::uint32_t driver = 0;
        EXPECT_EQ(octavo_instance_driver(first, &driver), OCTAVO_ERR_BAD_HANDLE);
    }).join();
}

TEST(ThreadInstance, IsNotReplacedWhileItHasRequests) {
    std::thread([] {
        const auto config = inline_config();
        ASSERT_EQ(octavo_thread_instance_configure(&config), OCTAVO_OK);
        const auto key = api_test::make_key(api_test::shared_parts(2048));
        const api_test::Buffer input(256, 1);
        const auto submission = api_test::plain_submission(key, OCTAVO_RSA_PUBLIC, input);
        octavo_request request{};
        std::uint64_t queued = 0;
        std::size_t waiting = 0;
        ASSERT_EQ(octavo_submit(mine(), &submission, &request), OCTAVO_PENDING) << octavo_error_text();
        ASSERT_EQ(octavo_instance_progress(mine(), &queued, &waiting), OCTAVO_OK);
        EXPECT_EQ(queued, 1U);
        EXPECT_EQ(waiting, 1U);
        EXPECT_EQ(octavo_thread_instance_configure(&config), OCTAVO_ERR_BAD_ARGUMENT);
        EXPECT_NE(std::string(octavo_error_text()).find("requests"), std::string::npos);
        ASSERT_EQ(octavo_poll(mine(), 1, nullptr), OCTAVO_OK);
        EXPECT_EQ(octavo_thread_instance_configure(&config), OCTAVO_ERR_BAD_ARGUMENT) << "its result was not fetched";
        ASSERT_EQ(octavo_cancel(mine(), request), OCTAVO_OK);
        ASSERT_EQ(octavo_instance_progress(mine(), &queued, &waiting), OCTAVO_OK);
        EXPECT_EQ(queued, 1U);
        EXPECT_EQ(waiting, 0U);
        EXPECT_EQ(octavo_thread_instance_configure(&config), OCTAVO_OK);
    }).join();
}

TEST(ThreadInstance, WorksInAChild) {
    const auto before = mine();
    const pid_t child = fork();
    if (child == 0) _exit(mine().id == before.id && octavo_poll(mine(), 1, nullptr) == OCTAVO_OK ? 0 : 1);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(ThreadInstance, SaysWhatIsWrong) {
    auto config = inline_config();
    config.ring_size = 3;
    EXPECT_EQ(octavo_thread_instance_configure(&config), OCTAVO_ERR_BAD_ARGUMENT);
    EXPECT_NE(std::string(octavo_error_text()).find("ring_size"), std::string::npos);
    EXPECT_EQ(octavo_thread_instance_configure(nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_thread_instance(nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    std::size_t waiting = 0;
    std::uint64_t queued = 0;
    EXPECT_EQ(octavo_instance_progress(mine(), nullptr, &waiting), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_instance_progress(mine(), &queued, nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(octavo_instance_progress({0}, &queued, &waiting), OCTAVO_ERR_BAD_HANDLE);
    EXPECT_EQ(octavo_instance_driver(mine(), nullptr), OCTAVO_ERR_NULL_ARGUMENT);
}

}  // namespace
