// octavo fault on running processes: this one, which has an instance and allows faults, and others that do not.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <octavo/octavo.hpp>

#include "program.hpp"

namespace octavo::test {
namespace {

class CliFault : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        char folder[] = "/tmp/octavo-fault-XXXXXX";
        ASSERT_NE(mkdtemp(folder), nullptr);
        folder_ = folder;
        setenv("OCTAVO_STATS_DIR", folder, 1);
        setenv("OCTAVO_FAULTS", "1", 1);
        instance_ = std::make_unique<Instance>(*Instance::create({.name = "here", .driver = Driver::in_line}));
    }
    static void TearDownTestSuite() {
        instance_.reset();
        ASSERT_EQ(std::system(("rm -r " + folder_).c_str()), 0);
    }
    static Outcome fault(Words arguments) {
        arguments.insert(arguments.begin(), "fault");
        return run(arguments, {"OCTAVO_STATS_DIR=" + folder_});
    }
    static std::uint32_t state() {
        std::uint32_t state = 99;
        EXPECT_EQ(octavo_instance_state(instance_->handle(), &state), OCTAVO_OK);
        return state;
    }
    static std::string here() { return std::to_string(getpid()); }
    /// This process in `octavo fault list --json`.
    static nlohmann::json listed() { return of_here(nlohmann::json::parse(fault({"list", "--json"}).out)); }
    static nlohmann::json of_here(const nlohmann::json& document) {
        for (const auto& process : document.at("processes"))
            if (process["pid"] == getpid()) return process;
        return {};
    }
    static void expect_failure(const Words& arguments, const std::string& word) {
        const auto outcome = fault(arguments);
        EXPECT_EQ(outcome.exit_code, 1);
        EXPECT_TRUE(is_one_line(outcome.err)) << outcome.err;
        EXPECT_NE(outcome.err.find(word), std::string::npos) << outcome.err;
    }

    static std::string folder_;
    static std::unique_ptr<Instance> instance_;
};
std::string CliFault::folder_;
std::unique_ptr<Instance> CliFault::instance_;

TEST_F(CliFault, KillAndClear) {
    ASSERT_EQ(fault({"kill", "--pid", here(), "--endpoint", "0"}).exit_code, 0);
    EXPECT_EQ(state(), OCTAVO_ENDPOINT_DOWN) << "the command returns when the process has followed";
    const auto process = listed();
    EXPECT_EQ(process["endpoints"], nlohmann::json::parse(R"([{"endpoint": 0, "state": "down"}])"));
    EXPECT_EQ(process["faults"], nlohmann::json::parse(R"([{"kind": "kill", "endpoint": 0, "operation": null}])"));
    EXPECT_NE(fault({"list"}).out.find("kill, endpoint 0\n"), std::string::npos);
    const auto doctor = run({"doctor", "--seconds", "0.1"}, {"OCTAVO_STATS_DIR=" + folder_});
    EXPECT_NE(doctor.out.find("endpoint 0 is down"), std::string::npos) << doctor.out;
    const auto info = run({"info"}, {"OCTAVO_STATS_DIR=" + folder_});
    EXPECT_NE(info.out.find(here() + " cli_fault_test   0 down\n"), std::string::npos) << info.out;
    const auto document = nlohmann::json::parse(run({"info", "--json"}, {"OCTAVO_STATS_DIR=" + folder_}).out);
    EXPECT_EQ(of_here(document)["endpoints"], nlohmann::json::parse(R"([{"endpoint": 0, "state": "down"}])"));
    ASSERT_EQ(fault({"clear", "--pid", here()}).exit_code, 0);
    EXPECT_EQ(state(), OCTAVO_ENDPOINT_UP);
    EXPECT_TRUE(listed()["faults"].empty());
}

