#include "config/configuration.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "config/config_test_files.hpp"

namespace octavo::config {
namespace {

std::vector<std::string> names_of(const std::vector<InternalSection>& sections) {
    std::vector<std::string> names;
    for (const auto& section : sections) names.push_back(section.name);
    return names;
}

std::string only_error(const Loaded& loaded) {
    EXPECT_EQ(loaded.configuration, nullptr);
    EXPECT_EQ(loaded.errors.size(), 1U);
    return loaded.errors.empty() ? "" : to_string(loaded.errors[0]);
}

/// The worked example of the design.
TEST(ConfigSections, AreThoseOfTheWorkedExample) {
    const TestFolder folder;
    const auto text = section_text("SSL", 4, true, 1) + section_text("IPsec", 1, false, 4);
    const auto loaded = load_texts(folder, {text, text});
    ASSERT_NE(loaded.configuration, nullptr);
    const auto all = internal_sections(*loaded.configuration);
    EXPECT_EQ(names_of(all), (std::vector<std::string>{"SSL_DEV0_INT_0", "SSL_DEV0_INT_1", "SSL_DEV0_INT_2",
                                                       "SSL_DEV0_INT_3", "SSL_DEV1_INT_0", "SSL_DEV1_INT_1",
                                                       "SSL_DEV1_INT_2", "SSL_DEV1_INT_3", "IPsec_INT_0"}));
    for (std::size_t i = 0; i < 8; ++i) {
        ASSERT_EQ(all[i].crypto().size(), 1U);
        EXPECT_EQ(all[i].crypto()[0].endpoint, i / 4);
        EXPECT_EQ(all[i].crypto()[0].name, "SSL0");
    }
    const auto ipsec = all[8].crypto();
    ASSERT_EQ(ipsec.size(), 8U);
    for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(ipsec[i].endpoint, i / 4);
        EXPECT_EQ(ipsec[i].name, "IPsec" + std::to_string(i % 4));
    }
}

struct Shape {
    unsigned endpoints, sections, processes, instances;
    bool limit;
};

void check_shape(const Shape& shape) {
    SCOPED_TRACE(testing::Message() << shape.endpoints << " endpoints, " << shape.sections << " sections, "
                                    << shape.processes << " processes, " << shape.instances << " instances, limit "
                                    << shape.limit);
    const TestFolder folder;
    std::string text;
    for (unsigned s = 0; s < shape.sections; ++s)
        text += section_text("S" + std::to_string(s), shape.processes, shape.limit, shape.instances);
    const auto loaded = load_texts(folder, std::vector<std::string>(shape.endpoints, text));
    ASSERT_NE(loaded.configuration, nullptr);
    std::vector<std::string> expected;
    for (unsigned s = 0; s < shape.sections; ++s)
        for (unsigned e = 0; e < (shape.limit ? shape.endpoints : 1); ++e)
            for (unsigned p = 0; p < shape.processes; ++p)
                expected.push_back("S" + std::to_string(s) + (shape.limit ? "_DEV" + std::to_string(e) : "") + "_INT_" +
                                   std::to_string(p));
    const auto all = internal_sections(*loaded.configuration);
    EXPECT_EQ(names_of(all), expected);
    for (const auto& one : all) {
        EXPECT_EQ(one.crypto().size(), shape.instances * (shape.limit ? 1 : shape.endpoints));
        EXPECT_TRUE(one.compression().empty());
    }
}

TEST(ConfigSections, Matrix) {
    for (unsigned endpoints = 1; endpoints <= 4; ++endpoints)
        for (unsigned sections = 1; sections <= 4; ++sections)
            for (const unsigned processes : {0U, 1U, 3U})
                for (const unsigned instances : {0U, 1U, 2U})
                    for (const bool limit : {false, true})
                        check_shape({endpoints, sections, processes, instances, limit});
}

TEST(ConfigSections, OfSomeEndpointsOnly) {
    const TestFolder folder;
    const auto loaded = load_texts(folder, {"", section_text("SSL", 2, true, 1), section_text("SSL", 1, true, 3)});
    ASSERT_NE(loaded.configuration, nullptr);
    const auto all = internal_sections(*loaded.configuration, "SSL");
    EXPECT_EQ(names_of(all), (std::vector<std::string>{"SSL_DEV1_INT_0", "SSL_DEV1_INT_1", "SSL_DEV2_INT_0"}));
    EXPECT_EQ(all[2].crypto().size(), 3U);
    EXPECT_TRUE(internal_sections(*loaded.configuration, "IPsec").empty());
}

TEST(ConfigSections, ProcessesShareOutTheCores) {
    const TestFolder folder;
    const auto loaded = load_texts(
        folder, {"[S]\nNumProcesses = 3\nNumCyInstances = 2\nCy0Name = a\nCy0CoreAffinity = 4,6-7\nCy1Name = b\n"});
    ASSERT_NE(loaded.configuration, nullptr);
    const auto all = internal_sections(*loaded.configuration);
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].crypto()[0].cores->first, 4U);
    EXPECT_EQ(all[1].crypto()[0].cores->first, 6U);
    EXPECT_EQ(all[1].crypto()[0].cores->last, 7U);
    EXPECT_EQ(all[2].crypto()[0].cores->first, 4U);
    EXPECT_FALSE(all[0].crypto()[1].cores.has_value());
}

