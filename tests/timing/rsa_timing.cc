#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel/rsa/rsa_test_keys.hpp"
#include "timing/welch.hpp"

/// Does the time of an RSA private operation depend on its input or its key? Welch's t-test in the manner of dudect
/// (Reparaz, Balasch, Verbauwhede, 2016): two classes in random order, one fixed and one random.
namespace octavo::timing {
namespace {

using namespace kernel::rsa;
using kernel::rsa::test::ByteVector;
using kernel::rsa::test::Forms;
using kernel::rsa::test::Parts;
using kernel::rsa::test::Scratch;

constexpr double kSuspicious = 4.5, kLeak = 10;

struct Options {
    double seconds = 30;
    std::size_t bits = 2048, count = 4;
    std::string what = "all";
    bool plant = false;
};

constexpr const char* kHelp =
    "rsa_timing: looks for secrets in the time of RSA private operations of the lane row\n"
    "\n"
    "  --seconds S   measuring time for each question (30); an hour finds smaller leaks\n"
    "  --bits B      2048, 3072 or 4096 (2048)\n"
    "  --count N     operations in a batch, 1 to 8 (4)\n"
    "  --what W      input: a fixed input against random ones; key: a fixed key against others; all\n"
    "  --plant       waits longer in one class, to see that it is found\n"
    "\n"
    "Pin it to a quiet core: taskset -c 1 rsa_timing. It prints Welch's t for all measurements and for those below\n"
    "ever lower percentiles, which cut off interrupts. |t| below 4.5 is no sign of a leak; between that and 10, "
    "measure\n"
    "longer: a leak grows with the square root of the time, noise does not. Exit status: 0 no leak seen, 1 a leak,\n"
    "2 wrong usage, 3 the CPU has no lane row.\n";

/// Operands of one class are copied to the same place as those of the other, so that no cache knows them apart.
class Bench {
public:
    Bench(const Row& row, const Options& options)
        : row_(row),
          options_(options),
          slot_(Parts(key(0)).all()),
          in_(options.count, ByteVector(options.bits / 8)),
          out_(in_) {
        for (const auto& one : test::keys_of_size(options.bits)) {
            Forms forms(Parts(one).all());
            const MutableBytes memory = forms.private_memory();
            if (memory.empty()) throw std::runtime_error("the row does not take this key");
            forms_.emplace_back(memory.begin(), memory.end());
        }
        for (std::size_t i = 0; i < kPool; ++i) pool_.push_back(below_all_keys());
    }

    void fix_input(int which) {
        for (auto& in : in_) in = pool_[which == 0 ? 0 : pick(1, kPool - 1)];
    }
    void random_input() {
        for (auto& in : in_) in = pool_[pick(0, kPool - 1)];
    }
    void fix_key(int which) {
        const auto& from = forms_[which == 0 ? 0 : pick(1, forms_.size() - 1)];
        std::memcpy(slot_.private_memory().data(), from.data(), from.size());
    }

    /// Cycles of one batch.
    double measure(int which) {
        std::vector<Job> jobs;
        for (std::size_t i = 0; i < in_.size(); ++i)
            jobs.push_back({&slot_.get(), in_[i].data(), out_[i].data(), in_[i].size(), false});
        unsigned cpu = 0;
        __builtin_ia32_lfence();
        const auto begin = __builtin_ia32_rdtsc();
        __builtin_ia32_lfence();
        row_.run_private(jobs.data(), jobs.size(), scratch_.data());
        if (options_.plant && which == 1) wait_a_little();
        const auto end = __builtin_ia32_rdtscp(&cpu);
        __builtin_ia32_lfence();
        if (!jobs[0].ok) throw std::runtime_error("an operation failed");
        return static_cast<double>(end - begin);
    }

    int pick_class() { return static_cast<int>(random_() & 1); }

private:
    static constexpr std::size_t kPool = 256;

    const test::TestKey& key(std::size_t i) const { return test::keys_of_size(options_.bits)[i]; }
    std::size_t pick(std::size_t first, std::size_t last) {
        return std::uniform_int_distribution<std::size_t>(first, last)(random_);
    }
    /// An input that every key takes.
    ByteVector below_all_keys() const {
        ByteVector least = key(0).n;
        for (const auto& one : test::keys_of_size(options_.bits)) least = std::min(least, one.n);
        return test::random_below(least);
    }
    static void wait_a_little() {
        for (int i = 0; i < 500; ++i) __builtin_ia32_pause();
    }