TEST_F(CliFault, FaultsByOperation) {
    ASSERT_EQ(fault({"delay", "--all", "--operation", "rsa-private", "--ms", "2.5"}).exit_code, 0);
    ASSERT_EQ(fault({"error", "--pid", here(), "--percent", "12.5"}).exit_code, 0);
    ASSERT_EQ(fault({"error", "--pid", here(), "--percent", "25"}).exit_code, 0);
    const auto out = fault({"list"}).out;
    EXPECT_NE(out.find("delay of 2.5 ms, every endpoint, rsa-private\n"), std::string::npos) << out;
    EXPECT_NE(out.find("error in 25 %, every endpoint\n"), std::string::npos) << out;
    EXPECT_EQ(out.find("12.5"), std::string::npos) << "the second takes the first one's place";
    ASSERT_EQ(fault({"clear", "--pid", here(), "--operation", "rsa-private"}).exit_code, 0);
    EXPECT_EQ(listed()["faults"].size(), 1U);
    ASSERT_EQ(fault({"clear", "--all"}).exit_code, 0);
    EXPECT_TRUE(listed()["faults"].empty());
}

TEST_F(CliFault, ARestartEndsByItself) {
    ASSERT_EQ(fault({"restart", "--pid", here(), "--ms", "300"}).exit_code, 0);
    EXPECT_EQ(state(), OCTAVO_ENDPOINT_RESTARTING);
    while (state() != OCTAVO_ENDPOINT_UP) usleep(1000);
}

TEST_F(CliFault, ThereIsRoomForSoMany) {
    for (int endpoint = 0; endpoint < 32; ++endpoint)
        ASSERT_EQ(fault({"kill", "--pid", here(), "--endpoint", std::to_string(endpoint)}).exit_code, 0);
    expect_failure({"kill", "--pid", here()}, "clear some");
    ASSERT_EQ(fault({"clear", "--pid", here()}).exit_code, 0);
}

TEST_F(CliFault, ProcessesThatDoNotAllowIt) {
    expect_failure({"kill", "--pid", "1"}, "does not allow faults");
    expect_failure({"kill", "--pid", "4194304"}, "no such process");
    expect_failure({"kill", "--pid", here() + ",4194304"}, "process 4194304: ");
    ASSERT_EQ(fault({"clear", "--pid", here()}).exit_code, 0);
}

TEST_F(CliFault, AProcessThatIsStopped) {
    const auto child = fork();
    if (child == 0) {
        const auto own = Instance::create({.name = "child"});
        for (;;) pause();
    }
    const auto pid = std::to_string(child);
    while (fault({"clear", "--pid", pid}).exit_code != 0) usleep(10'000);
    kill(child, SIGSTOP);
    waitpid(child, nullptr, WUNTRACED);
    expect_failure({"hang", "--pid", pid}, "does not answer");
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    expect_failure({"kill", "--pid", pid}, "no such process");
    EXPECT_EQ(fault({"list"}).out.find("process " + pid), std::string::npos);
}

/// Every result is checked by the program. The times are a machine's own, and printed alone.
TEST_F(CliFault, DeathsAreMeasured) {
    const auto outcome = fault({"measure", "--deaths", "3", "--json"});
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const auto document = nlohmann::json::parse(outcome.out);
    EXPECT_EQ(document["deaths"], 3);
    EXPECT_EQ(document["lost"], 0);
    ASSERT_EQ(document["drivers"].size(), 3U);
    for (const auto& driver : document["drivers"]) {
        EXPECT_GT(driver["least_ms"], 0.0);
        EXPECT_LE(driver["least_ms"], driver["median_ms"]);
        EXPECT_LE(driver["median_ms"], driver["worst_ms"]);
    }
    const auto out = fault({"measure", "--deaths", "1"}).out;
    EXPECT_NE(out.find("\nthreads "), std::string::npos) << out;
    const auto blind = run({"fault", "measure"}, {"OCTAVO_STATS_DIR="});
    EXPECT_EQ(blind.exit_code, 1);
    EXPECT_NE(blind.err.find("OCTAVO_STATS_DIR"), std::string::npos) << blind.err;
}

TEST_F(CliFault, AFileThatIsNone) {
    const auto path = folder_ + "/1.faults";
    ASSERT_EQ(std::system(("head -c 1000 /dev/urandom > " + path).c_str()), 0);
    expect_failure({"kill", "--pid", "1"}, "does not allow faults");
    EXPECT_EQ(fault({"list"}).exit_code, 0);
    unlink(path.c_str());
}

}  // namespace
}  // namespace octavo::test
