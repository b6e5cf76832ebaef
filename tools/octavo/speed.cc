#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "base/text.hpp"
#include "command.hpp"
#include "installation.hpp"
#include "speed/count.hpp"
#include "speed/layers.hpp"
#include "speed/limit.hpp"
#include "speed/polling.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

constexpr std::size_t kMaxDepth = 4096;  // the largest ring
constexpr std::size_t kLanes = 8;
constexpr const char* kToStdout = "-";
const std::vector<std::size_t> kShortDepths = {1, 8, 64};  // where nothing is asked for

struct Options {
    std::vector<std::string> operations;
    std::string layers = "kernel,api,provider", depths, seconds = "1", json, cpu, polling;
    bool list = false, limit = false, count = false, sync = false;
};

/// The options, understood.
struct Job {
    Operations operations;
    std::vector<const Layer*> layers;
    std::vector<std::size_t> depths;  // empty: each layer's own
    bool sync;
    PollingModes polling;  // empty: as it is

    bool can_measure(const Layer& layer, const Operation& operation) const {
        return !operation.is_in_place() || &layer == &find_layer("provider");
    }
    /// At the layer kernel, what the row takes in one call; in place, one after another.
    std::vector<std::size_t> depths_for(const Layer& layer, const Operation& operation) const {
        if (!can_measure(layer, operation)) return {};
        if (!depths.empty() && !operation.is_in_place()) return depths;
        auto own = layer.depths;
        if (operation.is_in_place() || &layer == &find_layer("kernel"))
            std::erase_if(own, [most = operation.max_batch()](std::size_t depth) { return depth > most; });
        return own;
    }
};

/// Of many operations those that a layer does not have are left out; where nothing is left, that is a mistake.
void require_something(const Job& job) {
    for (const auto* layer : job.layers)
        for (const auto* operation : job.operations)
            if (job.can_measure(*layer, *operation)) return;
    throw UsageError(
        fmt::format("{} is measured at the layer provider alone: --layer provider", job.operations.front()->name()));
}

Job understand(const Options& options) {
    Job job{choose_operations(options.operations), {}, {}, options.sync, parse_polling_modes(options.polling)};
    for_each_item(options.layers, ',',
                  [&](std::string_view name) { job.layers.push_back(&find_layer(std::string(name))); });
    for_each_item(options.depths, ',', [&](std::string_view text) {
        job.depths.push_back(parse_count("--depth", std::string(text), kMaxDepth));
    });
    if (options.operations.empty() && job.depths.empty()) job.depths = kShortDepths;
    if (job.layers.empty()) throw UsageError("--layer is empty: it takes kernel, api, provider");
    require_something(job);
    const bool provider_alone = job.layers.size() == 1 && job.layers[0] == &find_layer("provider");
    if (!job.polling.empty() && (job.sync || !provider_alone))
        throw UsageError("--polling needs --layer provider, and jobs: not --sync");
    if (job.sync) {
        if (!provider_alone) throw UsageError("--sync needs --layer provider");
        if (options.depths.empty()) job.depths = {1};
        if (job.depths != std::vector<std::size_t>{1})
            throw UsageError("--sync is one operation at a time: --depth can only be 1");
    }
    return job;
}

/// Keeps this thread, and what it starts, on one core: the one that --cpu names, or the one it is on.
int pin(const std::string& option) {
    const int cpu = option.empty() ? sched_getcpu() : static_cast<int>(parse_index("--cpu", option, CPU_SETSIZE - 1));
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0) return cpu;
    throw UsageError(fmt::format("--cpu {}: this process may not run there ({}); \"taskset -p $$\" shows where it may",
                                 cpu, std::strerror(errno)));
}

/// Where the JSON goes; opened before anything is measured, so that a wrong path costs no time.
class JsonFile {
public:
    explicit JsonFile(const std::string& path) : path_(path) {
        if (path.empty() || path == kToStdout) return;
        file_.open(path);
        if (!file_) fail();
    }
    void write(const std::string& text) {
        if (path_.empty()) return;
        if (path_ == kToStdout) return fmt::print("{}", text);
        file_ << text << std::flush;
        if (!file_) fail();
    }

private:
    [[noreturn]] void fail() const {
        throw UsageError(fmt::format("--json {}: the file cannot be written: {}", path_, std::strerror(errno)));
    }

    std::string path_;
    std::ofstream file_;
};

/// --limit and --count leave out what no kernel computes, unless that is all.
void require_kernels(const Operations& operations) {
    if (std::all_of(operations.begin(), operations.end(), [](const auto* one) { return one->is_in_place(); }))
        throw UsageError(fmt::format("no kernel computes {}: it has no --limit and no --count", operations[0]->name()));
}

/// Before anything is measured, so that a missing provider costs no time.
void require_provider(const Job& job) {
    const Layer* provider = &find_layer("provider");
    if (std::find(job.layers.begin(), job.layers.end(), provider) == job.layers.end()) return;
    const auto module = provider_module();
    const auto identity = identify_provider(module);
    if (identity.loaded) return;
    throw Failure(fmt::format("--layer provider: {} cannot be loaded: {} (\"octavo doctor\" says more)", module.path,
                              identity.error));
}

