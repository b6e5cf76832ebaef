#include <gtest/gtest.h>
#include <octavo/octavo.h>
#include <openssl/rand.h>

#include <vector>

#include "support.hpp"

namespace {

using api_test::Buffer;
using api_test::View;

/// A registered modulus, destroyed at the end.
class Modulus {
public:
    Modulus(View modulus, std::size_t exponent_len) {
        const octavo_modulus numbers{
            sizeof numbers, {modulus.empty() ? nullptr : modulus.data(), modulus.size()}, exponent_len};
        status = octavo_key_create_modulus(&numbers, &handle);
    }
    Modulus(const Modulus&) = delete;
    Modulus& operator=(const Modulus&) = delete;
    ~Modulus() {
        if (status == OCTAVO_OK) octavo_key_destroy(handle);
    }

    octavo_key handle{};
    octavo_status status;
};

Buffer random_bytes(std::size_t len) {
    Buffer bytes(len);
    EXPECT_EQ(RAND_bytes(bytes.data(), static_cast<int>(len)), 1);
    return bytes;
}

/// Odd, with its top bit set.
Buffer random_modulus(std::size_t bits) {
    auto n = random_bytes(bits / 8);
    n.front() |= 0x80, n.back() |= 1;
    return n;
}

Buffer joined(View a, View b) {
    Buffer both(a.begin(), a.end());
    both.insert(both.end(), b.begin(), b.end());
    return both;
}

octavo_submission submission_of(octavo_key key, View input) {
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    submission.key = key;
    submission.operation = OCTAVO_MOD_EXP;
    submission.input = input.data();
    submission.input_len = input.size();
    return submission;
}

class ModExp : public testing::TestWithParam<octavo::Driver> {
protected:
    octavo::Instance instance_ = api_test::make_instance(GetParam());
};

/// Lane sizes and others, with long and with short exponents, many at once.
TEST_P(ModExp, IsOpenSslsAnswer) {
    for (const std::size_t bits : {512, 1536, 2048, 3072, 4096, 8192}) {
        const auto n = random_modulus(bits);
        const std::size_t exponent_len = bits == 8192 ? 40 : bits / 16;
        const Modulus key(n, exponent_len);
        ASSERT_EQ(key.status, OCTAVO_OK) << octavo_error_text();
        std::vector<Buffer> bases, exponents;
        std::vector<octavo_request> requests(9);
        for (auto& request : requests) {
            bases.push_back(api_test::random_below(n));
            exponents.push_back(random_bytes(exponent_len));
            const auto input = joined(bases.back(), exponents.back());
            const auto submission = submission_of(key.handle, input);
            ASSERT_GE(octavo_submit(instance_.handle(), &submission, &request), OCTAVO_OK) << octavo_error_text();
        }
        for (std::size_t i = 0; i < requests.size(); ++i) {
            Buffer output(n.size());
            std::size_t len = 0;
            ASSERT_EQ(octavo_wait(instance_.handle(), requests[i], UINT64_MAX), OCTAVO_OK);
            EXPECT_EQ(octavo_result(instance_.handle(), requests[i], output.data(), output.size(), &len), OCTAVO_OK);
            EXPECT_EQ(len, n.size());
            EXPECT_EQ(output, api_test::mod_exp(bases[i], exponents[i], n)) << bits << " bits, request " << i;
        }
    }
}

TEST_P(ModExp, InPlace) {
    const auto n = random_modulus(2048), base = api_test::random_below(n), exponent = random_bytes(29);
    const Modulus key(n, exponent.size());
    const auto input = joined(base, exponent);
    Buffer output(n.size());
    std::size_t len = 0;
    EXPECT_EQ(octavo_execute(instance_.handle(), key.handle, OCTAVO_MOD_EXP, input.data(), input.size(), output.data(),
                             output.size(), &len),
              OCTAVO_OK);
    EXPECT_EQ(output, api_test::mod_exp(base, exponent, n));
}

TEST_P(ModExp, BadInputIsNamed) {
    const auto n = random_modulus(2048);
    const Modulus key(n, 32);
    octavo_request request{};
    const auto refuse = [&](View input, octavo_status wanted, const char* word) {
        const auto submission = submission_of(key.handle, input);
        EXPECT_EQ(octavo_submit(instance_.handle(), &submission, &request), wanted);
        EXPECT_TRUE(api_test::names(octavo_error_text(), word)) << octavo_error_text();
    };
    refuse(Buffer(256 + 31), OCTAVO_ERR_BAD_LENGTH, "input_len");
    refuse(Buffer(256 + 33), OCTAVO_ERR_BAD_LENGTH, "input_len");
    refuse(joined(n, Buffer(32)), OCTAVO_ERR_INPUT_TOO_LARGE, "base");
    const Buffer input(288);
    auto submission = submission_of(key.handle, input);
    submission.operation = OCTAVO_RSA_PUBLIC;
    EXPECT_LT(octavo_submit(instance_.handle(), &submission, &request), OCTAVO_OK);
}

INSTANTIATE_TEST_SUITE_P(Drivers, ModExp, testing::ValuesIn(api_test::kAllDrivers), api_test::driver_name);

TEST(ModulusKey, BadNumbersAreNamed) {
    auto even = random_modulus(2048);
    even.back() &= 0xFE;
    const struct {
        Buffer modulus;
        std::size_t exponent_len;
        octavo_status status;
        const char* word;
    } cases[] = {{even, 32, OCTAVO_ERR_KEY_MODULUS, "even"},
                 {{}, 32, OCTAVO_ERR_KEY_MODULUS, "bits"},
                 {random_modulus(504), 32, OCTAVO_ERR_KEY_MODULUS, "bits"},
                 {random_modulus(8200), 32, OCTAVO_ERR_KEY_MODULUS, "bits"},
                 {Buffer(4096, 0xFF), 32, OCTAVO_ERR_KEY_MODULUS, "length"},
                 {random_modulus(2048), 0, OCTAVO_ERR_KEY_EXPONENT_LEN, "exponent_len"},
                 {random_modulus(2048), 257, OCTAVO_ERR_KEY_EXPONENT_LEN, "exponent_len"}};
    for (const auto& c : cases) {
        const Modulus key(c.modulus, c.exponent_len);
        EXPECT_EQ(key.status, c.status);
        EXPECT_EQ(key.handle.id, 0U);
        EXPECT_TRUE(api_test::names(octavo_error_text(), c.word)) << octavo_error_text();
    }
    octavo_key key{7};
    EXPECT_EQ(octavo_key_create_modulus(nullptr, &key), OCTAVO_ERR_NULL_ARGUMENT);
    EXPECT_EQ(key.id, 0U);
}

TEST(ModulusKey, LeadingZerosDoNotCount) {
    const auto n = random_modulus(2048);
    const auto longer = joined(Buffer(3), n);
    const Modulus key(longer, 16);
    ASSERT_EQ(key.status, OCTAVO_OK) << octavo_error_text();
    std::size_t len = 0;
    EXPECT_EQ(octavo_key_output_length(key.handle, OCTAVO_MOD_EXP, &len), OCTAVO_OK);
    EXPECT_EQ(len, n.size());
}

}  // namespace
