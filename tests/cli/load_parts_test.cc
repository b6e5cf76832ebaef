// The parts of `octavo load` that judge: percentiles against a sorted oracle, the command line, CPU accounts, charts.
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "load/chart.hpp"
#include "load/histogram.hpp"
#include "load/memory.hpp"
#include "load/options.hpp"
#include "load/server_cpu.hpp"
#include "usage.hpp"

namespace octavo::cli::load {
namespace {

using Values = std::vector<std::uint64_t>;

constexpr double kShares[] = {0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1};

std::uint64_t oracle(const Values& sorted, double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

void expect_like_oracle(Values values) {
    Histogram histogram;
    for (const auto value : values) histogram.record(value);
    std::sort(values.begin(), values.end());
    for (const double share : kShares) {
        const auto exact = oracle(values, share), got = histogram.percentile(share);
        EXPECT_GE(got, exact) << share;
        EXPECT_LE(got, exact + exact / 128) << share;
    }
    EXPECT_EQ(histogram.max(), values.back());
    EXPECT_EQ(histogram.percentile(1), values.back());
}

TEST(LoadMemory, BlocksKeepWhatIsInThem) {
    static const bool is_lean = use_lean_memory();
    if (!is_lean) GTEST_SKIP() << "a sanitized build: OpenSSL's memory is the C library's";
    std::mt19937 random(3);
    std::vector<std::pair<unsigned char*, std::size_t>> blocks(200);
    for (int i = 0; i < 20000; ++i) {
        auto& [memory, size] = blocks[random() % blocks.size()];
        const unsigned char mark = static_cast<unsigned char>(&memory - &blocks[0].first);
        const std::size_t wanted = random() % 8 == 0 ? random() % 40000 : random() % 300;
        memory = static_cast<unsigned char*>(OPENSSL_realloc(memory, wanted));
        ASSERT_EQ(memory == nullptr, wanted == 0);
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(memory) % alignof(std::max_align_t), 0U);
        for (std::size_t k = 0; k < std::min(size, wanted); ++k) ASSERT_EQ(memory[k], mark);
        std::fill_n(memory, wanted, mark);
        size = wanted;
    }
    for (auto& block : blocks) OPENSSL_free(block.first);
    void* const freed = OPENSSL_malloc(100);
    OPENSSL_free(freed);
    EXPECT_EQ(OPENSSL_malloc(128), freed) << "of the same size, and used again";
    OPENSSL_free(freed);
    EXPECT_EQ(OPENSSL_malloc(SIZE_MAX - 8), nullptr);
}

TEST(LoadHistogram, PercentilesAgreeWithASortedList) {
    std::mt19937_64 random(1);
    for (const std::size_t count : {1U, 2U, 3U, 10U, 999U, 50000U}) {
        Values uniform(count), logarithmic(count);
        for (auto& value : uniform) value = random() % 100000000;
        for (auto& value : logarithmic) value = (std::uint64_t{1} << random() % 40) + random() % 1000;
        expect_like_oracle(uniform);
        expect_like_oracle(logarithmic);
    }
}

TEST(LoadHistogram, EveryEdgeOfABucketIsInIt) {
    Values edges{0, 1};
    for (unsigned bit = 1; bit < 42; ++bit)
        for (const int step : {-1, 0, 1}) edges.push_back((std::uint64_t{1} << bit) + static_cast<std::uint64_t>(step));
    for (const auto value : edges) expect_like_oracle({value});
}

TEST(LoadHistogram, SumOfPartsIsTheWhole) {
    std::mt19937_64 random(2);
    Histogram whole, parts[3];
    for (int i = 0; i < 3000; ++i) {
        const auto value = random() % (static_cast<std::uint64_t>(i) + 1) * 1000;
        whole.record(value);
        parts[i % 3].record(value);
    }
    Histogram sum;
    for (const auto& part : parts) sum.add(part);
    EXPECT_EQ(sum.count(), 3000U);
    EXPECT_EQ(sum.max(), whole.max());
    for (const double share : kShares) EXPECT_EQ(sum.percentile(share), whole.percentile(share));
    std::uint64_t in_buckets = 0;
    for (const auto& bucket : sum.buckets()) in_buckets += bucket.count;
    EXPECT_EQ(in_buckets, 3000U);
}

TEST(LoadHistogram, EmptyAndOverfull) {
    Histogram histogram;
    EXPECT_EQ(histogram.percentile(0.5), 0U);
    histogram.record(~std::uint64_t{0});
    EXPECT_EQ(histogram.max(), Histogram::kMax);
}

Options with(std::string Options::*option, const std::string& value) {
    Options options;
    options.target = "127.0.0.1:443";
    options.*option = value;
    return options;
}

TEST(LoadOptions, Targets) {
    EXPECT_EQ(understand(with(&Options::target, "127.0.0.1:443")).target.address, "127.0.0.1:443");
    const auto v6 = understand(with(&Options::target, "[::1]:8443"));
    EXPECT_EQ(v6.target.address, "[::1]:8443");
    EXPECT_EQ(v6.tls.server_name, "");
    EXPECT_EQ(v6.tls.verified_name, "::1");
    const auto name = understand(with(&Options::target, "localhost:1"));
    EXPECT_EQ(name.tls.server_name, "localhost");
    EXPECT_EQ(name.tls.verified_name, "localhost");
}

TEST(LoadOptions, ThreadsFollowCpusAndConnections) {
    auto options = with(&Options::cpu, "0,2-4");
    EXPECT_EQ(understand(options).cpus, (std::vector<int>{0, 2, 3, 4}));
    EXPECT_EQ(understand(options).threads, 4U);
    options.connections = "3";
    EXPECT_EQ(understand(options).threads, 3U);
    options.threads = "2";
    EXPECT_EQ(understand(options).threads, 2U);
}

TEST(LoadOptions, RequestIsWholeAndNamesTheHost) {
    EXPECT_EQ(understand(with(&Options::request, "/a?b")).request,
              "GET /a?b HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: octavo-load\r\nConnection: close\r\n\r\n");
    auto options = with(&Options::request, "/");
    options.sni = "example.org";
    EXPECT_NE(understand(options).request.find("Host: example.org\r\n"), std::string::npos);
}

void work_until(clock_t cpu_time) {
    volatile unsigned work = 0;
    while (clock() < cpu_time) work = work + 1;
}

/// A child that has a grandchild work for 0.3 s and end, and then one that works for 0.3 s and lives until `go` is closed.
pid_t start_family(int go[2]) {
    const pid_t child = fork();
    if (child != 0) return child;
    close(go[1]);
    for (const bool stays : {false, true}) {
        if (fork() == 0) {
            work_until(CLOCKS_PER_SEC * 3 / 10);
            char byte;
            if (stays) (void)!read(go[0], &byte, 1);
            _exit(0);
        }
        wait(nullptr);
    }
    _exit(0);
}

TEST(LoadServerCpu, DescendantsCountWhetherTheyLiveOrHaveEnded) {
    int go[2];
    ASSERT_EQ(pipe(go), 0);
    const pid_t child = start_family(go);
    ServerCpu account({child});
    double us = 0;
    for (int i = 0; i < 200 && us < 540e3; ++i) {
        usleep(50000);
        const double now = account.microseconds();
        EXPECT_GE(now, us);  // also in the moment in which the grandchild ends
        us = now;
    }
    EXPECT_GE(us, 540e3);  // less the parts of ticks that each account drops
    EXPECT_LE(us, 900e3);
    close(go[1]);
    waitpid(child, nullptr, 0);
    EXPECT_GE(account.microseconds(), us);  // the root itself is gone
}

TEST(LoadServerCpu, UnknownProcessIsAUsageError) {
    const pid_t ended = fork();
    if (ended == 0) _exit(0);
    waitpid(ended, nullptr, 0);
    EXPECT_THROW(ServerCpu({ended}), UsageError);
}

TEST(LoadChart, TextIsHarmless) {
    EXPECT_EQ(escape_html("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    const std::string svg = draw_lines({"<b>", "x", "ms", {1, 2, 3}, {{"s", {0, 5, 10}}}, {}});
    EXPECT_EQ(svg.find("<b>"), std::string::npos);
    EXPECT_NE(svg.find("&lt;b&gt;"), std::string::npos);
}

TEST(LoadChart, PointsLieInsideTheirChart) {
    const std::string svg = draw_lines({"t", "x", "ms", {1, 2, 3}, {{"s", {0, 5, 10}}}, {}});
    EXPECT_NE(svg.find("cx=\"64.0\" cy=\"200.0\""), std::string::npos) << svg;  // 0: on the ground line
    EXPECT_NE(svg.find("cx=\"704.0\" cy=\"16.0\""), std::string::npos) << svg;  // 10: the top of the scale
    EXPECT_EQ(draw_bars({"t", "x", "", {}, {{"s", {}}}, {}}), "");
}

}  // namespace
}  // namespace octavo::cli::load
