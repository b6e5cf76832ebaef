// The parts of the program that judge: nearest names, quantiles, the order of turns, what a process's counters mean.
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "doctor/processes.hpp"
#include "speed/count.hpp"
#include "speed/measure.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

TEST(CliParts, NearestName) {
    const std::vector<std::string> names = {"info", "speed", "doctor"};
    EXPECT_EQ(did_you_mean("sped", names), "; did you mean \"speed\"?");
    EXPECT_EQ(did_you_mean("spede", names), "; did you mean \"speed\"?");
    EXPECT_EQ(did_you_mean("docto", names), "; did you mean \"doctor\"?");
    EXPECT_EQ(did_you_mean("x", names), "");
    EXPECT_EQ(did_you_mean("elephant", names), "");
    EXPECT_EQ(did_you_mean("", names), "");
}

TEST(CliParts, Quantiles) {
    EXPECT_DOUBLE_EQ(median({3, 1, 2}), 2);
    EXPECT_DOUBLE_EQ(median({4, 1, 2, 3}), 2.5);
    EXPECT_DOUBLE_EQ(median({7}), 7);
    EXPECT_DOUBLE_EQ(quantile({5, 1, 3}, 0), 1);
    EXPECT_DOUBLE_EQ(quantile({5, 1, 3}, 1), 5);
    EXPECT_DOUBLE_EQ(quantile({0, 10}, 0.1), 1);
}

TEST(CliParts, PlansHaveElevenRoundsOrMoreAndOddOnes) {
    for (const double seconds : {0.001, 0.2, 1.0, 10.0, 3600.0})
        for (const std::size_t sides : {2U, 3U}) {
            const auto plan = make_plan(seconds, sides);
            EXPECT_GE(plan.rounds, 11U);
            EXPECT_EQ(plan.rounds % 2, 1U);
            EXPECT_NEAR(plan.slot_ns * static_cast<double>(2 * sides * plan.rounds), seconds * 1e9, 1);
        }
}

/// Writes its letter at each turn, and takes a while.
class Scribe : public Side {
public:
    Scribe(char letter, std::string& log) : letter_(letter), log_(log) {}
    void run(std::size_t calls) override {
        log_ += letter_;
        for (std::size_t i = 0; i < calls * 1000; ++i) sink_ = sink_ + 1;
    }
    std::size_t ops_per_call() const noexcept override { return 2; }
    void check() const override {}

private:
    char letter_;
    std::string& log_;
    volatile std::size_t sink_ = 0;
};

