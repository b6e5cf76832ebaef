#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "octavo/octavo.h"
#include "support.hpp"

namespace octavo::test {
namespace {

constexpr char kTooLate[] = "too late: the engine is initialised",
               kTooEarly[] = "too early: the engine is not initialised", kTwice[] = "it was set before",
               kRange[] = "the number is out of its range",
               kConflict[] = "it does not go with the polling mode that was set before",
               kNull[] = "the command needs a pointer, and has none", kNoInstance[] = "there is no such instance",
               kSection[] = "that is no name for a section", kBitmap[] = "that is no bitmap of algorithms",
               kThresholds[] = "that is no list of ciphers and thresholds";

/// An engine that nobody has initialised; finished as often as it was initialised.
class Control : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_NE(loaded_, nullptr) << first_reason();
        ERR_clear_error();
    }
    void TearDown() override {
        start();
        while (starts_-- > 0) ENGINE_finish(loaded_.get());
    }
    void start() {
        ASSERT_EQ(ENGINE_init(loaded_.get()), 1) << first_reason();
        ++starts_;
    }
    void good(const char* command, long number = 0, void* pointer = nullptr) {
        EXPECT_EQ(ENGINE_ctrl_cmd(loaded_.get(), command, number, pointer, nullptr, 0), 1)
            << command << ": " << first_reason();
    }
    void bad(const char* reason, const char* command, long number = 0, const void* pointer = nullptr) {
        ERR_clear_error();
        EXPECT_NE(ENGINE_ctrl_cmd(loaded_.get(), command, number, const_cast<void*>(pointer), nullptr, 0), 1)
            << command;
        EXPECT_EQ(first_reason(), reason) << command << " " << number;
    }
    std::uint32_t mode() {
        octavo_instance instance{};
        std::uint32_t mode = 99;
        EXPECT_EQ(octavo_thread_instance(&instance), OCTAVO_OK);
        EXPECT_EQ(octavo_instance_polling(instance, &mode), OCTAVO_OK);
        return mode;
    }
    ENGINE* get() { return loaded_.get(); }

private:
    Engine loaded_ = load();
    int starts_ = 0;
};

TEST_F(Control, AllCommandsAreThereUnderTheirNumbersAndFlags) {
    constexpr unsigned kNone = ENGINE_CMD_FLAG_NO_INPUT, kNumber = ENGINE_CMD_FLAG_NUMERIC,
                       kText = ENGINE_CMD_FLAG_STRING;
    const struct {
        const char* name;
        int number;
        unsigned flags;
    } commands[] = {{"ENABLE_EXTERNAL_POLLING", 0, kNone},
                    {"POLL", 1, kNone},
                    {"SET_INSTANCE_FOR_THREAD", 2, kNumber},
                    {"GET_NUM_OP_RETRIES", 3, kNone},
                    {"SET_MAX_RETRY_COUNT", 4, kNumber},
                    {"SET_INTERNAL_POLL_INTERVAL", 5, kNumber},
                    {"GET_EXTERNAL_POLLING_FD", 6, kNumber},
                    {"ENABLE_EVENT_DRIVEN_POLLING_MODE", 7, kNone},
                    {"GET_NUM_CRYPTO_INSTANCES", 8, kNone},
                    {"DISABLE_EVENT_DRIVEN_POLLING_MODE", 9, kNone},
                    {"SET_EPOLL_TIMEOUT", 10, kNumber},
                    {"SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD", 11, kText},
                    {"ENABLE_INLINE_POLLING", 12, kNone},
                    {"ENABLE_HEURISTIC_POLLING", 13, kNone},
                    {"GET_NUM_REQUESTS_IN_FLIGHT", 14, kNumber},
                    {"INIT_ENGINE", 15, kNone},
                    {"SET_CONFIGURATION_SECTION_NAME", 16, kText},
                    {"ENABLE_SW_FALLBACK", 17, kNone},
                    {"HEARTBEAT_POLL", 18, kNone},
                    {"DISABLE_QAT_OFFLOAD", 19, kNone},
                    {"HW_ALGO_BITMAP", 20, kText},
                    {"SW_ALGO_BITMAP", 21, kText}};
    for (const auto& command : commands) {
        const int number =
            ENGINE_ctrl(get(), ENGINE_CTRL_GET_CMD_FROM_NAME, 0, const_cast<char*>(command.name), nullptr);
        EXPECT_EQ(number, ENGINE_CMD_BASE + command.number) << command.name;
        EXPECT_EQ(ENGINE_ctrl(get(), ENGINE_CTRL_GET_CMD_FLAGS, number, nullptr, nullptr),
                  static_cast<int>(command.flags))
            << command.name;
    }
    ERR_clear_error();
    EXPECT_NE(ENGINE_ctrl(get(), ENGINE_CMD_BASE + 100, 0, nullptr, nullptr), 1);
    EXPECT_EQ(first_reason(), "no such control command");
}

