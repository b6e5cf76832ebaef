#include <gtest/gtest.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "octavo/octavo.h"
#include "section_child.hpp"

/// The parameters of the provider's section in openssl.cnf.
namespace {

struct Free {
    void operator()(OSSL_LIB_CTX* context) const { OSSL_LIB_CTX_free(context); }
};
using Context = std::unique_ptr<OSSL_LIB_CTX, Free>;

struct Unload {
    void operator()(OSSL_PROVIDER* provider) const { OSSL_PROVIDER_unload(provider); }
};

/// A provider section with these lines, and the provider loaded as it says, or the text of the error that is Octavo's. By a call: OpenSSL throws
/// the errors of those away that the configuration activates.
struct Loaded {
    Context context{OSSL_LIB_CTX_new()};
    std::unique_ptr<OSSL_PROVIDER, Unload> provider;  // ends before the context, which it would keep
    bool is_good = false;
    std::string error;

    explicit Loaded(const std::string& lines) {
        const auto path = testing::TempDir() + "octavo-settings-" + std::to_string(getpid()) + ".cnf";
        std::ofstream(path)
            << "openssl_conf = init\n[init]\nproviders = providers\n[providers]\noctavo = octavo_section\n"
               "default = default_section\n[default_section]\nactivate = 1\n[octavo_section]\nmodule = " OCTAVO_MODULES
               "/octavo.so\n"
            << lines;
        ERR_clear_error();
        if (OSSL_LIB_CTX_load_config(context.get(), path.c_str()) == 1)
            provider.reset(OSSL_PROVIDER_load(context.get(), "octavo"));
        is_good = provider != nullptr;
        const char* text = nullptr;
        int flags = 0;
        while (ERR_get_error_all(nullptr, nullptr, nullptr, &text, &flags) != 0)
            if ((flags & ERR_TXT_STRING) != 0 && error.empty()) error = text;
        std::remove(path.c_str());
    }
};

octavo_polling now() {
    octavo_polling polling{};
    polling.size = sizeof polling;
    EXPECT_EQ(octavo_polling_get(&polling), OCTAVO_OK);
    return polling;
}

class ProviderSettings : public testing::Test {
protected:
    void SetUp() override { reset(); }
    void TearDown() override { reset(); }
    static void reset() {
        octavo_polling_reset();
        octavo_retry_limit_set(8);
    }
};

TEST_F(ProviderSettings, NoneAreNeeded) {
    const Loaded loaded{""};
    EXPECT_TRUE(loaded.is_good) << loaded.error;
    EXPECT_EQ(now().mode, OCTAVO_POLLING_DEFAULT);
}

TEST_F(ProviderSettings, AreTheProcess) {
    const Loaded loaded{
        "polling = timer\npolling_driver = threads\npolling_interval_ns = 10000000\nretry_limit = -1\n"};
    EXPECT_TRUE(loaded.is_good) << loaded.error;
    EXPECT_EQ(now().mode, OCTAVO_POLLING_TIMER);
    EXPECT_EQ(now().driver, OCTAVO_DRIVER_THREADS);
    EXPECT_EQ(now().interval_ns, 10'000'000U);
    std::int32_t limit = 0;
    octavo_retry_limit_get(&limit);
    EXPECT_EQ(limit, -1);
}

TEST_F(ProviderSettings, EveryModeHasAName) {
    const char* const names[] = {"auto", "timer", "event", "external", "heuristic", "inline"};
    for (std::uint32_t mode = 0; mode < std::size(names); ++mode) {
        reset();
        const Loaded loaded{std::string{"polling = "} + names[mode] + "\n"};
        EXPECT_TRUE(loaded.is_good) << loaded.error;
        EXPECT_EQ(now().mode, mode) << names[mode];
    }
}

TEST_F(ProviderSettings, MistakesAreNamedOnOpensslsQueue) {
    const struct {
        const char *lines, *text;
    } cases[] = {
        {"polling = times\n", "polling = times: one of auto, timer, event, external, heuristic, inline"},
        {"polling = timer\npolling_interval_ns = 0\n", "polling_interval_ns = 0: a number from 1 to 10000000"},
        {"polling = timer\npolling_interval_ns = 10000001\n",
         "polling_interval_ns = 10000001: a number from 1 to 10000000"},
        {"polling = timer\npolling_interval_ns = 5us\n", "polling_interval_ns = 5us: a number from 1 to 10000000"},
        {"polling = event\npolling_timeout_ms = 60001\n", "polling_timeout_ms = 60001: a number from 1 to 60000"},
        {"polling = event\npolling_interval_ns = 5\n", "polling_interval_ns = 5: only polling = timer has an interval"},
        {"polling = timer\npolling_timeout_ms = 5\n", "polling_timeout_ms = 5: only polling = event has a timeout"},
        {"polling_driver = threads\n", "polling_driver = threads: polling = auto chooses by itself; name a mode"},
        {"polling = inline\npolling_driver = fast\n", "polling_driver = fast: one of auto, inline, threads"},
        {"retry_limit = -2\n", "retry_limit = -2: a number from -1 to 100000"},
        {"retry_limit = 99999999999999999999\n", "retry_limit = 99999999999999999999: a number from -1 to 100000"},
        {"polling = timer\nsection = \n", "section = : 1 to 31 letters, digits, \"_\" and \"-\" make one"},
        {"section = S S\n", "section = S S: 1 to 31 letters, digits, \"_\" and \"-\" make one"},
        {"section = a23456789012345678901234567890bc\n",
         "section = a23456789012345678901234567890bc: 1 to 31 letters, digits, \"_\" and \"-\" make one"},
    };
    for (const auto& one : cases) {
        const Loaded loaded{one.lines};
        EXPECT_FALSE(loaded.is_good) << one.lines;
        EXPECT_EQ(loaded.error, one.text);
        EXPECT_EQ(now().mode, OCTAVO_POLLING_DEFAULT) << "half applied: " << one.lines;
    }
}

TEST_F(ProviderSettings, TooLate) {
    const Loaded first{"polling = inline\n"};
    ASSERT_TRUE(first.is_good) << first.error;
    octavo_instance instance{};
    ASSERT_EQ(octavo_thread_instance(&instance), OCTAVO_OK);
    const Loaded same{"polling = inline\n"}, silent{""}, other{"polling = timer\n"};
    EXPECT_TRUE(same.is_good) << same.error;
    EXPECT_TRUE(silent.is_good) << silent.error;
    EXPECT_FALSE(other.is_good);
    EXPECT_NE(other.error.find("polling = timer: settings: instances have started"), std::string::npos) << other.error;
    EXPECT_EQ(now().mode, OCTAVO_POLLING_INLINE);
}

/// The section, by the parameter and in the environment. What loads the provider is a child: a process has one section.
class ProviderSection : public api_test::SectionTest {
protected:
    ProviderSection() {
        configure(octavo::config::section_text("SSL", 1, true, 1) + octavo::config::section_text("IPsec", 1, true, 1));
    }
    /// What a child has that loads the provider with these lines: the internal section, or the error.
    static std::string child_has(const std::string& lines, const std::vector<const char*>& environment = {}) {
        const api_test::SectionChild child{[&] {
            for (const char* variable : environment) putenv(const_cast<char*>(variable));
            const Loaded loaded{lines};
            return loaded.is_good ? api_test::held_section() : loaded.error;
        }};
        return child.told();
    }
};

TEST_F(ProviderSection, IsNamedByTheParameter) { EXPECT_EQ(child_has("section = SSL\n"), "SSL_DEV0_INT_0"); }

/// Programs that fork their workers load the provider before.
TEST_F(ProviderSection, IsTakenByWhoeverUsesIt) {
    const api_test::SectionChild main{[] {
        const Loaded loaded{"section = SSL\n"};
        const api_test::SectionChild worker{api_test::held_section};
        return worker.told();
    }};
    EXPECT_EQ(main.told(), "SSL_DEV0_INT_0");
}

TEST_F(ProviderSection, IsNamedInTheEnvironment) {
    EXPECT_EQ(child_has("", {"OCTAVO_SECTION=SSL"}), "SSL_DEV0_INT_0");
    EXPECT_EQ(child_has("", {"QAT_SECTION_NAME=SSL"}), "SSL_DEV0_INT_0");
    EXPECT_EQ(child_has("", {"QAT_SECTION_NAME=SSL", "OCTAVO_SECTION=IPsec"}), "IPsec_DEV0_INT_0");
    EXPECT_EQ(child_has("", {"QAT_SECTION_NAME=SSL", "OCTAVO_SECTION="}), "SSL_DEV0_INT_0") << "empty is none";
    EXPECT_EQ(child_has("section = SSL\n", {"OCTAVO_SECTION=IPsec"}), "SSL_DEV0_INT_0") << "the parameter comes first";
    EXPECT_EQ(child_has(""), "");
}

TEST_F(ProviderSection, NonsenseInTheEnvironmentIsNamed) {
    const std::string rule = ": 1 to 31 letters, digits, \"_\" and \"-\" make one";
    EXPECT_EQ(child_has("", {"OCTAVO_SECTION=S S"}), "OCTAVO_SECTION = S S" + rule);
    EXPECT_EQ(child_has("", {"QAT_SECTION_NAME=a/b"}), "QAT_SECTION_NAME = a/b" + rule);
    EXPECT_EQ(child_has("section = SSL\n", {"QAT_SECTION_NAME=a/b"}), "SSL_DEV0_INT_0") << "nobody reads it";
}

/// None to be had is no reason not to load: the work is done on the portable row, and `octavo doctor` says why.
TEST_F(ProviderSection, ThatIsNotToBeHad) {
    EXPECT_EQ(child_has("section = NONE\n"), "");
    const api_test::SectionChild holder{"SSL"};
    EXPECT_EQ(child_has("section = SSL\n"), "");
}

TEST_F(ProviderSection, OfAnotherNameThanTheProcessHolds) {
    const api_test::SectionChild child{[] {
        EXPECT_EQ(octavo_section_start("IPsec"), OCTAVO_OK);
        const Loaded same{"section = IPsec\n"}, silent{""}, other{"section = SSL\n"};
        return (same.is_good && silent.is_good ? "" : "refused ") + other.error + ", " + api_test::held_section();
    }};
    EXPECT_EQ(child.told(),
              "section = SSL: name: this process holds IPsec_DEV0_INT_0; stop it first, IPsec_DEV0_INT_0");
}

}  // namespace