    const Row& row_;
    Options options_;
    Forms slot_;
    std::vector<ByteVector> forms_, pool_, in_, out_;
    Scratch scratch_{row_};
    std::mt19937_64 random_{std::random_device{}()};
};

/// Limits on a measurement, ever lower: 1 - 2^(-10 i / n) of all, as dudect has them. The first is none.
std::vector<double> limits_from(std::vector<double> sample) {
    constexpr int kCrops = 20;
    std::sort(sample.begin(), sample.end());
    std::vector<double> limits = {HUGE_VAL};
    for (int i = kCrops; i > 2; --i) {
        const double share = 1 - std::pow(0.5, 10.0 * i / kCrops);
        limits.push_back(sample[static_cast<std::size_t>(share * static_cast<double>(sample.size() - 1))]);
    }
    return limits;
}

template <typename Prepare>
double largest_t(Bench& bench, const Options& options, const char* name, Prepare&& prepare) {
    const auto once = [&](int which) {
        prepare(which);
        return bench.measure(which);
    };
    std::vector<double> sample;
    for (int i = 0; i < 1000; ++i) sample.push_back(once(bench.pick_class()));
    const auto limits = limits_from(sample);
    std::vector<Welch> tests(limits.size());
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(options.seconds);
    while (std::chrono::steady_clock::now() < end) {
        const int which = bench.pick_class();
        const double cycles = once(which);
        for (std::size_t i = 0; i < limits.size(); ++i)
            if (cycles <= limits[i]) tests[i].add(which, cycles);
    }
    double worst = 0;
    std::printf("%s: fixed against random, %.0f measurements\n", name, tests[0].num() * 2);
    for (std::size_t i = 0; i < limits.size(); ++i) {
        if (tests[i].num() < 500) continue;
        std::printf("  up to %12.0f cycles: t = %7.2f, difference %8.1f cycles, n = %.0f\n", limits[i], tests[i].t(),
                    tests[i].difference(), tests[i].num() * 2);
        worst = std::fmax(worst, std::fabs(tests[i].t()));
    }
    if (tests[0].num() < 500) throw std::runtime_error("too few measurements: give it more seconds");
    return worst;
}

bool passes(const char* name, double t) {
    const char* verdict = t < kSuspicious ? "no sign of a leak" : t < kLeak ? "suspicious: measure longer" : "LEAK";
    std::printf("%s: largest |t| = %.2f: %s\n\n", name, t, verdict);
    return t < kLeak;
}

int run(const Options& options) {
    const Row* row = lane_row();
    if (row == nullptr) {
        std::fprintf(stderr, "\n*** NOT MEASURED: this CPU has no RSA lane row ***\n\n");
        return 3;
    }
    std::printf("row %s, %zu bits, batches of %zu\n\n", row->name, options.bits, options.count);
    Bench bench(*row, options);
    bool good = true;
    if (options.what != "key") {
        const auto prepare = [&](int which) { bench.fix_input(which); };
        good = passes("input", largest_t(bench, options, "input", prepare)) && good;
    }
    if (options.what != "input") {
        const auto prepare = [&](int which) {
            bench.random_input();
            bench.fix_key(which);
        };
        good = passes("key", largest_t(bench, options, "key", prepare)) && good;
    }
    return good ? 0 : 1;
}

bool valid(const Options& o) {
    return o.seconds > 0 && (o.bits == 2048 || o.bits == 3072 || o.bits == 4096) && o.count >= 1 && o.count <= 8 &&
           (o.what == "input" || o.what == "key" || o.what == "all");
}

/// False on wrong usage.
bool parse(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--plant") {
            options.plant = true;
            continue;
        }
        if (i + 1 == argc) return false;
        const char* value = argv[++i];
        if (name == "--seconds")
            options.seconds = std::atof(value);
        else if (name == "--bits")
            options.bits = std::strtoul(value, nullptr, 10);
        else if (name == "--count")
            options.count = std::strtoul(value, nullptr, 10);
        else if (name == "--what")
            options.what = value;
        else
            return false;
    }
    return valid(options);
}

}  // namespace
}  // namespace octavo::timing

int main(int argc, char** argv) {
    using namespace octavo::timing;
    if (argc == 2 && std::string(argv[1]) == "--help") return std::fputs(kHelp, stdout) < 0;
    Options options;
    if (!parse(argc, argv, options)) {
        std::fputs(kHelp, stderr);
        return 2;
    }
    try {
        return run(options);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "rsa_timing: %s\n", e.what());
        return 2;
    }
}