TEST_F(Control, BeforeInit) {
    int number = 0;
    unsigned count = 0;
    int* address = nullptr;
    bad(kTooEarly, "POLL", 0, &number);
    bad(kTooEarly, "GET_NUM_OP_RETRIES", 0, &count);
    bad(kTooEarly, "GET_EXTERNAL_POLLING_FD", 0, &number);
    bad(kTooEarly, "GET_NUM_CRYPTO_INSTANCES", 0, &number);
    bad(kTooEarly, "GET_NUM_REQUESTS_IN_FLIGHT", 1, &address);
    bad(kTooEarly, "HEARTBEAT_POLL", 0, &number);
    bad(kTooEarly, "DISABLE_QAT_OFFLOAD");
}

TEST_F(Control, AfterInit) {
    start();
    bad(kTooLate, "ENABLE_EXTERNAL_POLLING");
    bad(kTooLate, "ENABLE_HEURISTIC_POLLING");
    bad(kTooLate, "ENABLE_INLINE_POLLING");
    bad(kTooLate, "ENABLE_EVENT_DRIVEN_POLLING_MODE");
    bad(kTooLate, "DISABLE_EVENT_DRIVEN_POLLING_MODE");
    bad(kTooLate, "ENABLE_SW_FALLBACK");
    bad(kTooLate, "SET_CONFIGURATION_SECTION_NAME", 0, "SSL");
    good("INIT_ENGINE");
    good("DISABLE_QAT_OFFLOAD");
}

TEST_F(Control, TwiceAndTogether) {
    good("DISABLE_EVENT_DRIVEN_POLLING_MODE");
    bad(kTwice, "DISABLE_EVENT_DRIVEN_POLLING_MODE");
    good("ENABLE_EVENT_DRIVEN_POLLING_MODE");
    bad(kTwice, "ENABLE_EVENT_DRIVEN_POLLING_MODE");
    bad(kConflict, "ENABLE_INLINE_POLLING");
    bad(kConflict, "ENABLE_HEURISTIC_POLLING");
    good("ENABLE_EXTERNAL_POLLING");
    bad(kTwice, "ENABLE_EXTERNAL_POLLING");
    good("ENABLE_HEURISTIC_POLLING");
    bad(kTwice, "ENABLE_HEURISTIC_POLLING");
    good("ENABLE_SW_FALLBACK");
    bad(kTwice, "ENABLE_SW_FALLBACK");
    good("SET_CONFIGURATION_SECTION_NAME", 0, const_cast<char*>("SSL"));
    bad(kTwice, "SET_CONFIGURATION_SECTION_NAME", 0, "SSL");
}

TEST_F(Control, Numbers) {
    const struct {
        const char* command;
        long first, last;
    } ranges[] = {{"SET_MAX_RETRY_COUNT", -1, 100000},
                  {"SET_INTERNAL_POLL_INTERVAL", 1, 10000000},
                  {"SET_EPOLL_TIMEOUT", 1, 10000}};
    for (const auto& range : ranges) {
        good(range.command, range.first);
        good(range.command, range.last);
        bad(kRange, range.command, range.first - 1);
        bad(kRange, range.command, range.last + 1);
    }
    octavo_retry_limit_set(8);
}

TEST_F(Control, Texts) {
    for (const char* text : {"", "a b", "a/b", "a.b", "01234567890123456789012345678901"})
        bad(kSection, "SET_CONFIGURATION_SECTION_NAME", 0, text);
    for (const char* text : {"", "0x", "x", "0x80000", "12345678901", "1g", "-1", " 1"}) {
        bad(kBitmap, "HW_ALGO_BITMAP", 0, text);
        bad(kBitmap, "SW_ALGO_BITMAP", 0, text);
    }
    for (const char* text : {"0x7ffff", "0x0029", "FFFF"}) good("HW_ALGO_BITMAP", 0, const_cast<char*>(text));
    const std::string long_list(1024, 'A');
    for (const char* text :
         {"", "AES-128-CBC-HMAC-SHA1", "AES-128-CBC-HMAC-SHA1:", "AES-128-CBC-HMAC-SHA1:16385",
          "AES-128-CBC-HMAC-SHA1:1,", "AES-128-GCM:1", "AES-128-CBC-HMAC-SHA1:-1", long_list.c_str()})
        bad(kThresholds, "SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD", 0, text);
    good("SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD", 0,
         const_cast<char*>("AES-128-CBC-HMAC-SHA1:4096,AES-256-CBC-HMAC-SHA256:0"));
    for (const char* command : {"HW_ALGO_BITMAP", "SW_ALGO_BITMAP", "SET_CRYPTO_SMALL_PACKET_OFFLOAD_THRESHOLD",
                                "SET_CONFIGURATION_SECTION_NAME"})
        bad(kNull, command);
}

