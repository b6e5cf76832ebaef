// Help that is complete, and mistakes that are named: exit code 2, one line on stderr, nothing on stdout.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>

#include "program.hpp"

namespace octavo::test {
namespace {

struct Mistake {
    Words arguments;
    Words words;  ///< all of them in the message
};

std::string joined(const Words& words) {
    std::string text;
    for (const auto& word : words) text += word + " ";
    return text;
}

const Mistake kMistakes[] = {
    {{}, {"name a subcommand", "info", "speed", "doctor", "load"}},
    {{"spede"}, {"unknown subcommand \"spede\"", "did you mean \"speed\"", "octavo --help"}},
    {{"quite-something-else"}, {"unknown subcommand \"quite-something-else\"", "octavo --help"}},
    {{"--verison"}, {"unknown option \"--verison\"", "--version"}},
    {{"info", "rsa"}, {"\"octavo info\" takes no argument \"rsa\""}},
    {{"info", "--jason"}, {"unknown option \"--jason\"", "--json", "octavo info --help"}},
    {{"info", "speed"}, {"\"octavo info\" takes no argument \"speed\""}},
    {{"speed", "rsa2048-privat"}, {"unknown operation \"rsa2048-privat\"", "\"rsa2048-private\"", "--list"}},
    {{"speed", "des"}, {"unknown operation \"des\"", "--list"}},
    {{"speed", "--lyer", "api"}, {"unknown option \"--lyer\"", "--layer"}},
    {{"speed", "--layer", "kernal"}, {"--layer", "\"kernal\"", "did you mean \"kernel\"", "api", "provider"}},
    {{"speed", "--layer", ""}, {"--layer"}},
    {{"speed", "--layer"}, {"--layer takes one value"}},
    {{"speed", "--depth", "0"}, {"--depth", "\"0\"", "from 1"}},
    {{"speed", "--depth", "8,-4"}, {"--depth", "\"-4\""}},
    {{"speed", "--depth", "4097"}, {"--depth", "\"4097\"", "4096"}},
    {{"speed", "--depth", "99999999999999999999"}, {"--depth", "\"99999999999999999999\""}},
    {{"speed", "--depth", "4x"}, {"--depth", "\"4x\""}},
    {{"speed", "--depth", "1", "--depth", "2"}, {"--depth takes one value, once"}},
    {{"speed", "--seconds", "-1"}, {"--seconds", "\"-1\"", "above 0"}},
    {{"speed", "--seconds", "0"}, {"--seconds", "\"0\""}},
    {{"speed", "--seconds", "nan"}, {"--seconds", "\"nan\""}},
    {{"speed", "--seconds", "1e99"}, {"--seconds", "\"1e99\""}},
    {{"speed", "--cpu", "1000"}, {"--cpu", "1000"}},
    {{"speed", "--cpu", "-1"}, {"--cpu", "\"-1\""}},
    {{"speed", "--json", "/nonexistent/file"}, {"--json", "/nonexistent/file", "No such file"}},
    {{"speed", "--json", "/"}, {"--json", "directory"}},
    {{"speed", "--sync"}, {"--sync", "--layer provider"}},
    {{"speed", "--sync", "--layer", "provider", "--depth", "2"}, {"--sync", "--depth"}},
    {{"doctor", "--seconds", "-0.5"}, {"--seconds", "\"-0.5\""}},
    {{"doctor", "--seconds=soon"}, {"--seconds", "\"soon\""}},
    {{"doctor", "now"}, {"\"octavo doctor\" takes no argument \"now\""}},
    {{"sections", "SSL"}, {"\"octavo sections\" takes no argument \"SSL\""}},
    {{"fault"}, {"name a fault", "delay", "kill", "list", "clear"}},
    {{"fault", "measure", "--deaths", "0"}, {"--deaths", "from 1", "\"0\""}},
    {{"fault", "kil"}, {"unknown subcommand \"kil\"", "did you mean \"kill\"", "octavo fault --help"}},
    {{"fault", "kill"}, {"--pid", "--all", "octavo fault list"}},
    {{"fault", "kill", "--all", "--pid", "1"}, {"--pid", "--all"}},
    {{"fault", "kill", "--pid", "0"}, {"--pid", "from 1", "\"0\""}},
    {{"fault", "kill", "--pid", "x"}, {"--pid", "\"x\""}},
    {{"fault", "kill", "--pid", "1", "--endpoint", "32"}, {"--endpoint", "0 to 31", "\"32\""}},
    {{"fault", "kill", "--pid", "1", "--operation", "rsa-private"}, {"unknown option \"--operation\""}},
    {{"fault", "delay", "--pid", "1"}, {"--ms"}},
    {{"fault", "delay", "--pid", "1", "--ms", "-1"}, {"--ms", "above 0", "\"-1\""}},
    {{"fault", "restart", "--pid", "1", "--ms", "3600001"}, {"--ms", "3600000"}},
    {{"fault", "error", "--pid", "1", "--percent", "101"}, {"--percent", "at most 100", "\"101\""}},
    {{"fault", "hang", "--pid", "1", "--operation", "rsa-privat"},
     {"--operation", "\"rsa-privat\"", "did you mean \"rsa-private\"", "eddsa-verify"}},
    {{"fault", "list", "--jsn"}, {"unknown option \"--jsn\"", "--json"}},
    {{"config"}, {"octavo config check", "octavo config explain"}},
    {{"config", "chek"}, {"unknown subcommand \"chek\"", "did you mean \"check\"", "octavo config --help"}},
    {{"config", "explain", "--jsn"}, {"unknown option \"--jsn\"", "--json", "octavo config explain --help"}},
};

TEST(CliUsage, MistakesAreNamed) {
    for (const auto& mistake : kMistakes) {
        SCOPED_TRACE("octavo " + joined(mistake.arguments));
        const auto outcome = run(mistake.arguments);
        EXPECT_EQ(outcome.exit_code, 2);
        EXPECT_EQ(outcome.out, "");
        EXPECT_TRUE(outcome.err.starts_with("octavo: ") && is_one_line(outcome.err)) << outcome.err;
        for (const auto& word : mistake.words)
            EXPECT_NE(outcome.err.find(word), std::string::npos) << word << " in " << outcome.err;
    }
}

TEST(CliUsage, HelpNamesEveryOption) {
    const struct {
        Words arguments, words;
    } helps[] = {
        {{"--help"}, {"info", "speed", "doctor", "load", "config", "sections", "fault", "--version"}},
        {{"info", "--help"}, {"--json"}},
        {{"speed", "--help"},
         {"op", "--layer", "--depth", "--seconds", "--json", "--cpu", "--sync", "--list", "--limit"}},
        {{"doctor", "-h"}, {"--json", "--seconds"}},
        {{"sections", "--help"}, {"--json"}},
        {{"fault", "--help"}, {"delay", "error", "hang", "restart", "kill", "list", "clear"}},
        {{"fault", "delay", "--help"}, {"--pid", "--all", "--endpoint", "--operation", "--ms"}},
    };
    for (const auto& help : helps) {
        SCOPED_TRACE(joined(help.arguments));
        const auto outcome = run(help.arguments);
        EXPECT_EQ(outcome.exit_code, 0);
        EXPECT_EQ(outcome.err, "");
        for (const auto& word : help.words) EXPECT_NE(outcome.out.find(word), std::string::npos) << word;
    }
}

Words long_options(const std::string& help) {
    Words options;
    const std::regex pattern("--([a-z]+)");
    for (std::sregex_iterator match(help.begin(), help.end(), pattern), end; match != end; ++match)
        options.push_back((*match)[1]);
    return options;
}

TEST(CliUsage, ManualPagesHaveEveryOption) {
    for (const std::string command : {"info", "speed", "doctor", "load", "sections"}) {
        std::ifstream file(OCTAVO_MAN_PAGES "octavo-" + command + ".1");
        const std::string page{std::istreambuf_iterator<char>(file), {}};
        const auto options = long_options(run({command, "--help"}).out);
        EXPECT_GE(options.size(), 2U);
        for (const auto& option : options)
            EXPECT_TRUE(std::regex_search(page, std::regex("\n\\.It Fl [^\n]*-" + option + "\\b")))
                << command << " --" << option;
    }
}

TEST(CliUsage, Version) {
    const auto outcome = run({"--version"});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_TRUE(is_one_line(outcome.out)) << outcome.out;
    EXPECT_TRUE(outcome.out.starts_with("octavo 0.")) << outcome.out;
    EXPECT_NE(outcome.out.find("OpenSSL 3."), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace octavo::test
