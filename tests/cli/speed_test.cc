// The figures themselves are not judged here: the machine may be busy.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/sanitizer.hpp"
#include "program.hpp"

namespace octavo::test {
namespace {

using Json = nlohmann::json;

#if defined(OCTAVO_ASAN) || defined(OCTAVO_TSAN)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

Json measure(Words arguments, const Words& environment = {}) {
    arguments.insert(arguments.begin(), "speed");
    arguments.insert(arguments.end(), {"--seconds", "0.1", "--json", "-"});
    const auto outcome = run(arguments, environment);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Json::parse(outcome.out, nullptr, false);
}

void expect_figures(const Json& row) {
    for (const char* field : {"octavo_ops_s", "openssl_ops_s", "ratio", "ratio_min", "ratio_max", "octavo_us_per_call"})
        EXPECT_GT(row.at(field).get<double>(), 0) << field;
    EXPECT_LE(row.at("ratio_min"), row.at("ratio_max"));
    EXPECT_LE(row.at("ratio_min"), row.at("ratio_p10"));
    EXPECT_GE(row.at("ratio_max"), row.at("ratio_p90"));
    EXPECT_GE(row.at("rounds").get<int>(), 11);
    EXPECT_NEAR(row.at("ratio").get<double>(),
                row.at("octavo_ops_s").get<double>() / row.at("openssl_ops_s").get<double>(), 1e-9);
}

TEST(CliSpeed, KernelLayer) {
    const auto list = measure({"rsa2048-private", "rsa2048-public", "--layer", "kernel", "--depth", "1,8"});
    ASSERT_EQ(list.size(), 4U);
    const char* operations[] = {"rsa2048-private", "rsa2048-private", "rsa2048-public", "rsa2048-public"};
    const int depths[] = {1, 8, 1, 8};
    for (std::size_t i = 0; i < list.size(); ++i) {
        expect_figures(list[i]);
        EXPECT_EQ(list[i].at("op"), operations[i]);
        EXPECT_EQ(list[i].at("depth"), depths[i]);
        EXPECT_EQ(list[i].at("layer"), "kernel");
        EXPECT_NE(list[i].at("row"), "");
    }
}

const char* const kCurveOperations[] = {
    "p256-sign",   "p256-verify",   "p256-derive",   "p256-keygen",  "p384-sign",      "p384-verify",    "p384-derive",
    "p384-keygen", "x25519-derive", "x25519-keygen", "ed25519-sign", "ed25519-verify", "ed25519-keygen",
};
const Words kCurves = {"p256", "p384", "x25519", "ed25519"};

void expect_every_curve_operation(Words arguments, const char* layer) {
    arguments.insert(arguments.begin(), kCurves.begin(), kCurves.end());
    const auto list = measure(arguments);
    ASSERT_EQ(list.size(), std::size(kCurveOperations));
    for (std::size_t i = 0; i < list.size(); ++i) {
        SCOPED_TRACE(kCurveOperations[i]);
        expect_figures(list[i]);
        EXPECT_EQ(list[i].at("op"), kCurveOperations[i]);
        EXPECT_EQ(list[i].at("layer"), layer);
    }
}

TEST(CliSpeed, EveryCurveOperationAtTheKernelLayer) {
    expect_every_curve_operation({"--layer", "kernel", "--depth", "64"}, "kernel");
}

TEST(CliSpeed, EveryCurveOperationAtTheApiLayer) {
    expect_every_curve_operation({"--layer", "api", "--depth", "16"}, "api");
}

TEST(CliSpeed, EveryCurveOperationThroughTheProvider) {
    expect_every_curve_operation({"--layer", "provider", "--depth", "4"}, "provider");
    expect_every_curve_operation({"--layer", "provider", "--sync"}, "provider");
}

const Words kFiniteOperations = {"dh2048-derive", "dh3072-derive", "dh2048-keygen", "dh3072-keygen", "dsa2048-sign"};

TEST(CliSpeed, FiniteFieldsAtEveryLayer) {
    for (const char* layer : {"kernel", "api", "provider"}) {
        const auto list = measure({"dh2048", "dh3072", "dsa2048", "--layer", layer, "--depth", "8"});
        ASSERT_EQ(list.size(), kFiniteOperations.size());
        for (std::size_t i = 0; i < list.size(); ++i) {
            SCOPED_TRACE(kFiniteOperations[i] + " " + layer);
            expect_figures(list[i]);
            EXPECT_EQ(list[i].at("op"), kFiniteOperations[i]);
            EXPECT_EQ(list[i].at("layer"), layer);
        }
    }
}

TEST(CliSpeed, KeyDerivationThroughTheProviderAlone) {
    const auto list = measure({"hkdf", "tls1-prf", "--layer", "provider"});
    ASSERT_EQ(list.size(), 11U);
    for (const auto& row : list) {
        expect_figures(row);
        EXPECT_EQ(row.at("mode"), "sync");
        EXPECT_EQ(row.at("depth"), 1);
    }
    EXPECT_EQ(measure({"hkdf-extract", "p256-sign", "--layer", "kernel,provider", "--depth", "4"}).size(), 3U);
    for (const Words& wrong : {Words{"--layer", "kernel,api"}, Words{"--limit"}, Words{"--count"}}) {
        Words arguments{"speed", "hkdf"};
        arguments.insert(arguments.end(), wrong.begin(), wrong.end());
        const auto outcome = run(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
        EXPECT_NE(outcome.err.find("hkdf"), std::string::npos) << outcome.err;
    }
}

TEST(CliSpeed, RecordsThroughTheProviderAlone) {
    const auto list = measure({"aes128-gcm", "aes256-gcm", "chacha20-poly1305"});
    ASSERT_EQ(list.size(), 9U);
    for (const auto& row : list) {
        expect_figures(row);
        EXPECT_EQ(row.at("mode"), "sync");
    }
    const auto without = measure({"aes128-gcm-1k", "--layer", "provider"}, {"OCTAVO_DISABLE_CPU=vaes"});
    ASSERT_EQ(without.size(), 1U);
    EXPECT_NE(without[0].value("note", "").find("does not offer"), std::string::npos) << without;
}

TEST(CliSpeed, TheKernelLayerStopsAtWhatARowTakesInOneCall) {
    const auto depths_of = [](const char* operation) {
        std::vector<int> depths;
        for (const auto& row : measure({operation, "--layer", "kernel"})) {
            depths.push_back(row.at("depth").get<int>());
            EXPECT_FALSE(row.contains("note") &&
                         row.at("note").get<std::string>().find("at a time") != std::string::npos);
        }
        return depths;
    };
    EXPECT_EQ(depths_of("x25519-keygen"), (std::vector{1, 2, 4, 8, 16, 32, 64}));
    EXPECT_LT(depths_of("rsa2048-public").back(), 64);
}

TEST(CliSpeed, ALimitOnlyWhereTheCountHolds) {
    const auto list = measure({"p256-keygen", "--layer", "kernel", "--depth", "8,16"});
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].contains("multiply_adds_per_op"), list[0].at("row") != "ref");
    EXPECT_FALSE(list[1].contains("multiply_adds_per_op")) << "two groups share an inversion";
    const auto ref = measure({"p256-keygen", "--layer", "kernel", "--depth", "8"}, {"OCTAVO_FORCE_ROW=ref"});
    EXPECT_FALSE(ref.at(0).contains("limit_share")) << "OpenSSL counts otherwise";
}

TEST(CliSpeed, WithoutArgumentsItStaysShort) {
    const auto list = measure({"--layer", "kernel"});
    EXPECT_GE(list.size(), 6U);
    EXPECT_LE(list.size(), 12U);
    for (const auto& row : list) expect_figures(row);
}

TEST(CliSpeed, AllMeansAll) {
    const auto list = measure({"all", "--layer", "kernel", "--depth", "1"});
    EXPECT_EQ(list.size(), 6 + std::size(kCurveOperations) + kFiniteOperations.size())
        << "key derivation has no kernel";
}

TEST(CliSpeed, ApiLayerHasTheOverhead) {
    const auto list = measure({"rsa2048-public", "--layer", "api", "--depth", "16"});
    ASSERT_EQ(list.size(), 1U);
    expect_figures(list[0]);
    EXPECT_EQ(list[0].at("layer"), "api");
    EXPECT_EQ(list[0].at("depth"), 16);
    EXPECT_TRUE(list[0].at("overhead_us").is_number());
    EXPECT_GT(list[0].at("kernel_ops_s").get<double>(), 0);
}

TEST(CliSpeed, ApiLayerTakesMoreThanARingOfDefaultSize) {
    expect_figures(measure({"rsa2048-public", "--layer", "api", "--depth", "300"}).at(0));
}

TEST(CliSpeed, ProviderLayer) {
    const auto list = measure({"rsa2048", "--layer", "provider", "--depth", "1,4"});
    ASSERT_EQ(list.size(), 4U);
    for (const auto& row : list) {
        expect_figures(row);
        EXPECT_EQ(row.at("layer"), "provider");
        EXPECT_EQ(row.at("mode"), "jobs");
    }
}

TEST(CliSpeed, ProviderLayerWithoutJobs) {
    const auto list = measure({"rsa2048", "--layer", "provider", "--sync"});
    ASSERT_EQ(list.size(), 2U);
    for (const auto& row : list) {
        expect_figures(row);
        EXPECT_EQ(row.at("mode"), "sync");
        EXPECT_EQ(row.at("depth"), 1);
    }
}

TEST(CliSpeed, PollingModesSideBySide) {
    const char* const modes[] = {"default", "timer", "event", "external", "heuristic", "inline"};
    const auto list = measure({"p256-sign", "--layer", "provider", "--depth", "4", "--polling", "all"});
    ASSERT_EQ(list.size(), std::size(modes));
    for (std::size_t i = 0; i < list.size(); ++i) {
        expect_figures(list[i]);
        EXPECT_EQ(list[i].at("mode"), modes[i]);
    }
    EXPECT_NE(list[0].at("note").get<std::string>().find("best of the other modes"), std::string::npos);
    const auto two = measure({"p256-sign", "--layer", "provider", "--depth", "1", "--polling", "inline,timer"});
    ASSERT_EQ(two.size(), 2U);
    EXPECT_EQ(two[0].at("mode"), "inline");
    EXPECT_EQ(two[0].value("note", "").find("best of"), std::string::npos) << two[0];
    for (const Words& wrong : {Words{"--polling", "times", "--layer", "provider"}, Words{"--polling", "all"},
                               Words{"--polling", "timer", "--layer", "provider", "--sync"}}) {
        Words arguments{"speed", "p256-sign"};
        arguments.insert(arguments.end(), wrong.begin(), wrong.end());
        const auto outcome = run(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
        EXPECT_NE(outcome.err.find("--polling"), std::string::npos) << outcome.err;
    }
}

TEST(CliSpeed, WithoutALaneRowTheRefRowIsMeasuredAndItIsSaid) {
    const auto list =
        measure({"rsa2048-public", "--layer", "kernel", "--depth", "4"}, {"OCTAVO_DISABLE_CPU=avx512ifma"});
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].at("row"), "ref");
    EXPECT_NE(list[0].at("note").get<std::string>().find("no lane row"), std::string::npos);
    EXPECT_FALSE(list[0].contains("limit_share"));
}