TEST_F(Control, Answers) {
    start();
    int number = -7;
    unsigned count = 99;
    int* address = nullptr;
    good("GET_NUM_CRYPTO_INSTANCES", 0, &number);
    EXPECT_EQ(number, 1);
    good("GET_NUM_OP_RETRIES", 0, &count);
    EXPECT_EQ(count, 0U);
    for (const long kind : {1, 2, 3}) {
        address = nullptr;
        good("GET_NUM_REQUESTS_IN_FLIGHT", kind, &address);
        ASSERT_NE(address, nullptr);
        EXPECT_EQ(*address, 0);
    }
    bad(kRange, "GET_NUM_REQUESTS_IN_FLIGHT", 0, &address);
    bad(kRange, "GET_NUM_REQUESTS_IN_FLIGHT", 4, &address);
    bad(kConflict, "POLL", 0, &number);
    bad(kConflict, "GET_EXTERNAL_POLLING_FD", 0, &number);
    good("HEARTBEAT_POLL", 0, &number);
    EXPECT_EQ(number, 0);
    for (const char* command :
         {"HEARTBEAT_POLL", "POLL", "GET_NUM_OP_RETRIES", "GET_EXTERNAL_POLLING_FD", "GET_NUM_CRYPTO_INSTANCES"})
        bad(kNull, command);
    bad(kNull, "GET_NUM_REQUESTS_IN_FLIGHT", 1);
}

TEST_F(Control, Instances) {
    good("SET_INSTANCE_FOR_THREAD", 0);
    bad(kTooLate, "ENABLE_EXTERNAL_POLLING");  // it has initialised the engine
    bad(kNoInstance, "SET_INSTANCE_FOR_THREAD", 1);
    bad(kNoInstance, "SET_INSTANCE_FOR_THREAD", -1);
}

TEST_F(Control, ModesAreThoseOfTheLibrary) {
    const struct {
        std::vector<const char*> commands;
        octavo_polling_mode mode;
    } cases[] = {
        {{}, OCTAVO_POLLING_DEFAULT},
        {{"DISABLE_EVENT_DRIVEN_POLLING_MODE"}, OCTAVO_POLLING_TIMER},
        {{"ENABLE_EVENT_DRIVEN_POLLING_MODE"}, OCTAVO_POLLING_EVENT},
        {{"ENABLE_EXTERNAL_POLLING"}, OCTAVO_POLLING_EXTERNAL},
        {{"ENABLE_EVENT_DRIVEN_POLLING_MODE", "ENABLE_EXTERNAL_POLLING"}, OCTAVO_POLLING_EXTERNAL},
        {{"ENABLE_EXTERNAL_POLLING", "ENABLE_HEURISTIC_POLLING"}, OCTAVO_POLLING_HEURISTIC},
        {{"ENABLE_INLINE_POLLING"}, OCTAVO_POLLING_INLINE},
    };
    for (const auto& mode_case : cases) {
        for (const auto* command : mode_case.commands) good(command);
        ASSERT_EQ(ENGINE_init(get()), 1) << first_reason();
        EXPECT_EQ(mode(), static_cast<std::uint32_t>(mode_case.mode));
        ENGINE_finish(get());
        EXPECT_EQ(mode(), static_cast<std::uint32_t>(OCTAVO_POLLING_DEFAULT))
            << "the last finish puts all settings back";
        // What has just started with the default is in the way of other settings.
        ASSERT_EQ(octavo_polling_reset(), OCTAVO_OK);
    }
}

