// 200 processes that start, are killed at any moment and are started again: no section is lost, and none is given twice.
#include <sched.h>
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>

#include "config/locks.hpp"
#include "section_child.hpp"

namespace {

using octavo::config::section_text;

/// A section for many processes has more internal sections than there are processes, so that nobody may be refused; one for few is fought over.
struct Kind {
    const char* name;
    int sections, processes;
};
constexpr Kind kKinds[] = {{"Many", 168, 160}, {"Few", 20, 40}};
constexpr int kSections = 188, kProcesses = 200;
constexpr int kLongKills = 20'000, kShortKills = 400;
constexpr int kMaxLives = kProcesses + kLongKills;

/// One process from its start to its end, as it and its parent see it.
struct Life {
    std::atomic<int> has;         ///< a section's number, or one of those below
    std::atomic<bool> is_ending;  ///< set before anything that gives its section back
};
enum { kStarting = 0, kRefused = -1, kFailed = -2 };

/// In memory shared by all processes of the test. Sections are counted from 1.
struct Shared {
    std::atomic<int> holder[kSections + 1];  ///< the last life that got it
    std::atomic<int> given_twice, wrongly_refused;
    Life lives[kMaxLives + 1];
};

/// 1 for "Many_DEV0_INT_0".
int number_of(int kind, const std::string& internal_name) {
    const int offset = kind == 0 ? 1 : 1 + kKinds[0].sections;
    return offset + std::stoi(internal_name.substr(internal_name.rfind('_') + 1));
}

/// What a process of the storm does until it is killed.
[[noreturn]] void live(Shared& shared, int kind, int life) {
    auto& self = shared.lives[life];
    const auto status = octavo_section_start(kKinds[kind].name);
    if (status == OCTAVO_OK) {
        const int number = number_of(kind, api_test::held_section());
        const int before = shared.holder[number].exchange(life);
        if (before != 0 && !shared.lives[before].is_ending) ++shared.given_twice;
        self.has = number;
    } else {
        if (status != OCTAVO_ERR_NO_SECTION) self.has = kFailed;
        if (kind == 0) ++shared.wrongly_refused;
        if (self.has == kStarting) self.has = kRefused;
    }
    for (;;) pause();
}

class SectionStorm : public api_test::SectionTest {
protected:
    struct Process {
        int kind = 0, life = 0;
        pid_t pid = 0;
    };

    SectionStorm() {
        void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::runtime_error("mmap");
        shared_ = static_cast<Shared*>(memory);
        std::string text;
        for (const auto& kind : kKinds) text += section_text(kind.name, static_cast<unsigned>(kind.sections), true, 1);
        configure(text);
    }
    ~SectionStorm() override {
        for (auto& process : processes_) end(process);
        munmap(shared_, sizeof(Shared));
    }

    void start(Process& process) {
        process.life = ++num_lives_;
        process.pid = fork();
        if (process.pid != 0) return;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        live(*shared_, process.kind, process.life);
    }
    void end(Process& process) {
        if (process.pid <= 0) return;
        shared_->lives[process.life].is_ending = true;
        kill(process.pid, SIGKILL);
        waitpid(process.pid, nullptr, 0);
        process.pid = 0;
    }
    void start_all() {
        for (int kind = 0; kind < 2; ++kind)
            for (int i = 0; i < kKinds[kind].processes; ++i) processes_.push_back({kind, 0, 0});
        for (auto& process : processes_) start(process);
    }
    void kill_and_restart(int times) {
        std::mt19937 random{1};
        for (int i = 0; i < times; ++i) {
            auto& process = processes_[random() % processes_.size()];
            end(process);
            start(process);
            if (random() % 16 == 0) sched_yield();
        }
    }
    /// False where a process says nothing for a minute.
    bool settle() {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        for (const auto& process : processes_)
            while (shared_->lives[process.life].has == kStarting) {
                if (std::chrono::steady_clock::now() > limit) return false;
                sched_yield();
            }
        return true;
    }
    /// What the processes say they have is what the locks say, each once.
    void compare_with_locks() {
        std::map<pid_t, int> by_locks, by_processes;
        const auto locks = octavo::config::look_at_locks(folder_.path());
        EXPECT_EQ(locks.error, "");
        for (const auto& [name, process, holder] : locks.held) {
            EXPECT_TRUE(by_locks.emplace(holder.pid, number_of(name.starts_with("Many") ? 0 : 1, name)).second);
        }
        for (const auto& process : processes_)
            if (const int has = shared_->lives[process.life].has; has > 0) by_processes[process.pid] = has;
        EXPECT_EQ(by_locks, by_processes);
    }

    Shared* shared_;
    std::vector<Process> processes_;
    int num_lives_ = 0;
};

TEST_F(SectionStorm, LosesNoneAndGivesNoneTwice) {
    const bool is_long = std::getenv("OCTAVO_LONG_TESTS") != nullptr;
    const int kills = is_long ? kLongKills : kShortKills;
    constexpr int kRounds = 4;
    start_all();
    for (int round = 0; round < kRounds; ++round) {
        kill_and_restart(kills / kRounds);
        ASSERT_TRUE(settle()) << "a process hangs";
        compare_with_locks();
    }
    EXPECT_EQ(shared_->given_twice, 0);
    EXPECT_EQ(shared_->wrongly_refused, 0);
    for (const auto& process : processes_) EXPECT_NE(shared_->lives[process.life].has, kFailed);
    for (auto& process : processes_) end(process);
    for (const auto& kind : kKinds) {
        std::vector<api_test::SectionChild> children;
        for (int i = 0; i < kind.sections; ++i) {
            children.emplace_back(kind.name);
            EXPECT_EQ(children.back().told(), std::string{kind.name} + "_DEV0_INT_" + std::to_string(i));
        }
        EXPECT_EQ(api_test::SectionChild{kind.name}.told(), "OCTAVO_ERR_NO_SECTION");
    }
    std::printf("%d processes, killed and restarted %d times\n", kProcesses, kills);
}

}  // namespace
