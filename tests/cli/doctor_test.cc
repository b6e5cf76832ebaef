#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace octavo::test {
namespace {

using Json = nlohmann::json;

struct Diagnosis {
    int exit_code;
    Json document;

    Json check(const std::string& name) const {
        for (const auto& one : document.at("checks"))
            if (one.at("check") == name) return one;
        ADD_FAILURE() << "no check " << name;
        return {{"verdict", ""}, {"text", ""}, {"advice", ""}};
    }
    std::string verdict(const std::string& name) const { return check(name).at("verdict"); }
    std::string text(const std::string& name) const { return check(name).at("text"); }
    std::string advice(const std::string& name) const { return check(name).at("advice"); }
    /// Null where the process does not show.
    Json process(pid_t pid) const {
        for (const auto& one : document.at("processes"))
            if (one.at("pid") == pid) return one;
        return nullptr;
    }
};

Diagnosis diagnose(const Words& environment, const std::string& seconds = "0.05") {
    const auto outcome = run({"doctor", "--json", "--seconds", seconds}, environment);
    EXPECT_EQ(outcome.err, "");
    return {outcome.exit_code, Json::parse(outcome.out, nullptr, false)};
}

const std::string kActive = "OPENSSL_CONF=" OCTAVO_OPENSSL_CONF;

/// A configuration file for the length of a test.
class Configuration {
public:
    explicit Configuration(const std::string& text)
        : path_(std::filesystem::temp_directory_path() / ("octavo-doctor-" + std::to_string(getpid()) + ".cnf")) {
        std::ofstream(path_) << text;
    }
    ~Configuration() { std::filesystem::remove(path_); }
    std::string variable() const { return "OPENSSL_CONF=" + path_.string(); }

private:
    std::filesystem::path path_;
};

std::string all_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(CliDoctor, AConfigurationWithTheProvider) {
    const auto diagnosis = diagnose({kActive});
    EXPECT_EQ(diagnosis.exit_code, 0) << diagnosis.document.dump(2);
    for (const char* name : {"loadable", "active", "picked"})
        EXPECT_EQ(diagnosis.verdict(name), "ok") << diagnosis.text(name);
    EXPECT_NE(diagnosis.document.at("verdict"), "fail");
}

TEST(CliDoctor, AConfigurationWithoutTheProvider) {
    const Configuration empty("# nothing\n");
    const auto diagnosis = diagnose({empty.variable()});
    EXPECT_EQ(diagnosis.exit_code, 1);
    EXPECT_EQ(diagnosis.document.at("verdict"), "fail");
    EXPECT_EQ(diagnosis.verdict("loadable"), "ok") << diagnosis.text("loadable");
    EXPECT_EQ(diagnosis.verdict("active"), "fail");
    EXPECT_NE(diagnosis.text("active").find("does not activate it"), std::string::npos) << diagnosis.text("active");
    EXPECT_NE(diagnosis.advice("active").find("OPENSSL_CONF="), std::string::npos) << diagnosis.advice("active");
    EXPECT_EQ(diagnosis.verdict("picked"), "fail");
    for (const char* part :
         {"\"default\"", "RSA signatures", "ECDSA signatures", "ECDH", "X25519 exchange", "Ed25519 signatures"})
        EXPECT_NE(diagnosis.text("picked").find(part), std::string::npos) << diagnosis.text("picked");
}

TEST(CliDoctor, SaysWhichParameterOfItsSectionTheProviderRefuses) {
    auto text = all_of(OCTAVO_OPENSSL_CONF);
    const std::string section = "[octavo_provider]\n";
    text.insert(text.find(section) + section.size(), "polling = times\n");
    const Configuration configuration(text);
    const auto diagnosis = diagnose({configuration.variable()});
    EXPECT_EQ(diagnosis.verdict("active"), "fail");
    EXPECT_NE(diagnosis.text("active").find("polling = times: one of auto, timer"), std::string::npos)
        << diagnosis.text("active");
}

TEST(CliDoctor, AConfigurationThatActivatesButDoesNotPrefer) {
    std::string text = all_of(OCTAVO_OPENSSL_CONF);
    const std::string preference = "?provider=octavo";
    ASSERT_NE(text.find(preference), std::string::npos);
    const Configuration other(text.replace(text.find(preference), preference.size(), "?provider=default"));
    const auto diagnosis = diagnose({other.variable()});
    EXPECT_EQ(diagnosis.exit_code, 1);
    EXPECT_EQ(diagnosis.verdict("active"), "ok") << diagnosis.text("active");
    EXPECT_EQ(diagnosis.verdict("picked"), "fail");
    EXPECT_NE(diagnosis.advice("picked").find("default_properties"), std::string::npos) << diagnosis.advice("picked");
}

TEST(CliDoctor, NoConfigurationFile) {
    const auto diagnosis = diagnose({"OPENSSL_CONF=/nonexistent/openssl.cnf"});
    EXPECT_EQ(diagnosis.exit_code, 1);
    EXPECT_NE(diagnosis.text("active").find("/nonexistent/openssl.cnf"), std::string::npos) << diagnosis.text("active");
}

TEST(CliDoctor, SaysWhyNoFastRowRuns) {
    const auto diagnosis = diagnose({kActive, "OCTAVO_DISABLE_CPU=avx512f,avx512ifma,sse9"});
    EXPECT_EQ(diagnosis.exit_code, 0) << "slow is not broken";
    EXPECT_EQ(diagnosis.verdict("rows"), "warn");
    EXPECT_NE(diagnosis.text("rows").find("avx512ifma"), std::string::npos) << diagnosis.text("rows");
    EXPECT_EQ(diagnosis.verdict("overrides"), "warn");
    EXPECT_NE(diagnosis.text("overrides").find("sse9"), std::string::npos);
}

/// What doctor says of a process that works all the time, once it does.
Json watch(const Words& environment) {
    const Program worker({"speed", "rsa2048-public", "--layer", "api", "--depth", "8", "--seconds", "60"}, environment);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
        const auto process = diagnose({kActive}, "0.5").process(worker.pid());
        if (process != nullptr && process.at("interval").at("submitted") > 0) return process;
    }
    ADD_FAILURE() << "the worker does not show";
    return nullptr;
}

