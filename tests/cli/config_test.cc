#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/config_test_files.hpp"
#include "program.hpp"

namespace octavo::test {
namespace {

using config::section_text;
using config::TestFolder;
using Json = nlohmann::json;

TEST(CliConfig, ChecksFiles) {
    const TestFolder folder;
    const auto file = folder.write("octavo_dev3.conf", section_text("SSL", 4, true, 1));
    const auto outcome = run({"config", "check", file});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(outcome.out, file + ": ok: endpoint 3, 1 section\n");
}

TEST(CliConfig, NamesEveryMistakeOnALineOfItsOwn) {
    const TestFolder folder;
    const auto good = folder.write("octavo_dev0.conf", section_text("SSL", 4, true, 1));
    const auto bad = folder.write("octavo_dev1.conf", "[SSL]\nNumProceses = 1\nLimitDevAccess = 2\n");
    for (const char* what : {"check", "explain"}) {
        const auto outcome = run({"config", what, good, bad});
        EXPECT_EQ(outcome.exit_code, 1);
        EXPECT_EQ(outcome.out, "");
        EXPECT_EQ(outcome.err, "octavo: " + bad +
                                   ":2: [SSL] NumProceses: no such key here; did you mean \"NumProcesses\"?\n"
                                   "octavo: " +
                                   bad + ":3: [SSL] LimitDevAccess = 2: a whole number from 0 to 1\n");
    }
}

TEST(CliConfig, ExplainsTheWorkedExample) {
    const TestFolder folder;
    const auto text = section_text("SSL", 4, true, 1) + section_text("IPsec", 1, false, 4);
    const auto one = folder.write("octavo_dev0.conf", "[GENERAL]\nConfigVersion = 2\n" + text);
    const auto two = folder.write("octavo_dev1.conf", text);
    const auto plain = run({"config", "explain", one, two});
    EXPECT_EQ(plain.exit_code, 0);
    for (const char* word : {"SSL_DEV0_INT_0 ", "SSL_DEV1_INT_3 ", "IPsec_INT_0 ", "ConfigVersion = 2: without effect"})
        EXPECT_NE(plain.out.find(word), std::string::npos) << word << " in " << plain.out;
    const auto document = Json::parse(run({"config", "explain", "--json", one, two}).out);
    ASSERT_EQ(document.at("sections").size(), 9U);
    EXPECT_EQ(document["sections"][7]["name"], "SSL_DEV1_INT_3");
    EXPECT_EQ(document["sections"][7]["endpoints"], Json({1}));
    EXPECT_EQ(document["sections"][8]["name"], "IPsec_INT_0");
    EXPECT_EQ(document["sections"][8]["crypto"].size(), 8U);
    EXPECT_EQ(document["sections"][8]["crypto"][5]["name"], "IPsec1");
    EXPECT_EQ(document["sections"][8]["crypto"][5]["endpoint"], 1);
    EXPECT_EQ(document["endpoints"][0]["without_effect"][0]["key"], "ConfigVersion");
    EXPECT_EQ(document["endpoints"][0]["without_effect"][0]["line"], 2);
}

TEST(CliConfig, ExplainSaysWhatWillNotComeAbout) {
    const TestFolder folder;
    const auto file = folder.write(
        "c6xx_dev0.conf",
        "[GENERAL]\nServicesEnabled = sym;dc\nCyNumConcurrentAsymRequests = 65536\nPollingMode = timer\n[S]\n"
        "NumCyInstances = 1\nCy0Name = c\nNumDcInstances = 1\nDc0Name = d\n");
    const auto document = Json::parse(run({"config", "explain", "--json", file}).out);
    EXPECT_EQ(document["endpoints"][0]["notes"].size(), 3U) << document;
    EXPECT_EQ(document["endpoints"][0]["ring_size"], 4096);
    EXPECT_EQ(document["sections"][0]["compression"].size(), 1U);
}

TEST(CliConfig, WithoutFilesReadsWhatAProcessWould) {
    const TestFolder folder;
    const auto file = folder.write("octavo_dev0.conf", "");
    EXPECT_EQ(run({"config", "check"}, {"OCTAVO_CONFIG_DIR=" + folder.path()}).out,
              file + ": ok: endpoint 0, 0 sections\n");
    const auto none = run({"config", "explain"}, {"OCTAVO_CONFIG_DIR="});
    EXPECT_EQ(none.exit_code, 1);
    EXPECT_TRUE(is_one_line(none.err)) << none.err;
    EXPECT_NE(none.err.find("there is no configuration"), std::string::npos);
}

}  // namespace
}  // namespace octavo::test
