// Who holds which internal section: seen from outside, in files of this test's own folders.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <thread>

#include "config/config_test_files.hpp"
#include "program.hpp"

namespace octavo::test {
namespace {

using config::section_text;
using config::TestFolder;
using Json = nlohmann::json;

/// A folder with a configuration of two internal sections, and the locks in it.
struct Setting {
    TestFolder folder;
    Setting() { folder.write("octavo_dev0.conf", section_text("SSL", 2, true, 1)); }
    Words environment() const {
        return {"OCTAVO_CONFIG_DIR=" + folder.path(), "OCTAVO_RUN_DIR=" + folder.path(),
                "OCTAVO_STATS_DIR=" + folder.path()};
    }
    Json sections() const {
        const auto outcome = run({"sections", "--json"}, environment());
        EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
        return Json::parse(outcome.out, nullptr, false);
    }
    /// Answers once so many are held.
    Json sections_when_held(std::size_t count) const {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        for (;;) {
            auto document = sections();
            if (document.at("held").size() == count || std::chrono::steady_clock::now() > deadline) return document;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
    /// Of the first holder's endpoints, once it has an instance.
    Json states_when_shown() const {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        for (;;) {
            auto states = sections().at("held").at(0).at("endpoints");
            if (!states.empty() || std::chrono::steady_clock::now() > deadline) return states;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
};

/// A process that holds one of [SSL] and works.
class Worker {
public:
    explicit Worker(const Setting& setting)
        : program_({"speed", "rsa2048-public", "--layer", "provider", "--depth", "2", "--seconds", "60"},
                   with_section(setting.environment())) {}
    pid_t pid() const { return program_.pid(); }

private:
    static Words with_section(Words environment) {
        environment.insert(environment.end(), {"OCTAVO_SECTION=SSL", "OPENSSL_CONF=" OCTAVO_OPENSSL_CONF});
        return environment;
    }
    Program program_;
};

TEST(CliSections, NobodyHoldsAny) {
    const Setting setting;
    const auto outcome = run({"sections"}, setting.environment());
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(outcome.out, "no process holds a section\n[SSL] 0 of 2 taken\n");
}

TEST(CliSections, NamesTheHolder) {
    const Setting setting;
    const auto before = std::time(nullptr);
    const Worker worker{setting};
    const auto document = setting.sections_when_held(1);
    ASSERT_EQ(document.at("held").size(), 1U);
    const auto& held = document["held"][0];
    EXPECT_EQ(held.at("name"), "SSL_DEV0_INT_0");
    EXPECT_EQ(held.at("process"), 0);
    EXPECT_EQ(held.at("pid"), worker.pid());
    EXPECT_EQ(held.at("command"), "octavo");
    EXPECT_GE(held.at("since"), before - 1);
    EXPECT_LE(held.at("since"), std::time(nullptr) + 1);
    EXPECT_EQ(held.at("folder"), setting.folder.path());
    EXPECT_EQ(setting.states_when_shown(), Json::parse(R"([{"endpoint": 0, "state": "up"}])"));
    EXPECT_EQ(document.at("configured"), Json({{{"section", "SSL"}, {"taken", 1}, {"of", 2}}}));
    const auto text = run({"sections"}, setting.environment()).out;
    for (const auto& word : {setting.folder.path() + "\n", std::string{"SSL_DEV0_INT_0 "},
                             " " + std::to_string(worker.pid()) + " octavo ", std::string{"[SSL] 1 of 2 taken\n"}})
        EXPECT_NE(text.find(word), std::string::npos) << word << " in " << text;
}

/// What doctor says of a process once it has worked.
Json diagnosed(const Setting& setting, pid_t pid) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
        const auto outcome = run({"doctor", "--json", "--seconds", "0.1"}, setting.environment());
        const auto document = Json::parse(outcome.out, nullptr, false);
        for (const auto& process : document.at("processes"))
            if (process.at("pid") == pid && process.at("total").at("submitted") > 0) return process;
    }
    ADD_FAILURE() << "process " << pid << " does not show";
    return {};
}

TEST(CliSections, DoctorTellsTheSectionOrWhyThereIsNone) {
    const Setting setting;
    setting.folder.write("octavo_dev0.conf", section_text("SSL", 1, true, 1));
    const Worker holder{setting};
    ASSERT_EQ(setting.sections_when_held(1).at("held").size(), 1U);
    const Worker other{setting};
    const auto has = diagnosed(setting, holder.pid()), has_not = diagnosed(setting, other.pid());
    EXPECT_EQ(has.at("section"), Json({{"state", "held"}, {"name", "SSL_DEV0_INT_0"}, {"reason", ""}}));
    EXPECT_FALSE(has.at("total").at("fallback").contains("section")) << has;
    EXPECT_EQ(has_not.at("section").at("state"), "denied");
    EXPECT_EQ(has_not.at("section").at("reason"),
              "all 1 internal sections of [SSL] are taken; raise NumProcesses, or see with \"octavo sections\" who "
              "holds them");
    EXPECT_EQ(has_not.at("verdict"), "warn");
    EXPECT_GT(has_not.at("total").at("fallback").at("section"), 0);
    EXPECT_EQ(has_not.at("total").at("lane_requests"), 0);
    const auto text = run({"doctor", "--seconds", "0.05"}, setting.environment()).out;
    EXPECT_NE(text.find(", no section (all 1 internal"), std::string::npos) << text;
    EXPECT_NE(text.find(", section SSL_DEV0_INT_0: "), std::string::npos) << text;
}

TEST(CliSections, AHolderThatWasKilledHoldsNothing) {
    const Setting setting;
    {
        const Worker worker{setting};
        ASSERT_EQ(setting.sections_when_held(1).at("held").size(), 1U);
    }
    EXPECT_EQ(setting.sections().at("held").size(), 0U);
}

/// In a shared folder others make files of any name.
TEST(CliSections, FilesOfOtherNamesSayNothing) {
    const Setting setting;
    for (const char* name : {"SSL.lock", "_INT_x.lock", "SSL_INT_99999.lock", "S\x1b[31m_INT_0.lock", "SSL_INT_0"})
        setting.folder.write(name, "");
    EXPECT_EQ(run({"sections"}, setting.environment()).out, "no process holds a section\n[SSL] 0 of 2 taken\n");
}

TEST(CliSections, SaysWhatItCannotLookAt) {
    const Setting setting;
    setting.folder.write("octavo_dev0.conf", "[SSL]\nx = 1\n");
    symlink("/nowhere", setting.folder.file("SSL_INT_0.lock").c_str());
    const auto outcome = run({"sections"}, setting.environment());
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_EQ(outcome.out, "no process holds a section\n");
    EXPECT_NE(outcome.err.find("octavo: " + setting.folder.file("SSL_INT_0.lock") + ": Too many levels"),
              std::string::npos)
        << outcome.err;
    EXPECT_NE(outcome.err.find(":2: [SSL] x: no such key here"), std::string::npos) << outcome.err;
}

TEST(CliSections, AFolderThatIsNotThereHoldsNothing) {
    const Setting setting;
    const auto outcome = run({"sections"}, {"OCTAVO_CONFIG_DIR=", "OCTAVO_RUN_DIR=" + setting.folder.file("none")});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "no process holds a section\n");
}

}  // namespace
}  // namespace octavo::test