void print_list() {
    for (const auto* operation : all_operations()) fmt::print("{:<16} {}\n", operation->name(), operation->text());
    fmt::print("\nlayers:\n");
    for (const auto& layer : layers()) {
        fmt::print("{:<16} {}; depths {}\n", layer.name, layer.text, fmt::join(layer.depths, ","));
    }
}

void print_limit(const Operations& chosen) {
    const auto peak = multiply_add_peak();
    if (!peak) throw Failure("no multiplier limit: this CPU has no avx512ifma, or OCTAVO_DISABLE_CPU takes it away");
    fmt::print("{:.2f} vector multiply-adds (vpmadd52, eight lanes) per ns, measured on this core\n\n", *peak);
    fmt::print("{:<16} {:>22} {:>12} {:>10}\n", "operation", "multiply-adds, lanes full", "limit, us", "limit/s");
    for (const auto* operation : chosen) {
        if (operation->is_in_place()) continue;
        const double count = operation->multiply_adds(1);
        fmt::print("{:<16} {:>25.0f} {:>12.2f} {:>10.0f}\n", operation->name(), count, count / *peak / 1e3,
                   *peak * 1e9 / count);
    }
}

void add_limit_share(Result& result, const RunFacts& facts) {
    if (facts.multiply_add_peak && result.multiply_adds)
        result.limit_share = result.octavo_ops_s * *result.multiply_adds / (*facts.multiply_add_peak * 1e9);
}

/// One result, or one for each polling mode.
std::vector<Result> measure_case(const Layer& layer, const Case& row, const Job& job, const RunFacts& facts,
                                 Progress& progress) {
    row.operation.prepare(progress);
    progress.begin(fmt::format("{} {} depth {}", row.operation.name(), layer.name, row.depth));
    auto results = job.polling.empty() ? std::vector{layer.measure(row, facts.seconds, progress)}
                                       : measure_polling(row, job.polling, facts.seconds, progress);
    for (auto& result : results) {
        result.layer = layer.name;
        add_limit_share(result, facts);
    }
    progress.clear();
    return results;
}

std::vector<Result> measure_all(const Job& job, const RunFacts& facts, bool table) {
    Progress progress;
    std::vector<Result> results;
    for (const auto* layer : job.layers)
        for (const auto* operation : job.operations)
            for (const std::size_t depth : job.depths_for(*layer, *operation))
                for (auto& result : measure_case(*layer, {*operation, depth, job.sync}, job, facts, progress)) {
                    if (table) print_result(result);
                    results.push_back(std::move(result));
                }
    return results;
}

int run(const Options& options) {
    if (options.list) return print_list(), kExitOk;
    const Job job = understand(options);
    if (options.limit || options.count) require_kernels(job.operations);
    const double seconds = parse_seconds("--seconds", options.seconds);
    const int cpu = pin(options.cpu);
    if (options.limit) return print_limit(options.operations.empty() ? all_operations() : job.operations), kExitOk;
    if (options.count) {
        const auto depth = options.depths.empty() ? kLanes : job.depths.at(0);
        return print_counts(job.operations, depth), kExitOk;
    }
    JsonFile json(options.json);
    require_provider(job);
    const bool table = options.json != kToStdout;
    const RunFacts facts{cpu, seconds, multiply_add_peak()};
    if (table) print_head(facts);
    const auto results = measure_all(job, facts, table);
    if (table) print_notes(results);
    json.write(to_json(results, facts));
    return kExitOk;
}

}  // namespace

Command add_speed(CLI::App& parent) {
    auto options = std::make_shared<Options>();
    auto* app = parent.add_subcommand("speed", "Measure Octavo against OpenSSL on one core, in interleaved rounds");
    const auto option = [&](const char* name, std::string& value, const char* type, const char* text) {
        return app->add_option(name, value, text)->type_name(type);
    };
    app->add_option(
           "op", options->operations,
           "Operations: a name (p256-sign), its part before a dash (p256, tls1-prf), or all; default: some of a TLS "
           "handshake, at depths 1, 8 and 64")
        ->type_name("");
    option("--layer", options->layers, "NAME,...", "What to measure")->capture_default_str();
    option("--depth", options->depths, "N,...",
           "Operations in flight at a time; 1 is one stream (default: 1,2,4,8,... for the kernel, as many as one call "
           "takes, else 1,4,8,16,32,64)");
    option("--seconds", options->seconds, "S", "Time to measure each row of the table")->capture_default_str();
    option("--json", options->json, "FILE",
           "Write the results there as a JSON list (-: to standard output, without a table)");
    option("--cpu", options->cpu, "N", "Run on this core (default: the one that the program starts on)");
    app->add_flag("--sync", options->sync, "Layer provider: without jobs, one call after another");
    option("--polling", options->polling, "MODE,...",
           "Layer provider: in these polling modes, in the same rounds: default, timer, event, external, heuristic, "
           "inline, or all");
    app->add_flag("--list", options->list, "List operations and layers, and end");
    app->add_flag("--limit", options->limit,
                  "Measure the multiplier, print what it allows for each operation, and end");
    app->add_flag("--count", options->count,
                  "Count the instructions of one call of the kernel, of eight operations or as --depth says, and end");
    return {app, [options] { return run(*options); }};
}

}  // namespace octavo::cli