TEST(CliSpeed, AFileAndATable) {
    const auto path = std::filesystem::temp_directory_path() / ("octavo-speed-" + std::to_string(getpid()) + ".json");
    const auto outcome =
        run({"speed", "rsa2048-public", "--layer", "kernel", "--depth", "2", "--seconds", "0.1", "--json", path});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("rsa2048-public"), std::string::npos);
    EXPECT_EQ(outcome.err, "") << "a progress line only where stderr is a terminal";
    std::ifstream file(path);
    const auto list = Json::parse(file, nullptr, false);
    std::filesystem::remove(path);
    ASSERT_EQ(list.size(), 1U);
    expect_figures(list[0]);
}

TEST(CliSpeed, ListAndLimit) {
    const auto list = run({"speed", "--list"});
    EXPECT_EQ(list.exit_code, 0);
    for (const char* word : {"rsa2048-private", "rsa4096-public", "kernel", "api", "provider"})
        EXPECT_NE(list.out.find(word), std::string::npos) << word;
    for (const char* operation : kCurveOperations) EXPECT_NE(list.out.find(operation), std::string::npos) << operation;
    const auto limit = run({"speed", "--limit"}, {"OCTAVO_DISABLE_CPU=avx512ifma"});
    EXPECT_EQ(limit.exit_code, 1);
    EXPECT_NE(limit.err.find("avx512ifma"), std::string::npos) << limit.err;
}

