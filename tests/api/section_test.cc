// Sections between processes, as an outside program sees them.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "section_child.hpp"

namespace {

using api_test::held_section;
using api_test::SectionChild;
using octavo::config::section_text;

class Section : public api_test::SectionTest {
protected:
    Section() { configure(section_text("SSL", 2, true, 2)); }
};

TEST_F(Section, FirstFreeAndBackWhenKilled) {
    ASSERT_EQ(octavo_section_start("SSL"), OCTAVO_OK) << octavo_error_text();
    EXPECT_EQ(held_section(), "SSL_DEV0_INT_0");
    SectionChild one{"SSL"};
    const SectionChild none{"SSL"};
    EXPECT_EQ(one.told(), "SSL_DEV0_INT_1");
    EXPECT_EQ(none.told(), "OCTAVO_ERR_NO_SECTION");
    one.end();
    const SectionChild two{"SSL"};
    EXPECT_EQ(two.told(), "SSL_DEV0_INT_1");
}

std::string take_ssl() { return api_test::start_and_tell("SSL"); }

/// No core file of a crash that is meant.
void crash() {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGABRT, SIG_DFL);
    abort();
}

TEST_F(Section, BackHoweverAProcessEnds) {
    const std::function<void()> ends[] = {[] { _exit(0); }, [] { _exit(1); }, [] { crash(); }};
    for (const auto& end : ends) {
        SectionChild child{take_ssl, end};
        EXPECT_EQ(child.told(), "SSL_DEV0_INT_0");
        child.wait_for_end();
    }
    EXPECT_EQ(take_ssl(), "SSL_DEV0_INT_0");
}

/// Takes the section, and becomes another program, with the same number.
SectionChild become(std::vector<std::string> words, int answer = -1) {
    return SectionChild{take_ssl, [words, answer]() mutable {
                            if (answer >= 0) dup2(answer, STDOUT_FILENO);
                            std::vector<char*> argv;
                            for (auto& word : words) argv.push_back(word.data());
                            argv.push_back(nullptr);
                            execv(argv[0], argv.data());
                            _exit(127);
                        }};
}

TEST_F(Section, BackWhenAnotherProgramIsExecuted) {
    const auto child = become({"/bin/sleep", "600"});
    ASSERT_EQ(child.told(), "SSL_DEV0_INT_0");
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    std::string name;
    while (name != "SSL_DEV0_INT_0" && std::chrono::steady_clock::now() < limit) name = SectionChild{"SSL"}.told();
    EXPECT_EQ(name, "SSL_DEV0_INT_0");
    EXPECT_EQ(kill(child.pid(), 0), 0) << "the process is still there";
}

TEST_F(Section, AnExecutedProgramTakesItsOwn) {
    configure(section_text("SSL", 2, true, 2) + section_text("IPsec", 1, true, 1));
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    setenv("OCTAVO_SECTION", "IPsec", 1);
    {
        const auto child = become({SECTION_PROGRAM}, ends[1]);
        unsetenv("OCTAVO_SECTION");
        close(ends[1]);
        char text[64] = "";
        ASSERT_GT(read(ends[0], text, sizeof text - 1), 0);
        EXPECT_STREQ(text, "IPsec_DEV0_INT_0\n");
        EXPECT_EQ(SectionChild{"IPsec"}.told(), "OCTAVO_ERR_NO_SECTION");
        EXPECT_EQ(SectionChild{"SSL"}.told(), "SSL_DEV0_INT_0");
    }
    close(ends[0]);
    EXPECT_EQ(SectionChild{"IPsec"}.told(), "IPsec_DEV0_INT_0");
}

TEST_F(Section, AForkedChildDoesNotHoldItsParents) {
    ASSERT_EQ(octavo_section_start("SSL"), OCTAVO_OK);
    const SectionChild idle{[] { return ""; }};
    ASSERT_EQ(octavo_section_stop(), OCTAVO_OK);
    const SectionChild next{"SSL"};
    EXPECT_EQ(next.told(), "SSL_DEV0_INT_0");
}

TEST_F(Section, AForkedChildAsksForItsOwn) {
    ASSERT_EQ(octavo_section_start("SSL"), OCTAVO_OK);
    const SectionChild own{held_section}, none{held_section};
    EXPECT_EQ(own.told(), "SSL_DEV0_INT_1");
    EXPECT_EQ(none.told(), "");
    EXPECT_EQ(held_section(), "SSL_DEV0_INT_0") << "the parent's stays the parent's";
}

TEST_F(Section, AForkedChildLeavesItsParentsAlone) {
    ASSERT_EQ(octavo_section_start("SSL"), OCTAVO_OK);
    SectionChild child{[] {
        octavo_section_stop();
        return take_ssl();
    }};
    EXPECT_EQ(child.told(), "SSL_DEV0_INT_1");
    child.end();
    const SectionChild other{"SSL"}, none{"SSL"};
    EXPECT_EQ(other.told(), "SSL_DEV0_INT_1");
    EXPECT_EQ(none.told(), "OCTAVO_ERR_NO_SECTION");
}