TEST_F(Control, ExternalPollingHasDescriptors) {
    good("ENABLE_EXTERNAL_POLLING");
    start();
    int fd = -1, status = -7;
    good("GET_EXTERNAL_POLLING_FD", 0, &fd);
    EXPECT_GE(fd, 0);
    bad(kNoInstance, "GET_EXTERNAL_POLLING_FD", 1, &fd);
    bad(kNoInstance, "GET_EXTERNAL_POLLING_FD", -1, &fd);
    good("POLL", 0, &status);
    EXPECT_EQ(status, 0);
}

TEST_F(Control, ModesComeTooLateWhereInstancesHaveStarted) {
    EXPECT_EQ(mode(), static_cast<std::uint32_t>(OCTAVO_POLLING_DEFAULT));
    good("ENABLE_EXTERNAL_POLLING");
    ERR_clear_error();
    EXPECT_NE(ENGINE_init(get()), 1);
    EXPECT_EQ(first_reason(), "the library refused");
    ASSERT_EQ(octavo_polling_reset(), OCTAVO_OK);
}

/// A number that can no longer count, since the library has started with another.
TEST_F(Control, TheIntervalOfARunningTimer) {
    good("SET_INTERNAL_POLL_INTERVAL", 20000);
    good("DISABLE_EVENT_DRIVEN_POLLING_MODE");
    start();
    EXPECT_EQ(mode(), static_cast<std::uint32_t>(OCTAVO_POLLING_TIMER));
    bad(kTooLate, "SET_INTERNAL_POLL_INTERVAL", 30000);
    good("SET_INTERNAL_POLL_INTERVAL", 20000);
}

/// Runs in a child, whose environment and section are its own. 0 where `test` is true.
int in_child(const std::function<bool()>& test) {
    const auto child = fork();
    if (child == 0) _exit(test() ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool refuses_init(ENGINE* engine, const std::string& reason) {
    ERR_clear_error();
    return ENGINE_init(engine) != 1 && first_reason() == reason;
}

TEST_F(Control, TheSectionMayComeFromTheEnvironment) {
    char folder[] = "/tmp/octavo-engine-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    const std::string file = std::string(folder) + "/octavo_dev0.conf";
    std::ofstream(file)
        << "[GENERAL]\n[SSL]\nNumProcesses = 1\nLimitDevAccess = 1\nNumCyInstances = 2\nCy0Name = a\nCy1Name = b\n";
    setenv("OCTAVO_CONFIG_DIR", folder, 1);
    setenv("OCTAVO_RUN_DIR", folder, 1);
    const auto section_is = [](const std::string& wanted) {
        char name[OCTAVO_SECTION_NAME];
        return octavo_section_name(name, sizeof name) == OCTAVO_OK && name == wanted;
    };
    for (const char* variable : {"QAT_SECTION_NAME", "OCTAVO_SECTION"}) {
        EXPECT_EQ(in_child([&] {
                      setenv(variable, "SSL", 1);
                      return ENGINE_init(get()) == 1 && section_is("SSL_DEV0_INT_0") && ENGINE_finish(get()) == 1 &&
                             section_is("");
                  }),
                  0)
            << variable;
        EXPECT_EQ(in_child([&] { return setenv(variable, "S S", 1) == 0 && refuses_init(get(), kSection); }), 0);
        EXPECT_EQ(in_child([&] {
                      setenv(variable, "0123456789012345678901234567890123456789", 1);
                      return refuses_init(get(), kSection);
                  }),
                  0);
        EXPECT_EQ(in_child([&] {
                      return setenv(variable, "NONE", 1) == 0 && refuses_init(get(), "the section cannot be had");
                  }),
                  0);
    }
    EXPECT_EQ(in_child([&] {
                  setenv("QAT_SECTION_NAME", "NONE", 1);
                  ENGINE_ctrl_cmd_string(get(), "SET_CONFIGURATION_SECTION_NAME", "SSL", 0);
                  int count = 0;
                  return ENGINE_init(get()) == 1 && section_is("SSL_DEV0_INT_0") &&
                         ENGINE_ctrl_cmd(get(), "GET_NUM_CRYPTO_INSTANCES", 0, &count, nullptr, 0) == 1 && count == 2 &&
                         ENGINE_ctrl_cmd(get(), "SET_INSTANCE_FOR_THREAD", 1, nullptr, nullptr, 0) == 1;
              }),
              0)
        << "a command comes before the environment";
    unsetenv("OCTAVO_CONFIG_DIR");
    unsetenv("OCTAVO_RUN_DIR");
    ASSERT_EQ(std::system(("rm -r " + std::string(folder)).c_str()), 0);
}

}  // namespace
}  // namespace octavo::test
