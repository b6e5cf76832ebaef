#include "speed/layers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "speed/measure.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

double per_second(const std::vector<double>& ns_per_op) { return 1e9 / median(ns_per_op); }

/// A tenth of the core's time is no longer an accident.
std::string disturbance(const Rounds& rounds) {
    if (rounds.core_taken < 0.1) return {};
    const std::string what = "other programs held the core for more than a tenth of some rows' time";
    return what + (rounds.taken_off
                       ? ", which is not counted; but they cost cache and clock speed too"
                       : ", which cannot be told from Octavo's own at the layer provider: figures there mean little");
}

}  // namespace

void check_first_batch(Side& side) {
    side.run(1);
    side.check();
}

Result summarize(const Case& row, const Side& side, const Rounds& rounds, Pair pair) {
    const auto& octavo = rounds.ns_per_op[pair.octavo];
    const auto& openssl = rounds.ns_per_op[pair.openssl];
    const auto ratios = quotients(openssl, octavo);
    Result result;
    result.op = row.operation.name();
    result.depth = row.depth;
    result.row = side.row();
    for (const auto& note : {side.note(), disturbance(rounds)})
        if (!note.empty()) result.notes.push_back(note);
    result.core_taken = rounds.core_taken;
    result.rounds = octavo.size();
    result.octavo_ops_s = per_second(octavo);
    result.openssl_ops_s = per_second(openssl);
    result.ratio = result.octavo_ops_s / result.openssl_ops_s;
    result.ratio_min = quantile(ratios, 0);
    result.ratio_max = quantile(ratios, 1);
    result.ratio_p10 = quantile(ratios, 0.1);
    result.ratio_p90 = quantile(ratios, 0.9);
    result.octavo_us_per_call = median(octavo) * static_cast<double>(row.depth) / 1e3;
    const double count = row.operation.multiply_adds(row.depth);
    if (count > 0 && result.row != "ref") result.multiply_adds = count;
    return result;
}

namespace {

Result measure_pair(const Case& row, Side& octavo, Side& openssl, double seconds, Progress& progress) {
    check_first_batch(octavo);
    check_first_batch(openssl);
    Side* const sides[] = {&octavo, &openssl};
    const auto rounds = measure(sides, make_plan(seconds, std::size(sides)), progress);
    return summarize(row, octavo, rounds, {});
}

Result measure_kernel(const Case& row, double seconds, Progress& progress) {
    const auto octavo = row.operation.kernel(row.depth, RowChoice::lane);
    const auto openssl = row.operation.openssl(Counterpart::kernel);
    return measure_pair(row, *octavo, *openssl, seconds, progress);
}

Result measure_api(const Case& row, double seconds, Progress& progress) {
    const auto octavo = row.operation.api(row.depth);
    const auto kernel = row.operation.kernel(row.depth, RowChoice::cheapest);
    const auto openssl = row.operation.openssl(Counterpart::api);
    Side* const sides[] = {octavo.get(), kernel.get(), openssl.get()};
    for (Side* side : sides) check_first_batch(*side);
    const auto rounds = measure(sides, make_plan(seconds, std::size(sides)), progress);
    Result result = summarize(row, *octavo, rounds, {0, 2});
    result.kernel_ops_s = per_second(rounds.ns_per_op[1]);
    result.overhead_us = median(differences(rounds.ns_per_op[0], rounds.ns_per_op[1])) / 1e3;
    result.row = kernel->row();
    return result;
}

Result measure_provider(const Case& row, double seconds, Progress& progress) {
    const bool sync = row.sync || row.operation.is_in_place();
    const auto octavo = row.operation.provider(row.depth, !sync);
    const auto openssl = row.operation.openssl(Counterpart::provider);
    Result result = measure_pair(row, *octavo, *openssl, seconds, progress);
    result.mode = sync ? "sync" : "jobs";
    return result;
}

}  // namespace

std::span<const Layer> layers() {
    static const std::vector<std::size_t> in_flight = {1, 4, 8, 16, 32, 64};
    static const Layer table[] = {
        {"kernel", "the lane row, called with `depth` jobs", {1, 2, 4, 8, 16, 32, 64}, measure_kernel},
        {"api", "octavo.h, inline driver, `depth` requests in flight", in_flight, measure_api},
        {"provider", "EVP calls through the provider, in `depth` jobs", in_flight, measure_provider},
    };
    return table;
}

const Layer& find_layer(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& layer : layers()) {
        if (name == layer.name) return layer;
        names.emplace_back(layer.name);
    }
    throw UsageError(
        fmt::format("--layer takes {}, not \"{}\"{}", fmt::join(names, ", "), name, did_you_mean(name, names)));
}

}  // namespace octavo::cli