TEST(CliParts, SidesTakeTurnsThereAndBack) {
    std::string log;
    Scribe a('a', log), b('b', log), c('c', log);
    Side* const sides[] = {&a, &b, &c};
    Progress progress;
    const auto rounds = measure(sides, {11, 20'000}, progress);
    ASSERT_EQ(rounds.ns_per_op.size(), 3U);
    for (const auto& side : rounds.ns_per_op) EXPECT_EQ(side.size(), 11U);
    std::string expected;
    for (int i = 0; i < 11; ++i) expected += "abccba";
    ASSERT_GE(log.size(), expected.size());
    EXPECT_EQ(log.substr(log.size() - expected.size()), expected);
}

void stay_on(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    ASSERT_EQ(sched_setaffinity(0, sizeof set, &set), 0);
}

/// Another process that wants the same core all the time.
class Rival {
public:
    Rival() : pid_(fork()) {
        if (pid_ != 0) return;
        volatile unsigned work = 0;
        for (;;) work = work + 1;
    }
    Rival(const Rival&) = delete;
    Rival& operator=(const Rival&) = delete;
    ~Rival() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }

private:
    pid_t pid_;
};

TEST(CliParts, TimeThatOthersTakeIsNotCounted) {
    std::ifstream schedstat("/proc/thread-self/schedstat");
    if (!schedstat) GTEST_SKIP() << "NOT TESTED: this kernel does not tell who had the core";
    stay_on(sched_getcpu());
    std::string log;
    Scribe a('a', log);
    Side* const sides[] = {&a};
    Progress progress;
    const Rival rival;
    const auto rounds = measure(sides, {11, 20e6}, progress);
    EXPECT_TRUE(rounds.taken_off);
    EXPECT_GE(rounds.core_taken, 0.3);
    EXPECT_LT(rounds.core_taken, 1);
    EXPECT_GT(quantile(rounds.ns_per_op[0], 0), 0);
}

TEST(CliParts, ASideWithThreadsIsTimedByTheWall) {
    class Threaded final : public Scribe {
    public:
        using Scribe::Scribe;
        bool has_threads() const noexcept override { return true; }
    };
    stay_on(sched_getcpu());
    std::string log;
    Threaded side('t', log);
    Scribe other('o', log);
    Side* const sides[] = {&side, &other};
    Progress progress;
    const Rival rival;
    const auto rounds = measure(sides, {11, 20e6}, progress);
    EXPECT_FALSE(rounds.taken_off);
    EXPECT_GE(rounds.core_taken, 0.3) << "the side without threads shows that the core was shared";
}

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 1000 * kSecond;

struct Counts {
    std::uint64_t submitted = 0, lanes = 0, scalar = 0, in_place = 0;
    octavo_fallback reason = OCTAVO_FALLBACK_CPU;
    std::uint64_t fallback = 0;
};

std::vector<instance::ProcessStats> look(const Counts& counts, std::uint64_t last_submit_ns) {
    instance::ProcessStats process{1, "server", {{"default", OCTAVO_DRIVER_INLINE, last_submit_ns, {}}}};
    auto& counters = process.instances[0].counters;
    counters.submitted = counts.submitted;
    counters.lane_requests = counts.lanes;
    counters.scalar_requests = counts.scalar;
    counters.in_place = counts.in_place;
    counters.fallback[counts.reason] = counts.fallback;
    return {process};
}

ProcessReport judged(const Counts& before, const Counts& after, std::uint64_t last_submit_ns = kNow) {
    const auto reports = compare(look(before, last_submit_ns), look(after, last_submit_ns), 2, kNow);
    EXPECT_EQ(reports.size(), 1U);
    return reports.at(0);
}

bool says(const std::string& text, const char* words) { return text.find(words) != std::string::npos; }

TEST(CliParts, LanesAreOffload) {
    const auto report = judged({100, 100}, {300, 250, 50});
    EXPECT_EQ(report.verdict, Verdict::ok);
    EXPECT_TRUE(says(report.text, "100 requests/s: 75% in lanes, 25% one by one")) << report.text;
    EXPECT_EQ(report.advice, "");
}

TEST(CliParts, RequestsThatNeverOverlap) {
    const auto report = judged({}, {.submitted = 10, .scalar = 10, .in_place = 10});
    EXPECT_EQ(report.verdict, Verdict::warn);
    EXPECT_TRUE(says(report.text, "100% in place")) << report.text;
    EXPECT_TRUE(says(report.advice, "do not overlap")) << report.advice;
}

TEST(CliParts, FallbackNamesItsReason) {
    const auto report = judged({}, {.submitted = 10, .scalar = 2, .reason = OCTAVO_FALLBACK_EXPONENT, .fallback = 8});
    EXPECT_EQ(report.verdict, Verdict::warn);
    EXPECT_TRUE(says(report.text, "80% fell back: a public exponent")) << report.text;
    EXPECT_TRUE(says(report.advice, "65537")) << report.advice;
}

TEST(CliParts, AFailedCheckIsAWarningEvenAmongLanes) {
    const auto report = judged({}, {.submitted = 10, .lanes = 9, .reason = OCTAVO_FALLBACK_CHECK, .fallback = 1});
    EXPECT_EQ(report.verdict, Verdict::warn);
    EXPECT_TRUE(says(report.advice, "hardware")) << report.advice;
}

TEST(CliParts, IdleSaysSinceWhen) {
    const auto report = judged({50, 50}, {50, 50}, kNow - 30 * kSecond);
    EXPECT_EQ(report.verdict, Verdict::warn);
    EXPECT_TRUE(says(report.text, "30 s ago")) << report.text;
    EXPECT_TRUE(says(report.text, "100% in lanes")) << report.text;
}

TEST(CliParts, NeverUsed) {
    const auto report = judged({}, {}, 0);
    EXPECT_EQ(report.verdict, Verdict::warn);
    EXPECT_TRUE(says(report.text, "nothing was ever submitted")) << report.text;
}

TEST(CliParts, AnInstanceThatEndedInBetweenDoesNotCountBackwards) {
    const auto report = judged({1000, 1000}, {10, 10});
    EXPECT_EQ(report.now.submitted, 0U);
    EXPECT_EQ(report.now.lanes, 0U);
}

TEST(CliParts, AProcessThatStartedInBetweenCountsInFull) {
    const auto reports = compare({}, look({10, 10}, kNow), 1, kNow);
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].now.lanes, 10U);
    EXPECT_EQ(reports[0].verdict, Verdict::ok);
}