TEST(CliDoctor, AProcessThatOffloads) {
    if (diagnose({kActive}).verdict("rows") != "ok") GTEST_SKIP() << "NOT TESTED: no fast row runs on this CPU";
    const auto process = watch({});
    ASSERT_NE(process, nullptr);
    EXPECT_EQ(process.at("verdict"), "ok") << process;
    EXPECT_EQ(process.at("command"), "octavo");
    EXPECT_EQ(process.at("instances"), 1);
    EXPECT_GT(process.at("interval").at("lane_requests"), 0);
}

TEST(CliDoctor, AProcessThatFallsBackIsToldWhy) {
    const auto process = watch({"OCTAVO_DISABLE_CPU=avx512ifma"});
    ASSERT_NE(process, nullptr);
    EXPECT_EQ(process.at("verdict"), "warn") << process;
    EXPECT_GT(process.at("interval").at("fallback").at("cpu"), 0);
    EXPECT_NE(process.at("text").get<std::string>().find("no fast row on this CPU"), std::string::npos) << process;
    EXPECT_NE(process.at("advice"), "");
}

TEST(CliDoctor, TextHasAVerdictOnEachLine) {
    const auto outcome = run({"doctor", "--seconds", "0.05"}, {"OPENSSL_CONF=/nonexistent/openssl.cnf"});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_NE(outcome.out.find("\nfail  the provider is not active"), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("\n      -> "), std::string::npos) << outcome.out;
    EXPECT_TRUE(outcome.out.starts_with("ok    the provider ")) << outcome.out;
}

}  // namespace
}  // namespace octavo::test
