#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "program.hpp"

namespace octavo::test {
namespace {

using Json = nlohmann::json;

Json info(const Words& environment = {}) {
    const auto outcome = run({"info", "--json"}, environment);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Json::parse(outcome.out);
}

Json row_of(const Json& document, const std::string& name) {
    for (const auto& row : document.at("rows"))
        if (row.at("row") == name) return row;
    ADD_FAILURE() << "no row " << name;
    return {};
}

bool names(const Json& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

bool mentions(const Json& text, const std::string& word) {
    return text.get<std::string>().find(word) != std::string::npos;
}

/// The first lane row that runs here without overrides, or "" on a CPU that has none.
std::string lane_row() {
    const auto document = info();
    for (const auto& row : document.at("rows"))
        if (row.at("chosen") == true && row.at("row") != "ref") return row.at("row");
    return {};
}

TEST(CliInfo, SaysWhereEverythingIs) {
    const auto document = info();
    for (const char* part : {"library", "provider", "openssl"})
        EXPECT_TRUE(std::filesystem::is_regular_file(document.at(part).at("path").get<std::string>())) << part;
    EXPECT_EQ(document.at("library").at("version"), document.at("version"));
    EXPECT_EQ(document.at("provider").at("loadable"), true) << document.at("provider");
    EXPECT_EQ(document.at("provider").at("version"), document.at("version"));
    EXPECT_TRUE(document.at("openssl").at("version").get<std::string>().starts_with("3."));
    EXPECT_EQ(document.at("forced_row"), nullptr);
    EXPECT_EQ(document.at("warnings").size(), 0U);
}

TEST(CliInfo, EveryFeatureIsDetectedOrAbsent) {
    const auto cpu = info().at("cpu");
    EXPECT_EQ(cpu.at("detected").size() + cpu.at("absent").size(), 11U);
    EXPECT_EQ(cpu.at("disabled").size(), 0U);
    EXPECT_NE(cpu.at("model"), "");
}

TEST(CliInfo, EveryKernelHasItsRows) {
    const auto rows = info().at("rows");
    for (const char* table : {"rsa", "p256", "p384", "x25519", "ed25519", "modexp"}) {
        Words found;
        for (const auto& row : rows) {
            if (row.at("table") != table) continue;
            found.push_back(row.at("row"));
            EXPECT_NE(row.at("why"), "") << table;
        }
        ASSERT_GE(found.size(), 2U) << table;
        EXPECT_EQ(found.back(), "ref") << table;
    }
}

TEST(CliInfo, ADisabledFeatureTakesItsRowsAway) {
    if (lane_row().empty()) GTEST_SKIP() << "NOT TESTED: no lane row runs on this CPU";
    const auto document = info({"OCTAVO_DISABLE_CPU=avx512ifma"});
    EXPECT_TRUE(names(document.at("cpu").at("disabled"), "avx512ifma"));
    const auto lane = row_of(document, lane_row());
    EXPECT_EQ(lane.at("chosen"), false);
    EXPECT_EQ(lane.at("usable"), false);
    EXPECT_TRUE(mentions(lane.at("why"), "OCTAVO_DISABLE_CPU takes avx512ifma away")) << lane;
    const auto ref = row_of(document, "ref");
    EXPECT_EQ(ref.at("chosen"), true);
    EXPECT_TRUE(mentions(ref.at("why"), "no lane row can run")) << ref;
}

TEST(CliInfo, AForcedRowTakesOthersAway) {
    if (lane_row().empty()) GTEST_SKIP() << "NOT TESTED: no lane row runs on this CPU";
    const auto document = info({"OCTAVO_FORCE_ROW=ref"});
    EXPECT_EQ(document.at("forced_row"), "ref");
    EXPECT_TRUE(mentions(row_of(document, lane_row()).at("why"), "OCTAVO_FORCE_ROW asks for \"ref\""));
    EXPECT_EQ(document.at("warnings").size(), 0U);
}

Json offer_of(const Json& document, const std::string& front_end, const std::string& name) {
    for (const auto& offer : document.at("offers"))
        if (offer.at("front_end") == front_end && offer.at("name") == name) return offer;
    ADD_FAILURE() << front_end << " has no " << name;
    return {};
}

TEST(CliInfo, EveryCipherAndDerivationIsOfferedOrSaysWhyNot) {
    const auto document = info();
    EXPECT_EQ(document.at("offers").size(), 22U);
    for (const auto& offer : document.at("offers")) EXPECT_NE(offer.at("why"), "") << offer;
    for (const char* front_end : {"provider", "engine"})
        for (const char* name : {"HKDF", "TLS1-PRF"}) {
            const auto offer = offer_of(document, front_end, name);
            EXPECT_EQ(offer.at("offered"), true) << offer;
            EXPECT_EQ(offer.at("needs").size(), 0U);
        }
    EXPECT_EQ(offer_of(document, "provider", "TLS13-KDF").at("offered"), true);
    EXPECT_TRUE(mentions(offer_of(document, "engine", "TLS13-KDF").at("why"), "no engine"));
    EXPECT_TRUE(mentions(offer_of(document, "provider", "AES-128-CBC-HMAC-SHA1").at("why"), "pipelines"));
}

TEST(CliInfo, ADisabledFeatureTakesItsCiphersAway) {
    const auto before = offer_of(info(), "provider", "AES-128-GCM");
    if (before.at("offered") == false) GTEST_SKIP() << "NOT TESTED: " << before.at("why");
    const auto document = info({"OCTAVO_DISABLE_CPU=vaes"});
    constexpr std::pair<const char*, const char*> kTaken[] = {{"provider", "AES-128-GCM"},
                                                              {"provider", "ChaCha20-Poly1305"},
                                                              {"engine", "AES-256-GCM"},
                                                              {"engine", "AES-256-CBC-HMAC-SHA256"}};
    for (const auto& [front_end, name] : kTaken) {
        const auto offer = offer_of(document, front_end, name);
        EXPECT_EQ(offer.at("offered"), false) << offer;
        if (std::string(name) != "ChaCha20-Poly1305") {
            EXPECT_EQ(offer.at("why"), "OCTAVO_DISABLE_CPU takes vaes away") << offer;
        }
    }
    EXPECT_EQ(offer_of(document, "provider", "HKDF").at("offered"), true);
    const auto text = run({"info"}, {"OCTAVO_DISABLE_CPU=vaes"}).out;
    EXPECT_NE(text.find("AES-128-GCM             provider not offered OCTAVO_DISABLE_CPU takes vaes away"),
              std::string::npos)
        << text;
}

TEST(CliInfo, WarnsOfNamesThatMeanNothing) {
    const auto document = info({"OCTAVO_DISABLE_CPU=avx512ifma,avx1024", "OCTAVO_FORCE_ROW=fastest"});
    ASSERT_EQ(document.at("warnings").size(), 2U);
    EXPECT_TRUE(mentions(document.at("warnings")[0], "\"avx1024\""));
    EXPECT_TRUE(mentions(document.at("warnings")[1], "\"fastest\""));
}

TEST(CliInfo, TextSaysTheSame) {
    const auto outcome = run({"info"}, {"OCTAVO_DISABLE_CPU=adx,avx1024"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    for (const char* word : {"liboctavo.so", "ossl-modules/octavo.so", "libcrypto.so", "detected", "ref", "avx1024"})
        EXPECT_NE(outcome.out.find(word), std::string::npos) << word;
}

}  // namespace
}  // namespace octavo::test