/// The count is the machine code's own: the formula has to say the same.
TEST(CliSpeed, CountsInstructions) {
    if (kSanitized)
        GTEST_SKIP() << "SKIP: a sanitizer's instructions are counted too, and it does not like to be traced";
    const auto without = run({"speed", "x25519-derive", "--count"}, {"OCTAVO_DISABLE_CPU=avx512ifma"});
    EXPECT_EQ(without.exit_code, 1);
    EXPECT_NE(without.err.find("avx512ifma"), std::string::npos) << without.err;
    if (run({"speed", "--limit"}).exit_code != 0) GTEST_SKIP() << "SKIP: no lane row on this CPU";
    const auto limit = run({"speed", "x25519-derive", "--limit"}), counted = run({"speed", "x25519-derive", "--count"});
    ASSERT_EQ(counted.exit_code, 0) << counted.err;
    const auto figure = [](const std::string& text) {
        double value = 0;
        const auto row = text.find("\nx25519-derive");
        EXPECT_NE(row, std::string::npos) << text;
        if (row == std::string::npos) return value;
        EXPECT_EQ(std::sscanf(text.c_str() + row, " x25519-derive %lf", &value), 1);
        return value;
    };
    const double needed = figure(limit.out), executed = figure(counted.out);
    EXPECT_NEAR(executed, needed, needed / 1000);
}

}  // namespace
}  // namespace octavo::test
