#pragma once

#include <gtest/gtest.h>
#include <octavo/octavo.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "config/config_test_files.hpp"

/// What the tests of sections between processes share.
namespace api_test {

/// Seven threads, all there at once, on three instances: each takes the next in turn and stays. `first` and `later` tell which is the calling
/// thread's, SIZE_MAX for none.
template <class First, class Later>
void expect_turns(First&& first, Later&& later) {
    constexpr std::size_t kThreads = 7;
    std::vector<std::size_t> had(kThreads), kept(kThreads);
    std::barrier all_placed{static_cast<std::ptrdiff_t>(kThreads)};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kThreads; ++i)
        threads.emplace_back([&, i] {
            had[i] = first();
            all_placed.arrive_and_wait();
            kept[i] = later();
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(kept, had) << "a thread stays with its instance";
    std::sort(had.begin(), had.end());
    EXPECT_EQ(had, (std::vector<std::size_t>{0, 0, 0, 1, 1, 2, 2})) << "seven threads on three instances";
}

/// The internal section that this process has; "" for none.
inline std::string held_section() {
    char name[OCTAVO_SECTION_NAME] = "?";
    EXPECT_EQ(octavo_section_name(name, sizeof name), OCTAVO_OK);
    return name;
}

/// Starts the section; the internal section's name, or the status.
inline std::string start_and_tell(const char* section) {
    const auto status = octavo_section_start(section);
    return status == OCTAVO_OK ? held_section() : octavo_status_name(status);
}

/// A forked child that tells what `body` returns, and goes on with `then`, if there is one, else stays until it is killed.
class SectionChild {
public:
    explicit SectionChild(const std::function<std::string()>& body, const std::function<void()>& then = {}) {
        int ends[2];
        if (pipe(ends) != 0) throw std::runtime_error("pipe");
        pid_ = fork();
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that ends early leaves nothing behind
            close(ends[0]);
            const auto told = body();
            [[maybe_unused]] const auto count = write(ends[1], told.c_str(), told.size() + 1);
            close(ends[1]);
            if (then) then();
            for (;;) pause();
        }
        close(ends[1]);
        told_ = read_text(ends[0]);
        close(ends[0]);
    }
    explicit SectionChild(const char* section) : SectionChild([section] { return start_and_tell(section); }) {}
    SectionChild(const SectionChild&) = delete;
    SectionChild& operator=(const SectionChild&) = delete;
    SectionChild(SectionChild&& other) noexcept : pid_(other.pid_), told_(std::move(other.told_)) { other.pid_ = 0; }
    SectionChild& operator=(SectionChild&&) = delete;
    ~SectionChild() {
        if (pid_ > 0) end();
    }

    pid_t pid() const { return pid_; }
    const std::string& told() const { return told_; }
    /// Ends it by SIGKILL.
    void end() {
        kill(pid_, SIGKILL);
        wait_for_end();
    }
    /// Its status as waitpid() has it.
    int wait_for_end() {
        int status = 0;
        waitpid(pid_, &status, 0);
        pid_ = 0;
        return status;
    }

private:
    static std::string read_text(int fd) {
        std::string text;
        char c = 0;
        while (read(fd, &c, 1) == 1 && c != '\0') text += c;
        return text;
    }

    pid_t pid_ = 0;
    std::string told_;
};

/// "[S]" for one process, with an instance for each of these lines of keys; "@" stands for "Cy<n>".
inline std::string section_of(const std::string& general, const std::vector<std::string>& instances) {
    std::string text = "[GENERAL]\n" + general + "[S]\nNumCyInstances = " + std::to_string(instances.size()) + "\n";
    for (std::size_t i = 0; i < instances.size(); ++i) {
        const auto cy = "Cy" + std::to_string(i);
        text += cy + "Name = engine" + std::to_string(i) + "\n";
        for (const char c : instances[i]) text += c == '@' ? cy : std::string{c};
    }
    return text;
}

/// A folder for endpoint files, locks and statistics, in the environment for the length of a test.
class SectionTest : public testing::Test {
protected:
    SectionTest() {
        for (const char* name : kVariables) setenv(name, folder_.path().c_str(), 1);
    }
    ~SectionTest() override {
        octavo_section_stop();
        for (const char* name : kVariables) unsetenv(name);
    }
    void configure(const std::string& text) const { folder_.write("octavo_dev0.conf", text); }

    octavo::config::TestFolder folder_;

private:
    static constexpr const char* kVariables[] = {"OCTAVO_CONFIG_DIR", "OCTAVO_RUN_DIR", "OCTAVO_STATS_DIR"};
};

}  // namespace api_test
