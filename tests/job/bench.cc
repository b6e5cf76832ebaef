// Jobs against OpenSSL's own ASYNC_*: both in one run, in turns, medians.
//   octavo-job-bench [rounds]
// With the drop-in preloaded the second column is the drop-in. Exit status 1 where the factors are below those promised (--check).
#include <octavo/job.h>
#include <openssl/async.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr int kPerRound = 20000;
constexpr int kFresh = 200;

struct Arguments {
    int pauses;
    char padding[36];  // with what libssl passes: 40 bytes
};

int octavo_body(void* argument) {
    for (int i = static_cast<Arguments*>(argument)->pauses; i > 0; --i) octavo_job_pause(nullptr, nullptr);
    return 1;
}

int openssl_body(void* argument) {
    for (int i = static_cast<Arguments*>(argument)->pauses; i > 0; --i) ASYNC_pause_job();
    return 1;
}

struct Octavo {
    octavo_wait_context wait = octavo_wait_new();
    ~Octavo() { octavo_wait_free(wait); }
    bool once(const Arguments& arguments) const {
        octavo_job job{0};
        int result = 0;
        while (true) {
            const auto answer = octavo_job_start(&job, wait, &result, octavo_body, &arguments, sizeof arguments);
            if (answer != OCTAVO_JOB_PAUSE) return answer == OCTAVO_JOB_FINISH && result == 1;
        }
    }
    static void forget() { octavo_job_cleanup_thread(); }
};

struct OpenSsl {
    ASYNC_WAIT_CTX* wait = ASYNC_WAIT_CTX_new();
    ~OpenSsl() { ASYNC_WAIT_CTX_free(wait); }
    bool once(Arguments arguments) const {
        ASYNC_JOB* job = nullptr;
        int result = 0;
        while (true) {
            const int answer = ASYNC_start_job(&job, wait, &result, openssl_body, &arguments, sizeof arguments);
            if (answer != ASYNC_PAUSE) return answer == ASYNC_FINISH && result == 1;
        }
    }
    static void forget() { ASYNC_cleanup_thread(); }
};

void expect(bool good) {
    if (good) return;
    std::fputs("octavo-job-bench: a job failed\n", stderr);
    std::exit(2);
}

using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin, int count) {
    return std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / count;
}

template <typename Runtime>
double warm(const Runtime& runtime, int pauses) {
    const Arguments arguments{pauses, {}};
    const auto begin = Clock::now();
    for (int i = 0; i < kPerRound; ++i) expect(runtime.once(arguments));
    return since(begin, kPerRound);
}

template <typename Runtime>
double fresh(const Runtime& runtime, int) {
    const Arguments arguments{0, {}};
    double sum = 0;
    for (int i = 0; i < kFresh; ++i) {
        Runtime::forget();
        const auto begin = Clock::now();
        expect(runtime.once(arguments));
        sum += since(begin, kFresh);
    }
    return sum;
}

template <typename Runtime>
double wait_context(const Runtime&, int) {
    const auto begin = Clock::now();
    for (int i = 0; i < kPerRound; ++i) Runtime{};
    return since(begin, kPerRound);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// Prints a row and answers the factor.
template <typename Ours, typename Theirs>
double row(const char* name, int rounds, int pauses, Ours&& ours, Theirs&& theirs) {
    const Octavo octavo;
    const OpenSsl openssl;
    std::vector<double> a, b;
    for (int i = 0; i < rounds; ++i) {
        a.push_back(ours(octavo, pauses));
        b.push_back(theirs(openssl, pauses));
    }
    const double factor = median(b) / median(a);
    std::printf("%-34s %8.1f ns %8.1f ns %7.1f x\n", name, median(a), median(b), factor);
    return factor;
}

}  // namespace

int main(int argc, char** argv) {
    const bool check = argc > 1 && std::strcmp(argv[argc - 1], "--check") == 0;
    const int rounds = argc > 1 && !check ? std::max(1, std::atoi(argv[1])) : 41;
    std::printf("%-34s %11s %11s %9s\n", "jobs, one thread, medians", "octavo", "ASYNC_*", "factor");
    row("start, finish", rounds, 0, warm<Octavo>, warm<OpenSsl>);
    const double factor = row("start, pause, resume, finish", rounds, 1, warm<Octavo>, warm<OpenSsl>);
    row("start, 8 pauses, finish", rounds, 8, warm<Octavo>, warm<OpenSsl>);
    row("a fresh job, start, finish", rounds, 0, fresh<Octavo>, fresh<OpenSsl>);
    row("wait context, new and free", rounds, 0, wait_context<Octavo>, wait_context<OpenSsl>);
    return check && factor < 5 ? 1 : 0;
}