TEST(ConfigFiles, EndpointsMustAgree) {
    const TestFolder folder;
    const auto limit = load_texts(folder, {section_text("S", 1, true, 1), "\n" + section_text("S", 1, false, 1)});
    EXPECT_EQ(only_error(limit), folder.file("octavo_dev1.conf") + ":2: [S] LimitDevAccess is 0 here and 1 in " +
                                     folder.file("octavo_dev0.conf") + ":1");
    const auto processes = load_texts(folder, {section_text("S", 1, false, 1), section_text("S", 2, false, 1)});
    EXPECT_EQ(only_error(processes),
              folder.file("octavo_dev1.conf") +
                  ":1: [S] NumProcesses (LimitDevAccess = 0: one list over all endpoints) is 2 here and 1 in " +
                  folder.file("octavo_dev0.conf") + ":1");
}

TEST(ConfigFiles, AnEndpointHasOneFile) {
    const TestFolder folder;
    const auto one = folder.write("octavo_dev0.conf", ""), two = folder.write("c6xx_dev0.conf", "");
    EXPECT_EQ(only_error(load_files({one, two})),
              two + ": describes endpoint 0, as " + one + " does; remove or rename one of the two");
}

TEST(ConfigFiles, InternalNamesMustDiffer) {
    const TestFolder folder;
    EXPECT_EQ(only_error(load_texts(folder, {section_text("SSL", 1, true, 0) + section_text("SSL_DEV0", 1, false, 0)})),
              folder.file("octavo_dev0.conf") +
                  ":5: [SSL_DEV0]: its processes' section SSL_DEV0_INT_0 is also one of [SSL]; rename one of the two");
}

TEST(ConfigFiles, ThatCannotBeReadSayWhy) {
    const TestFolder folder;
    const auto missing = folder.file("octavo_dev0.conf");
    EXPECT_EQ(only_error(load_files({missing})), missing + ": cannot be read: No such file or directory");
    std::filesystem::create_directory(missing);
    EXPECT_EQ(only_error(load_files({missing})), missing + ": cannot be read: Is a directory");
    const auto pipe = folder.file("octavo_dev1.conf");
    ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_EQ(only_error(load_files({pipe})), pipe + ": cannot be read: Invalid argument");
    const auto large = folder.write("octavo_dev2.conf", std::string(kMaxFile + 1, '\n'));
    EXPECT_EQ(only_error(load_files({large})), large + ": cannot be read: File too large");
    const auto odd = folder.write("octavo.conf", "");
    EXPECT_EQ(only_error(load_files({odd})),
              odd + ": a file's name is <device>_dev<N>.conf, with N from 0 to 31: octavo_dev0.conf");
}

TEST(ConfigFiles, WithOneMistakeNothingIsApplied) {
    const TestFolder folder;
    const auto loaded = load_texts(folder, {section_text("SSL", 1, true, 1), "[SSL]\nNumProcesses = 1\nCy0Nmae = x\n"});
    EXPECT_EQ(only_error(loaded),
              folder.file("octavo_dev1.conf") + ":3: [SSL] Cy0Nmae: no such key here; did you mean \"Cy0Name\"?");
}

class ConfigFolder : public testing::Test {
protected:
    ~ConfigFolder() override { unsetenv("OCTAVO_CONFIG_DIR"); }
    Loaded load(const std::string& folder) {
        setenv("OCTAVO_CONFIG_DIR", folder.c_str(), 1);
        return load_system();
    }
    TestFolder folder_;
};

TEST_F(ConfigFolder, HoldsEndpointFilesAndOthers) {
    folder_.write("octavo_dev10.conf", section_text("A", 1, true, 1));
    folder_.write("octavo_dev9.conf", section_text("B", 1, true, 1));
    folder_.write("README", "no endpoint");
    const auto loaded = load(folder_.path());
    ASSERT_NE(loaded.configuration, nullptr);
    ASSERT_EQ(loaded.configuration->endpoints.size(), 2U);
    EXPECT_EQ(loaded.configuration->endpoints[0].number, 9U);
    EXPECT_EQ(section_names(*loaded.configuration), (std::vector<std::string>{"B", "A"}));
    EXPECT_EQ(loaded.where, folder_.path());
}

TEST_F(ConfigFolder, ThatWasNamedMustHoldSome) {
    EXPECT_EQ(only_error(load(folder_.path())),
              folder_.path() + ": OCTAVO_CONFIG_DIR names this folder, and it has no octavo_dev0.conf");
    EXPECT_EQ(only_error(load(folder_.file("none"))),
              folder_.file("none") + ": cannot be read: No such file or directory");
}

TEST_F(ConfigFolder, EmptyMeansNone) {
    const auto loaded = load("");
    EXPECT_EQ(loaded.configuration, nullptr);
    EXPECT_TRUE(loaded.errors.empty());
}

}  // namespace
}  // namespace octavo::config
