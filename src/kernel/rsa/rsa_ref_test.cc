#include <gtest/gtest.h>
#include <openssl/err.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include "kernel/rsa/rsa_test_keys.hpp"

/// The portable row: the shapes that only it takes, its failures, threads and forks.
namespace octavo::kernel::rsa::test {
namespace {

struct Result {
    bool ok;
    ByteVector out;
};

Result run(Batch* batch, const RefForm* form, const ByteVector& in, std::size_t len) {
    const KeyForms forms{nullptr, nullptr, form};
    ByteVector out(len, 0xEE);
    Job job{&forms, in.data(), out.data(), len, false};
    batch(&job, 1, nullptr);
    return {job.ok, std::move(out)};
}
Result run_private(const RefForm* form, const ByteVector& in) {
    return run(ref_row().run_private, form, in, in.size());
}
Result run_public(const RefForm* form, const ByteVector& in) { return run(ref_row().run_public, form, in, in.size()); }

void expect_works(const TestKey& key, const Components& components) {
    const RefFormPtr form = make_ref_form(components);
    ASSERT_NE(form, nullptr);
    EXPECT_EQ(check_components(components), Fault::ok);
    for (const ByteVector& in : {random_below(key.n), random_below(key.n), bytes_of(bn(0), key.len())}) {
        const Result to_private = run_private(form.get(), in), to_public = run_public(form.get(), in);
        EXPECT_TRUE(to_private.ok && to_public.ok);
        EXPECT_EQ(to_private.out, mod_exp(in, key.d, key.n));
        EXPECT_EQ(to_public.out, mod_exp(in, key.e, key.n));
    }
}

TEST(RsaRef, SizesThatNoLaneTakes) {
    for (const unsigned bits : {512U, 520U, 768U, 1024U, 1030U, 2040U, 2047U, 2056U}) {
        SCOPED_TRACE(bits);
        const TestKey key = generate_key(bits, 65537);
        expect_works(key, Parts(key).all());
    }
}

TEST(RsaRef, KeysWithoutCrtValues) {
    for (const std::size_t bits : {2048U, 3072U, 4096U}) {
        const TestKey& key = keys_of_size(bits)[1];
        expect_works(key, Parts(key).without_crt());
    }
}

TEST(RsaRef, MultiPrimeKeys) {
    for (const auto& [bits, primes] : {std::pair{2048U, 3U}, {4096U, 3U}, {4096U, 4U}, {8192U, 5U}}) {
        SCOPED_TRACE(std::to_string(bits) + " bits, primes: " + std::to_string(primes));
        const TestKey key = generate_key(bits, 65537, primes);
        expect_works(key, Parts(key).all());
    }
}

TEST(RsaRef, PublicKeysOfExtremeSizes) {
    for (const std::size_t bits : {512U, 8192U, 16384U}) {
        TestKey key;
        key.n = random_below(ByteVector(bits / 8, 0xFF));
        key.n.front() |= 0x80;
        key.n.back() |= 1;
        for (const std::uint64_t e : {std::uint64_t{3}, std::uint64_t{65537}, ~std::uint64_t{0}}) {
            key.e = bytes_of(bn(e));
            const RefFormPtr form = make_ref_form(Parts(key).public_only());
            ASSERT_NE(form, nullptr);
            const ByteVector in = random_below(key.n);
            const Result result = run_public(form.get(), in);
            EXPECT_TRUE(result.ok);
            EXPECT_EQ(result.out, mod_exp(in, key.e, key.n));
        }
    }
}

TEST(RsaRef, LeadingZerosChangeNothing) {
    TestKey key = keys_of_size(2048)[2];
    const ByteVector in = random_below(key.n), expected = mod_exp(in, key.d, key.n);
    for (ByteVector* number : {&key.n, &key.e, &key.d, &key.p, &key.q, &key.dp, &key.dq, &key.qinv})
        number->insert(number->begin(), 5, 0);
    const RefFormPtr form = make_ref_form(Parts(key).all());
    ASSERT_NE(form, nullptr);
    EXPECT_EQ(check_components(Parts(key).all()), Fault::ok);
    EXPECT_EQ(run_private(form.get(), in).out, expected);
}

/// An error of the caller's is alone on the queue, and nothing else comes to it.
class RsaRefErrors : public ::testing::Test {
protected:
    void SetUp() override {
        ERR_clear_error();
        ERR_raise(ERR_LIB_USER, 77);
    }
    void TearDown() override {
        EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), 77) << "the caller's error is gone";
        EXPECT_EQ(ERR_get_error(), 0U) << "an error was left behind";
    }
    static void expect_fault(const Result& result) {
        EXPECT_FALSE(result.ok);
        EXPECT_EQ(result.out, ByteVector(result.out.size(), 0));
    }
};

TEST_F(RsaRefErrors, InputNotLessThanTheModulus) {
    const TestKey& key = keys_of_size(2048)[0];
    const RefFormPtr form = make_ref_form(Parts(key).all());
    for (const ByteVector& in : {key.n, ByteVector(key.len(), 0xFF)}) {
        expect_fault(run_private(form.get(), in));
        expect_fault(run_public(form.get(), in));
    }
    EXPECT_TRUE(run_private(form.get(), random_below(key.n)).ok) << "a failure spoilt the form";
}

TEST_F(RsaRefErrors, AbsentFormsAndParts) {
    const TestKey& key = keys_of_size(2048)[0];
    const ByteVector in = random_below(key.n);
    expect_fault(run_private(nullptr, in));
    const RefFormPtr form = make_ref_form(Parts(key).public_only());
    ASSERT_NE(form, nullptr);
    expect_fault(run_private(form.get(), in));
    EXPECT_TRUE(run_public(form.get(), in).ok);
}

