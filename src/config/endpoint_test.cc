#include "config/endpoint.hpp"

#include <gtest/gtest.h>

#include "config/costs.hpp"

namespace octavo::config {
namespace {

Endpoint read(const std::string& text, Errors& errors) {
    const auto document = read_document("octavo_dev0.conf", text, errors);
    return read_endpoint(document, 0, errors);
}

std::string all_of(const Errors& errors) {
    std::string text;
    for (const auto& error : errors) text += to_string(error) + "\n";
    return text;
}

Endpoint read_good(const std::string& text) {
    Errors errors;
    auto endpoint = read(text, errors);
    EXPECT_EQ(all_of(errors), "");
    return endpoint;
}

struct Mistake {
    std::string text;
    std::string error;  ///< all of it, after "octavo_dev0.conf:"
};

const std::string kLong(40, 'A');

const Mistake kMistakes[] = {
    // the outer form
    {"[GENERAL\n", "1: a section's line is [NAME] and nothing else"},
    {"[GENERAL] x\n", "1: a section's line is [NAME] and nothing else"},
    {"\n[S S]\n", "2: [S S]: a section's name has 1 to 31 letters, digits, \"_\" and \"-\""},
    {"[]\n", "1: []: a section's name has 1 to 31 letters, digits, \"_\" and \"-\""},
    {"[" + kLong + "]\n", "1: [" + kLong + "]: a section's name has 1 to 31 letters, digits, \"_\" and \"-\""},
    {"[SSL]\n[SSL]\n", "2: [SSL]: this section began in line 1 already; join the two"},
    {"Driver = auto\n", "1: Driver: stands before the first [SECTION]; [GENERAL] comes first"},
    {"[GENERAL]\nDriver\n", "2: \"Driver\": neither a # comment, nor a [SECTION], nor key = value"},
    {"[GENERAL]\n= auto\n", "2: \"= auto\": neither a # comment, nor a [SECTION], nor key = value"},
    {"[GENERAL]\nDriver = # auto\n", "2: Driver: has no value"},
    {"[GENERAL]\nDriver = \"auto\n", "2: Driver: a quote that does not end"},
    {"[GENERAL]\nDriver = au\x01to\n", "2: a control character in the line"},
    {"#" + std::string(1024, 'x') + "\n", "1: a line of over 1024 bytes"},
    // [GENERAL]
    {"[GENERAL]\nDrivr = auto\n", "2: [GENERAL] Drivr: no such key here; did you mean \"Driver\"?"},
    {"[GENERAL]\nDriver = auto\nDriver = auto\n", "3: [GENERAL] Driver: was given in line 2 already"},
    {"[GENERAL]\nDriver = thread\n",
     "2: [GENERAL] Driver = thread: one of auto, inline, threads; did you mean \"threads\"?"},
    {"[GENERAL]\nServicesEnabled = cy;simm\n",
     "2: [GENERAL] ServicesEnabled = cy;simm: services are cy, sym, asym and dc, joined by \";\"; did you mean "
     "\"sym\"?"},
    {"[GENERAL]\nCostTable = p256-sing:1/2/3\n",
     "2: [GENERAL] CostTable: \"p256-sing:1/2/3\": no such operation; did you mean \"p256-sign\"?"},
    {"[GENERAL]\nCostTable = p256-sign:1/2\n",
     "2: [GENERAL] CostTable: \"p256-sign:1/2\": operation:portable/first/next, three whole numbers of nanoseconds "
     "from 1 "
     "to 10000000000"},
    {"[GENERAL]\nCostTable = p256-sign:1/2/0\n",
     "2: [GENERAL] CostTable: \"p256-sign:1/2/0\": operation:portable/first/next, three whole numbers of nanoseconds "
     "from 1 to 10000000000"},
    {"[GENERAL]\nCostTable = p256-sign\n",
     "2: [GENERAL] CostTable: \"p256-sign\": operation:portable/first/next, three whole numbers of nanoseconds from 1 "
     "to "
     "10000000000"},
    {"[GENERAL]\nCostTable = p256-sign:1/2/3; p256-sign:1/2/3\n",
     "2: [GENERAL] CostTable: \"p256-sign:1/2/3\": this operation was given already"},
    {"[GENERAL]\nCostTable = ;\n", "2: [GENERAL] CostTable = ;: names no operation"},
    {"[GENERAL]\nServicesEnabled = ;\n", "2: [GENERAL] ServicesEnabled = ;: names no service"},
    {"[GENERAL]\nCyNumConcurrentAsymRequests = 32\n",
     "2: [GENERAL] CyNumConcurrentAsymRequests = 32: a power of two from 64 to 65536"},
    {"[GENERAL]\nCyNumConcurrentSymRequests = 96\n",
     "2: [GENERAL] CyNumConcurrentSymRequests = 96: a power of two from 64 to 65536"},
    {"[GENERAL]\nCyNumConcurrentSymRequests = 131072\n",
     "2: [GENERAL] CyNumConcurrentSymRequests = 131072: a power of two from 64 to 65536"},
    {"[GENERAL]\nRingSize = 99999999999999999999\n",
     "2: [GENERAL] RingSize = 99999999999999999999: a power of two from 2 to 4096"},
    {"[GENERAL]\nPollingIntervalNs = 10000001\n",
     "2: [GENERAL] PollingIntervalNs = 10000001: a whole number from 1 to 10000000"},
    {"[GENERAL]\nEventTimeoutMs = 0\n", "2: [GENERAL] EventTimeoutMs = 0: a whole number from 1 to 60000"},
    {"[GENERAL]\nHangTimeoutMs = 9\n", "2: [GENERAL] HangTimeoutMs = 9: a whole number from 10 to 60000"},
    {"[GENERAL]\nFaultInjection = 2\n", "2: [GENERAL] FaultInjection = 2: a whole number from 0 to 1"},
    {"[GENERAL]\nPollingMode = times\n",
     "2: [GENERAL] PollingMode = times: one of auto, timer, event, external, heuristic, inline; did you mean "
     "\"timer\"?"},
    {"[GENRAL]\n", "1: [GENRAL]: no such section; did you mean [GENERAL]?"},
    {"[Kernel]\n", "1: [Kernel]: no such section; did you mean [KERNEL]?"},
    {"[KERNEL]\nNumberCyInstance = 0\n",
     "2: [KERNEL] NumberCyInstance: no such key here; did you mean \"NumberCyInstances\"?"},
    // user sections
    {"[SSL]\nNumProceses = 4\n", "2: [SSL] NumProceses: no such key here; did you mean \"NumProcesses\"?"},
    {"[SSL]\nNumProcesses = 1025\n", "2: [SSL] NumProcesses = 1025: a whole number from 0 to 1024"},
    {"[SSL]\nNumProcesses = -1\n", "2: [SSL] NumProcesses = -1: a whole number from 0 to 1024"},
    {"[SSL]\nLimitDevAccess = yes\n", "2: [SSL] LimitDevAccess = yes: a whole number from 0 to 1"},
    {"[SSL]\nEcdsaCheck = 2\n", "2: [SSL] EcdsaCheck = 2: a whole number from 0 to 1"},
    {"[SSL]\nNumDcInstances = 257\n", "2: [SSL] NumDcInstances = 257: a whole number from 0 to 256"},
    {"[SSL]\nNumCyInstances = 0\nNumberCyInstances = 0\n", "3: [SSL] NumberCyInstances: was given in line 2 already"},
    {"[SSL]\nNumCyInstances = 1\nCy0Name = a\nCy0Nam = b\n",
     "4: [SSL] Cy0Nam: no such key here; did you mean \"Cy0Name\"?"},
    {"[SSL]\nNumCyInstances = 1\nCy0Name = a\nCy00IsPolled = 0\n",
     "4: [SSL] Cy00IsPolled: no such key here; did you mean \"Cy0IsPolled\"?"},
    {"[SSL]\nNumCyInstances = 1\nCy0Name = a\nCy0Name = b\n", "4: [SSL] Cy0Name: was given in line 3 already"},
    {"[SSL]\nNumCyInstances = 1\nCy0Name = a\nCy0IsPolled = 3\n",
     "4: [SSL] Cy0IsPolled = 3: a whole number from 0 to 2"},
    {"[SSL]\nNumCyInstances = 1\nCy0Name = a\nCy0CoreAffinity = 1024\n",
     "4: [SSL] Cy0CoreAffinity = 1024: cores from 0 to 1023, such as 3, or 0-7, or 0,2,4 for one process after the "
     "other"},
    {"[SSL]\nNumCyInstances = 1\nCy0Name = a\nCy0CoreAffinity = 7-4\n",
     "4: [SSL] Cy0CoreAffinity = 7-4: cores from 0 to 1023, such as 3, or 0-7, or 0,2,4 for one process after the "
     "other"},
    {"[SSL]\nNumCyInstances = 1\nCy0Name = " + std::string(64, 'n') + "\n",
     "3: [SSL] Cy0Name: a name of over 63 bytes"},
    {"[SSL]\nNumCyInstances = 1\nCy0IsPolled = 1\n",
     "3: [SSL] Cy0IsPolled: this instance has no name; give it one with Cy0Name"},
    {"[SSL]\nNumCyInstances = 2\nCy0Name = a\nCy1Name = a\n",
     "4: [SSL] Cy1Name: two instances of the name \"a\", numbers 0 and 1"},
    {"[SSL]\nNumCyInstances = 2\nCy0Name = a\nCy2Name = b\n",
     "4: [SSL] Cy2Name: numbers go up from 0 without a gap, and Cy1 is missing"},
    {"[SSL]\nNumDcInstances = 1\nDc1Name = a\n",
     "3: [SSL] Dc1Name: numbers go up from 0 without a gap, and Dc0 is missing"},
    {"[SSL]\nNumCyInstances = 2\nCy0Name = a\n",
     "2: [SSL] NumCyInstances = 2: 1 instance of Cy<n> given in this section"},
    {"[SSL]\nNumberDcInstances = 2\n", "2: [SSL] NumberDcInstances = 2: 0 instances of Dc<n> given in this section"},
    {"[SSL]\nCy0Name = a\n", "1: [SSL]: 1 instance of Cy<n> given in this section, and no NumCyInstances"},
    {"[GENERAL]\nDriver = inline\n[SSL]\nNumCyInstances = 1\nCy0Name = a\nCy0IsPolled = 0\n",
     "3: [SSL]: \"a\" is to be told by its descriptor (IsPolled 0 or 2), which Driver = inline has not; take Driver = "
     "auto, or IsPolled = 1"},
};

TEST(ConfigEndpoint, EveryMistakeIsNamed) {
    for (const auto& mistake : kMistakes) {
        SCOPED_TRACE(mistake.text);
        Errors errors;
        (void)read(mistake.text, errors);
        EXPECT_EQ(all_of(errors), "octavo_dev0.conf:" + mistake.error + "\n");
    }
}

TEST(ConfigEndpoint, OneRunFindsAllMistakes) {
    Errors errors;
    (void)read("[GENERAL]\nDrivr = auto\nRingSize = 3\n[SSL]\nNumProcesses = x\n", errors);
    EXPECT_EQ(errors.size(), 3U) << all_of(errors);
}

TEST(ConfigEndpoint, ReadsEveryKey) {
    const auto endpoint = read_good(
        "# comment\r\n[GENERAL]\r\n  ServicesEnabled = asym;dc\t# what it does\r\nCyNumConcurrentAsymRequests=128\r\n"
        "CyNumConcurrentSymRequests = 65536\nDriver = threads\nRingSize = 2\nPollingMode = timer\n"
        "PollingIntervalNs = 1\nEventTimeoutMs = 20\nHangTimeoutMs = 60000\nFaultInjection = 1\n"
        "[SSL]\nNumProcesses = 3\nLimitDevAccess = 1\nEcdsaCheck = 1\nNumberCyInstances = 2\nNumDcInstances = 1\n"
        "Cy1Name = second\nCy0Name = \"first # one\"\nCy0IsPolled = 2\nCy0CoreAffinity = 0,2-3\n"
        "Dc0Name = Dc0\nDc0IsPolled = 0\nDc0CoreAffinity = 1023");
    EXPECT_EQ(endpoint.general.services, kAsym | kDc);
    EXPECT_EQ(service_names(endpoint.general.services), "asym;dc");
    EXPECT_EQ(endpoint.general.asym_requests, 128U);
    EXPECT_EQ(endpoint.general.sym_requests, 65536U);
    EXPECT_EQ(endpoint.general.driver, OCTAVO_DRIVER_THREADS);
    EXPECT_EQ(endpoint.general.ring_size, 2U);
    EXPECT_EQ(endpoint.general.polling_mode, PollingMode::timer);
    EXPECT_EQ(endpoint.general.polling_interval_ns, 1U);
    EXPECT_EQ(endpoint.general.event_timeout_ms, 20U);
    EXPECT_EQ(endpoint.general.hang_timeout_ms, 60'000U);
    EXPECT_TRUE(endpoint.general.allows_faults);
    ASSERT_EQ(endpoint.sections.size(), 1U);
    const auto& user = endpoint.sections[0];
    EXPECT_EQ(user.num_processes, 3U);
    EXPECT_TRUE(user.limit_dev_access);
    EXPECT_TRUE(user.checks_ecdsa);
    ASSERT_EQ(user.cy.size(), 2U);
    EXPECT_EQ(user.cy[0].name, "first # one");
    EXPECT_EQ(user.cy[0].polled, Polled::epoll);
    ASSERT_EQ(user.cy[0].cores.size(), 2U);
    EXPECT_EQ(user.cy[0].cores[1].first, 2U);
    EXPECT_EQ(user.cy[0].cores[1].last, 3U);
    EXPECT_EQ(user.cy[1].name, "second");
    EXPECT_EQ(user.cy[1].polled, Polled::polled);
    EXPECT_TRUE(user.cy[1].cores.empty());
    ASSERT_EQ(user.dc.size(), 1U);
    EXPECT_EQ(user.dc[0].polled, Polled::interrupt);
}

TEST(ConfigEndpoint, DefaultsAreTheDrivers) {
    const auto endpoint = read_good("[SSL]\n");
    EXPECT_EQ(endpoint.general.asym_requests, 64U);
    EXPECT_EQ(endpoint.general.sym_requests, 512U);
    EXPECT_EQ(service_names(endpoint.general.services), "cy");
    EXPECT_EQ(endpoint.sections.at(0).num_processes, 1U);
    EXPECT_FALSE(endpoint.sections.at(0).limit_dev_access);
    EXPECT_TRUE(endpoint.sections.at(0).cy.empty());
}

/// The forms that the driver's own files have.
TEST(ConfigEndpoint, TakesFilesOfTheDriver) {
    const auto endpoint = read_good(
        "[GENERAL]\nServicesEnabled = sym;asym\nServicesProfile = DEFAULT\nConfigVersion = 2\nHeartbeatTimer = 1000\n"
        "AutoResetOnError = 0\nstatsGeneral = 1\nstatsRsa = 1\nPmIdleSupport = 1\nPmIdleInterruptDelay = 0\n"
        "KptEnabled = 1\nKptMaxSWKLifetime = 31536000\nNumberAdis = 0\nDcNumConcurrentRequests = 512\n"
        "CyNumConcurrentSymRequests = 512\nCyNumConcurrentAsymRequests = 64\n"
        "[KERNEL]\nNumberCyInstances = 1\nNumberDcInstances = 0\nCy0Name = \"IPSec0\"\nCy0IsPolled = 0\n"
        "Cy0CoreAffinity = 0\n[SIOV]\nNumberAdis = 0\n"
        "[SHIM]\nNumberCyInstances = 1\nNumberDcInstances = 1\nNumProcesses = 32\nLimitDevAccess = 1\n"
        "# Crypto - User instance #0\nCy0Name = \"UserCY0\"\nCy0IsPolled = 1\nCy0CoreAffinity = 0-59\n"
        "Dc0Name = \"Dc0\"\nDc0IsPolled = 1\nDc0CoreAffinity = 1\n");
    EXPECT_EQ(service_names(endpoint.general.services), "cy");
    ASSERT_EQ(endpoint.sections.size(), 1U);
    EXPECT_EQ(endpoint.sections[0].cy.size(), 1U);
    std::string listed;
    for (const auto& one : endpoint.without_effect) listed += one.section + "." + one.key + " ";
    EXPECT_EQ(listed,
              "GENERAL.ServicesProfile GENERAL.ConfigVersion GENERAL.HeartbeatTimer GENERAL.AutoResetOnError "
              "GENERAL.statsGeneral GENERAL.statsRsa GENERAL.PmIdleSupport GENERAL.PmIdleInterruptDelay "
              "GENERAL.KptEnabled GENERAL.KptMaxSWKLifetime GENERAL.NumberAdis GENERAL.DcNumConcurrentRequests "
              "KERNEL.NumberCyInstances KERNEL.NumberDcInstances KERNEL.Cy0Name KERNEL.Cy0IsPolled "
              "KERNEL.Cy0CoreAffinity SIOV.NumberAdis ");
}

/// As many as there are instances: a number of them for a whole endpoint has nothing to act on.
TEST(ConfigEndpoint, SaysWhatEngineThreadsComeTo) {
    const auto endpoint = read_good("[GENERAL]\nEngineThreads = 4\n[S]\nNumCyInstances = 1\nCy0Name = a\n");
    ASSERT_EQ(endpoint.without_effect.size(), 1U);
    EXPECT_EQ(endpoint.without_effect[0].key, "EngineThreads");
    EXPECT_EQ(notes(endpoint),
              (std::vector<std::string>{"EngineThreads says nothing here: each instance has one of its own "
                                        "at most, and Cy<n>CoreAffinity places it"}));
    EXPECT_TRUE(notes(read_good("[GENERAL]\n[S]\nNumCyInstances = 1\nCy0Name = a\n")).empty());
}

TEST(ConfigEndpoint, NumberComesFromTheFilesName) {
    EXPECT_EQ(endpoint_number("octavo_dev0.conf"), 0);
    EXPECT_EQ(endpoint_number("/x_dev9/c6xx_dev31.conf"), 31);
    for (const char* wrong : {"octavo_dev32.conf", "octavo_dev01.conf", "octavo_dev.conf", "octavo_dev0.cnf", "",
                              "_dev0.conf", "octavo_dev-1.conf", "octavo_dev0.conf.old", "dev0.conf", ".conf"})
        EXPECT_EQ(endpoint_number(wrong), -1) << wrong;
}

TEST(ConfigEndpoint, ReadsACostTable) {
    const auto general =
        read_good("[GENERAL]\nCostTable = rsa2048-private:300000/320000/290000; ed25519-keygen:1/10000000000/3\n")
            .general;
    std::vector<std::string> operations;
    for_each_cost(general.costs,
                  [&](const char* operation, const device::Cost&) { operations.emplace_back(operation); });
    EXPECT_EQ(operations, (std::vector<std::string>{"rsa2048-private", "ed25519-keygen"}));
    const auto& cost = general.costs[request::index(request::Class::rsa2048_private)];
    EXPECT_EQ(cost->portable, 300'000);
    EXPECT_EQ(cost->first_pass, 320'000);
    EXPECT_EQ(cost->next_pass, 290'000);
}

}  // namespace
}  // namespace octavo::config