TEST(CliParts, EveryReasonHasWords) {
    for (std::size_t i = 0; i < OCTAVO_FALLBACK_REASONS; ++i) {
        EXPECT_STRNE(fallback_name(i), "");
        EXPECT_STRNE(fallback_words(i), "");
    }
}

TEST(CliParts, AProcessSaysWhichEndpointIsAway) {
    const Counts counts{.submitted = 10, .lanes = 10};
    auto process = look(counts, kNow);
    EXPECT_EQ(compare({}, process, 1, kNow).at(0).away, "");
    process[0].instances[0].endpoint = 3;
    process[0].instances[0].state = OCTAVO_ENDPOINT_DOWN;
    EXPECT_EQ(compare({}, process, 1, kNow).at(0).away, "endpoint 3 is down");
    EXPECT_EQ(compare({}, process, 1, kNow).at(0).verdict, Verdict::warn);
}

TEST(CliParts, AProcessSaysWhichSectionItHasOrWhyNone) {
    const Counts counts{.submitted = 10, .lanes = 10};
    auto process = look(counts, kNow);
    EXPECT_EQ(section_words(compare({}, process, 1, kNow).at(0).section), "");
    process[0].section = {instance::SectionNote::held, "SSL_INT_1", ""};
    const auto held = compare({}, process, 1, kNow).at(0);
    EXPECT_EQ(section_words(held.section), "section SSL_INT_1");
    EXPECT_EQ(held.advice.find("portable row"), std::string::npos);
    process[0].section = {instance::SectionNote::denied, "", "all are taken"};
    const auto denied = compare({}, process, 1, kNow).at(0);
    EXPECT_EQ(section_words(denied.section), "no section (all are taken)");
    EXPECT_EQ(denied.verdict, Verdict::warn);
    EXPECT_NE(denied.advice.find("portable row"), std::string::npos) << denied.advice;
}

TEST(SpeedCount, InstructionsAreTold) {
    EXPECT_EQ(kind_of("vpmadd52luq", "zmm1,zmm2,zmm3"), Kind::multiply_add);
    EXPECT_EQ(kind_of("vpmadd52huq", "zmm1,zmm2,ZMMWORD PTR [rsi+0x40]"), Kind::multiply_add);
    EXPECT_EQ(kind_of("vmovdqa64", "zmm1,ZMMWORD PTR [rsp+0x40]"), Kind::load);
    EXPECT_EQ(kind_of("vpbroadcastq", "zmm1,QWORD PTR [rdi]"), Kind::load);
    EXPECT_EQ(kind_of("vmovdqu64", "ZMMWORD PTR [rdi+rcx*8],zmm1"), Kind::store);
    EXPECT_EQ(kind_of("vpaddq", "zmm1,zmm2,ZMMWORD PTR [rsi]"), Kind::vector);
    EXPECT_EQ(kind_of("vmovdqa64", "zmm1,zmm2"), Kind::vector);
    EXPECT_EQ(kind_of("kmovb", "k1,eax"), Kind::vector);
    EXPECT_EQ(kind_of("movq", "rax,xmm0"), Kind::vector);
    EXPECT_EQ(kind_of("call", "1234 <_ZN6octavo5gammaEv>"), Kind::scalar);
    EXPECT_EQ(kind_of("mov", "QWORD PTR [rsp+0x8],rax"), Kind::scalar);
    EXPECT_EQ(kind_of("ret", ""), Kind::scalar);
}

}  // namespace
}  // namespace octavo::cli
