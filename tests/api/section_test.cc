// Sections between processes, as an outside program sees them.
#include <gtest/gtest.h>
#include <octavo/octavo.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>

#include "config/config_test_files.hpp"

namespace {

using octavo::config::section_text;
using octavo::config::TestFolder;

std::string held() {
    char name[OCTAVO_SECTION_NAME] = "?";
    EXPECT_EQ(octavo_section_name(name, sizeof name), OCTAVO_OK);
    return name;
}

/// A child that starts the section, tells its name, and stays until it is killed.
struct Child {
    pid_t pid;
    std::string name;
    explicit Child(const char* section) {
        int ends[2];
        if (pipe(ends) != 0) throw std::runtime_error("pipe");
        pid = fork();
        if (pid == 0) {
            const auto status = octavo_section_start(section);
            const auto told = status == OCTAVO_OK ? held() : octavo_status_name(status);
            [[maybe_unused]] const auto count = write(ends[1], told.c_str(), told.size() + 1);
            for (;;) pause();
        }
        char text[128] = "";
        if (read(ends[0], text, sizeof text) <= 0) text[0] = '\0';
        name = text;
        close(ends[0]);
        close(ends[1]);
    }
    void end() const {
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
    }
};

class Section : public testing::Test {
protected:
    Section() {
        folder_.write("octavo_dev0.conf", section_text("SSL", 2, true, 2));
        setenv("OCTAVO_CONFIG_DIR", folder_.path().c_str(), 1);
        setenv("OCTAVO_RUN_DIR", folder_.path().c_str(), 1);
    }
    ~Section() override {
        octavo_section_stop();
        unsetenv("OCTAVO_CONFIG_DIR");
        unsetenv("OCTAVO_RUN_DIR");
    }
    TestFolder folder_;
};

TEST_F(Section, FirstFreeAndBackWhenKilled) {
    ASSERT_EQ(octavo_section_start("SSL"), OCTAVO_OK) << octavo_error_text();
    EXPECT_EQ(held(), "SSL_DEV0_INT_0");
    const Child one{"SSL"}, none{"SSL"};
    EXPECT_EQ(one.name, "SSL_DEV0_INT_1");
    EXPECT_EQ(none.name, "OCTAVO_ERR_NO_SECTION");
    one.end();
    const Child two{"SSL"};
    EXPECT_EQ(two.name, "SSL_DEV0_INT_1");
    none.end();
    two.end();
}

TEST_F(Section, AForkedChildDoesNotHoldItsParents) {
    ASSERT_EQ(octavo_section_start("SSL"), OCTAVO_OK);
    const pid_t idle = fork();
    if (idle == 0)
        for (;;) pause();
    ASSERT_EQ(octavo_section_stop(), OCTAVO_OK);
    const Child next{"SSL"};
    EXPECT_EQ(next.name, "SSL_DEV0_INT_0");
    next.end();
    kill(idle, SIGKILL);
    waitpid(idle, nullptr, 0);
}

TEST_F(Section, TellsWhatIsWrong) {
    EXPECT_EQ(octavo_section_start("SLS"), OCTAVO_ERR_CONFIGURATION);
    EXPECT_NE(std::string{octavo_error_text()}.find("did you mean \"SSL\""), std::string::npos);
    EXPECT_EQ(octavo_section_start("S L"), OCTAVO_ERR_BAD_ARGUMENT);
    setenv("OCTAVO_RUN_DIR", folder_.file("none").c_str(), 1);
    EXPECT_EQ(octavo_section_start("SSL"), OCTAVO_ERR_SYSTEM);
    EXPECT_NE(std::string{octavo_error_text()}.find("No such file"), std::string::npos) << octavo_error_text();
    folder_.write("octavo_dev0.conf", "[SSL]\nx = 1\n");
    EXPECT_EQ(octavo_section_start("SSL"), OCTAVO_ERR_CONFIGURATION);
    EXPECT_NE(std::string{octavo_error_text()}.find(":2: [SSL] x"), std::string::npos) << octavo_error_text();
}

TEST_F(Section, ThreadsTakeTurnsAndCanBeBound) {
    ASSERT_EQ(octavo_section_start("SSL"), OCTAVO_OK);
    std::size_t count = 0, index = 0;
    ASSERT_EQ(octavo_section_count(&count), OCTAVO_OK);
    EXPECT_EQ(count, 2U);
    ASSERT_EQ(octavo_section_binding(&index), OCTAVO_OK);
    EXPECT_EQ(index, 0U);
    ASSERT_EQ(octavo_section_bind(1), OCTAVO_OK) << octavo_error_text();
    ASSERT_EQ(octavo_section_binding(&index), OCTAVO_OK);
    EXPECT_EQ(index, 1U);
    EXPECT_EQ(octavo_section_bind(2), OCTAVO_ERR_BAD_ARGUMENT);
    octavo_section_instance instance{};
    instance.size = sizeof instance;
    ASSERT_EQ(octavo_section_get(1, &instance), OCTAVO_OK);
    EXPECT_STREQ(instance.name, "SSL1");
    EXPECT_EQ(instance.first_core, 1);
    EXPECT_EQ(instance.ring_size, 64U);
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

TEST_F(Section, TheSixtyFifthProcessStartsQuickly) {
    folder_.write("octavo_dev0.conf", section_text("SSL", 65, true, 1));
    std::vector<Child> others;
    for (int i = 0; i < 64; ++i) others.emplace_back("SSL");
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(octavo_section_start("SSL"), OCTAVO_OK);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - before;
    std::printf("allotment beside 64 processes: %.3f ms\n", took.count());
    EXPECT_EQ(held(), "SSL_DEV0_INT_64");
    for (const auto& other : others) other.end();
}

}  // namespace