TEST_F(RsaRefErrors, LengthThatIsNotTheModulusLength) {
    const TestKey& key = keys_of_size(2048)[0];
    const RefFormPtr form = make_ref_form(Parts(key).all());
    const ByteVector in(key.len() + 1, 0);
    for (const std::size_t len : {std::size_t{0}, std::size_t{1}, key.len() - 1, key.len() + 1}) {
        expect_fault(run(ref_row().run_private, form.get(), in, len));
        expect_fault(run(ref_row().run_public, form.get(), in, len));
    }
}

TEST_F(RsaRefErrors, KeysThatOpenSslRefuses) {
    EXPECT_EQ(make_ref_form({}), nullptr);
    TestKey key = keys_of_size(2048)[0];
    key.extra.assign(4, {key.p, key.dp, key.qinv});
    EXPECT_EQ(make_ref_form(Parts(key).all()), nullptr) << "six primes";
    key = keys_of_size(2048)[0];
    key.n.insert(key.n.begin(), kMaxModulusBytes, 1);
    EXPECT_EQ(make_ref_form(Parts(key).public_only()), nullptr) << "a modulus too wide";
}

TEST_F(RsaRefErrors, WrongExponentGivesNoResult) {
    TestKey key = keys_of_size(2048)[0];
    key.d.back() ^= 2;
    const RefFormPtr form = make_ref_form(Parts(key).without_crt());
    ASSERT_NE(form, nullptr);
    expect_fault(run_private(form.get(), random_below(key.n)));
}

TEST_F(RsaRefErrors, WrongCrtValueGivesNoWrongResult) {
    TestKey key = keys_of_size(2048)[0];
    key.dp.back() ^= 2;
    const RefFormPtr form = make_ref_form(Parts(key).all());
    ASSERT_NE(form, nullptr);
    const ByteVector in = random_below(key.n);
    const Result result = run_private(form.get(), in);
    EXPECT_TRUE(result.ok) << "OpenSSL computes it again without the CRT values";
    EXPECT_EQ(result.out, mod_exp(in, key.d, key.n));
}

/// One key's operations, on a thread, until told to stop.
class Hammer {
public:
    Hammer(const RefForm* form, const TestKey& key)
        : thread_([this, form, in = random_below(key.n), &key] {
              const ByteVector expected = mod_exp(in, key.d, key.n);
              while (!stop_.load(std::memory_order_relaxed)) {
                  const Result result = run_private(form, in);
                  right_ = right_ && result.ok && result.out == expected && run_public(form, result.out).out == in;
              }
          }) {}
    Hammer(const Hammer&) = delete;
    Hammer& operator=(const Hammer&) = delete;
    ~Hammer() {
        if (thread_.joinable()) stop();
    }
    bool stop() {
        stop_.store(true, std::memory_order_relaxed);
        thread_.join();
        return right_;
    }

private:
    std::atomic<bool> stop_{false};
    bool right_ = true;
    std::thread thread_;
};

TEST(RsaRefThreads, ManyUseOneKey) {
    const TestKey key = generate_key(1024, 65537);
    const RefFormPtr form = make_ref_form(Parts(key).all());
    std::vector<std::unique_ptr<Hammer>> hammers;
    for (int i = 0; i < 12; ++i) hammers.push_back(std::make_unique<Hammer>(form.get(), key));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    for (auto& hammer : hammers) EXPECT_TRUE(hammer->stop());
}

/// What a child found; it must not hang on a lock that a thread of the parent held at the fork.
enum ChildAnswer : int { right = 0, wrong = 1 };

int exit_of(pid_t child) {
    int status = 0;
    if (waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

template <typename Child>
int in_child(Child&& child) {
    const pid_t pid = fork();
    if (pid != 0) return exit_of(pid);
    alarm(30);
    _exit(child() ? right : wrong);
}

TEST(RsaRefFork, ChildrenOfABusyParent) {
    const TestKey key = generate_key(512, 65537);
    const ByteVector in = random_below(key.n), expected = mod_exp(in, key.d, key.n);
    const RefFormPtr form = make_ref_form(Parts(key).all());
    const auto works = [&] { return run_private(form.get(), in).out == expected; };
    std::vector<std::unique_ptr<Hammer>> hammers;
    for (int i = 0; i < 3; ++i) hammers.push_back(std::make_unique<Hammer>(form.get(), key));
    for (int i = 0; i < 200; ++i) ASSERT_EQ(in_child(works), right) << "child " << i;
    for (auto& hammer : hammers) EXPECT_TRUE(hammer->stop());
}

TEST(RsaRefFork, AnyDepthAndFreshKeys) {
    const TestKey key = generate_key(512, 65537), other = generate_key(512, 65537);
    const ByteVector in = random_below(key.n), expected = mod_exp(in, key.d, key.n);
    RefFormPtr form = make_ref_form(Parts(key).all());
    const auto works = [&] { return run_private(form.get(), in).out == expected; };
    const auto grandchild = [&] {
        if (!works() || check_components(Parts(other).all()) != Fault::ok) return false;
        const RefFormPtr fresh = make_ref_form(Parts(other).all());
        form.reset();
        return fresh && run_private(fresh.get(), random_below(other.n)).ok;
    };
    EXPECT_EQ(in_child([&] { return works() && in_child(grandchild) == right && works(); }), right);
    EXPECT_TRUE(works());
}

}  // namespace
}  // namespace octavo::kernel::rsa::test