TEST_F(Section, ThreadsShareIt) {
    ASSERT_EQ(octavo_section_start("SSL"), OCTAVO_OK);
    std::vector<std::string> names(4);
    std::vector<std::thread> threads;
    for (auto& name : names)
        threads.emplace_back([&name] {
            EXPECT_EQ(octavo_section_start("SSL"), OCTAVO_OK);
            name = held_section();
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(names, std::vector<std::string>(4, "SSL_DEV0_INT_0"));
    EXPECT_EQ(SectionChild{"SSL"}.told(), "SSL_DEV0_INT_1") << "one section, not four";
}

TEST_F(Section, ThatWasSetIsTakenByWhoeverFirstNeedsIt) {
    configure(section_text("SSL", 1, true, 1) + section_text("IPsec", 1, true, 1));
    setenv("OCTAVO_SECTION", "IPsec", 1);
    ASSERT_EQ(octavo_section_set("SSL"), OCTAVO_OK) << octavo_error_text();
    {
        const SectionChild own{held_section};
        EXPECT_EQ(own.told(), "SSL_DEV0_INT_0") << "the one that there is: this process has not taken it";
    }
    EXPECT_EQ(held_section(), "SSL_DEV0_INT_0");
    EXPECT_EQ(octavo_section_set("SSL"), OCTAVO_OK) << "the same again";
    EXPECT_EQ(octavo_section_set("IPsec"), OCTAVO_ERR_STARTED);
    EXPECT_STREQ(octavo_error_text(), "name: this process holds SSL_DEV0_INT_0; stop it first");
    EXPECT_EQ(held_section(), "SSL_DEV0_INT_0");
    unsetenv("OCTAVO_SECTION");
}

TEST_F(Section, SetAgainBeforeItIsNeeded) {
    configure(section_text("SSL", 1, true, 1) + section_text("IPsec", 1, true, 1));
    ASSERT_EQ(octavo_section_set("NONE"), OCTAVO_OK) << "whether there is one shows later";
    EXPECT_EQ(held_section(), "");
    ASSERT_EQ(octavo_section_set("SSL"), OCTAVO_OK);
    ASSERT_EQ(octavo_section_set("IPsec"), OCTAVO_OK);
    EXPECT_EQ(held_section(), "IPsec_DEV0_INT_0");
}

TEST_F(Section, ANameThatIsNoneIsNotSet) {
    ASSERT_EQ(octavo_section_set("SSL"), OCTAVO_OK);
    EXPECT_EQ(octavo_section_set(nullptr), OCTAVO_ERR_NULL_ARGUMENT);
    for (const char* bad : {"", "S L", "a23456789012345678901234567890bc"}) {
        EXPECT_EQ(octavo_section_set(bad), OCTAVO_ERR_BAD_ARGUMENT) << bad;
        EXPECT_NE(std::string{octavo_error_text()}.find("1 to 31 letters"), std::string::npos) << octavo_error_text();
    }
    EXPECT_EQ(held_section(), "SSL_DEV0_INT_0");
}

TEST_F(Section, TellsWhatIsWrong) {
    EXPECT_EQ(octavo_section_start("SLS"), OCTAVO_ERR_CONFIGURATION);
    EXPECT_NE(std::string{octavo_error_text()}.find("did you mean \"SSL\""), std::string::npos);
    EXPECT_EQ(octavo_section_start("S L"), OCTAVO_ERR_BAD_ARGUMENT);
    configure("[SSL]\nNumProcesses = 0\n");
    EXPECT_EQ(octavo_section_start("SSL"), OCTAVO_ERR_NO_SECTION);
    EXPECT_STREQ(octavo_error_text(), "[SSL] has NumProcesses = 0: nobody gets one");
    configure("[SSL]\nx = 1\n");
    EXPECT_EQ(octavo_section_start("SSL"), OCTAVO_ERR_CONFIGURATION);
    EXPECT_NE(std::string{octavo_error_text()}.find(":2: [SSL] x"), std::string::npos) << octavo_error_text();
}

/// A key pair whose public key is another's stands for hardware that computes wrongly: each of its signatures is wrong under it.
octavo_key faulty_key(octavo_curve curve) {
    octavo_instance instance{};
    octavo_key generator{}, faulty{};
    octavo_ec_key numbers{};
    numbers.size = sizeof numbers;
    numbers.curve = static_cast<std::uint32_t>(curve);
    EXPECT_EQ(octavo_thread_instance(&instance), OCTAVO_OK);
    EXPECT_EQ(octavo_key_create_ec(&numbers, &generator), OCTAVO_OK);
    std::uint8_t pairs[2][256];
    std::size_t len = 0;
    for (auto& pair : pairs)
        EXPECT_EQ(octavo_execute(instance, generator, OCTAVO_EC_GENERATE, nullptr, 0, pair, sizeof pair, &len),
                  OCTAVO_OK);
    const std::size_t private_len = (len - 1) / 3;
    numbers.private_key = {pairs[0], private_len};
    numbers.public_key = {pairs[1] + private_len, len - private_len};
    EXPECT_EQ(octavo_key_create_ec(&numbers, &faulty), OCTAVO_OK) << octavo_error_text();
    EXPECT_EQ(octavo_key_destroy(generator), OCTAVO_OK);
    return faulty;
}

octavo_status signs(octavo_key key, std::uint8_t (&signature)[132]) {
    octavo_instance instance{};
    EXPECT_EQ(octavo_thread_instance(&instance), OCTAVO_OK);
    const std::uint8_t digest[32] = {1, 2, 3};
    std::size_t len = 0;
    return octavo_execute(instance, key, OCTAVO_ECDSA_SIGN, digest, sizeof digest, signature, sizeof signature, &len);
}

/// P-384 runs in lanes even alone, P-256 and P-521 on the portable row.
TEST_F(Section, AWrongSignatureDoesNotLeaveWhereItIsChecked) {
    auto text = section_text("SSL", 1, true, 1);
    for (const bool checked : {false, true}) {
        folder_.write("octavo_dev0.conf", checked ? text + "EcdsaCheck = 1\n" : text);
        ASSERT_EQ(octavo_section_start("SSL"), OCTAVO_OK) << octavo_error_text();
        for (const auto curve : {OCTAVO_CURVE_P256, OCTAVO_CURVE_P384, OCTAVO_CURVE_P521}) {
            const auto key = faulty_key(curve);
            std::uint8_t signature[132] = {};
            EXPECT_EQ(signs(key, signature), checked ? OCTAVO_ERR_OPERATION_FAILED : OCTAVO_OK) << curve;
            const std::uint8_t zeros[132] = {};
            EXPECT_EQ(std::memcmp(signature, zeros, sizeof zeros) == 0, checked) << "bytes of the wrong signature left";
            octavo_key_destroy(key);
        }
        ASSERT_EQ(octavo_section_stop(), OCTAVO_OK);
    }
}

/// Batches of keys with and without their public half, in lanes where there are any: right signatures pass.
TEST_F(Section, RightSignaturesPassTheCheck) {
    folder_.write("octavo_dev0.conf", section_text("SSL", 1, true, 1) + "EcdsaCheck = 1\n");
    ASSERT_EQ(octavo_section_start("SSL"), OCTAVO_OK) << octavo_error_text();
    octavo_instance instance{};
    ASSERT_EQ(octavo_thread_instance(&instance), OCTAVO_OK);
    const std::uint8_t scalar[32] = {1, 2, 3}, digest[20] = {4, 5};
    octavo_ec_key numbers{sizeof numbers, OCTAVO_CURVE_P256, {scalar, sizeof scalar}, {nullptr, 0}};
    octavo_key key{};
    ASSERT_EQ(octavo_key_create_ec(&numbers, &key), OCTAVO_OK);
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    submission.key = key;
    submission.operation = OCTAVO_ECDSA_SIGN;
    submission.input = digest;
    submission.input_len = sizeof digest;
    octavo_request requests[20];
    for (auto& request : requests) ASSERT_EQ(octavo_submit(instance, &submission, &request), OCTAVO_PENDING);
    for (const auto request : requests) {
        std::uint8_t signed_digest[64 + sizeof digest];
        std::size_t len = 0;
        ASSERT_EQ(octavo_wait(instance, request, UINT64_MAX), OCTAVO_OK);
        ASSERT_EQ(octavo_result(instance, request, signed_digest, 64, &len), OCTAVO_OK) << octavo_error_text();
        std::memcpy(signed_digest + 64, digest, sizeof digest);
        EXPECT_EQ(
            octavo_execute(instance, key, OCTAVO_ECDSA_VERIFY, signed_digest, sizeof signed_digest, nullptr, 0, &len),
            OCTAVO_OK);
    }
    octavo_statistics s{};
    s.size = sizeof s;
    ASSERT_EQ(octavo_instance_statistics(instance, &s), OCTAVO_OK);
    EXPECT_EQ(s.fallback[OCTAVO_FALLBACK_CHECK], 0U);
    octavo_key_destroy(key);
}

/// The figure to reach is 1 ms; a busy machine proves nothing, so it is printed.
TEST_F(Section, StartsBesideSixtyFourProcesses) {
    configure(section_text("SSL", 65, true, 1));
    std::vector<SectionChild> others;
    for (int i = 0; i < 64; ++i) others.emplace_back("SSL");
    std::vector<double> took;
    for (int i = 0; i < 11; ++i) {
        const SectionChild starter{[] {
            const auto before = std::chrono::steady_clock::now();
            const auto name = take_ssl();
            const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - before;
            return name + " " + std::to_string(time.count());
        }};
        EXPECT_TRUE(starter.told().starts_with("SSL_DEV0_INT_64 ")) << starter.told();
        took.push_back(std::stod(starter.told().substr(starter.told().find(' '))));
    }
    std::sort(took.begin(), took.end());
    std::printf("allotment beside 64 processes: %.3f ms at the median of %zu, %.3f ms at most\n", took[took.size() / 2],
                took.size(), took.back());
}

}  // namespace
