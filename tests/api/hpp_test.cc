#include <type_traits>

#include "hpp_plain.hpp"
#include "support.hpp"

/// octavo.hpp: what it adds to the C interface.

namespace api_test {
namespace {

using octavo::Driver;
using octavo::Operation;
using octavo::Status;

template <typename T>
constexpr bool kMoveOnly = std::is_nothrow_move_constructible_v<T>&& std::is_nothrow_move_assignable_v<T> &&
                           !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(kMoveOnly<octavo::Key> && kMoveOnly<octavo::Instance> && kMoveOnly<octavo::Request>);
using AnyFunction = void (*)(Status, View);
static_assert(!std::is_move_constructible_v<octavo::Completion<AnyFunction>>);

class Hpp : public testing::Test {
protected:
    octavo::Request submitted() { return *instance_.submit(key_, Operation::rsa_public, input_); }

    const RsaParts& parts_ = shared_parts(512);
    octavo::Key key_ = make_key(parts_);
    octavo::Instance instance_ = make_instance(Driver::in_line);
    Buffer input_ = random_below(parts_.n), output_ = Buffer(64);
};

TEST_F(Hpp, EmptyOwnersAnswerBadHandle) {
    octavo::Key key;
    octavo::Instance instance;
    octavo::Request request;
    EXPECT_FALSE(key || instance || request);
    EXPECT_EQ(key.length().status(), Status::bad_handle);
    EXPECT_EQ(instance.poll().status(), Status::bad_handle);
    EXPECT_EQ(instance.fd().status(), Status::bad_handle);
    EXPECT_EQ(instance.statistics().status(), Status::bad_handle);
    EXPECT_EQ(instance.submit(key_, Operation::rsa_public, input_).status(), Status::bad_handle);
    EXPECT_EQ(instance_.submit(key, Operation::rsa_public, input_).status(), Status::bad_handle);
    EXPECT_EQ(request.wait(), Status::bad_handle);
    EXPECT_EQ(request.result(output_).status(), Status::bad_handle);
}

TEST_F(Hpp, KeysFromSpans) {
    const std::vector<octavo::RsaPrime> no_primes;
    const auto good = octavo::Key::create_rsa({.n = parts_.n,
                                               .e = parts_.e,
                                               .d = parts_.d,
                                               .p = parts_.p,
                                               .q = parts_.q,
                                               .dp = parts_.dp,
                                               .dq = parts_.dq,
                                               .qinv = parts_.qinv,
                                               .extra_primes = no_primes});
    ASSERT_TRUE(good);
    EXPECT_EQ(*good->length(), 64U);
    EXPECT_EQ(octavo::Key::create_rsa({.n = parts_.n, .e = {}}).status(), Status::key_e);
    EXPECT_TRUE(names(octavo::error_text(), "e"));
    const std::uint8_t nothing = 0;
    EXPECT_TRUE(octavo::Key::create_rsa({.n = parts_.n, .e = parts_.e, .d = View{&nothing, 0}})) << "empty is absent";
}

TEST_F(Hpp, ExtraPrimes) {
    const auto parts = random_parts(1024, 65537, 4);
    std::vector<octavo::RsaPrime> extra;
    for (const auto& x : parts.extra) extra.push_back({x.prime, x.exponent, x.coefficient});
    const auto create = [&] {
        return octavo::Key::create_rsa(
            {parts.n, parts.e, parts.d, parts.p, parts.q, parts.dp, parts.dq, parts.qinv, extra});
    };
    EXPECT_TRUE(create());
    extra.insert(extra.end(), 10, extra[0]);
    EXPECT_EQ(create().status(), Status::key_extra_prime);
}

TEST_F(Hpp, MovesEmptyTheSource) {
    const auto id = key_.handle().id;
    octavo::Key other{std::move(key_)};
    EXPECT_FALSE(key_);
    EXPECT_EQ(other.handle().id, id);
    key_ = std::move(other);
    EXPECT_EQ(*key_.length(), 64U);
    auto& self = key_;
    key_ = std::move(self);
    EXPECT_EQ(*key_.length(), 64U) << "self-assignment";
    key_ = make_key(parts_);
    std::size_t len = 0;
    EXPECT_EQ(octavo_key_length({id}, &len), OCTAVO_ERR_BAD_HANDLE) << "assignment destroys what was held";
}

TEST_F(Hpp, ARequestCancelsWhenItGoes) {
    octavo_request raw{};
    {
        auto first = submitted();
        raw = first.handle();
        octavo::Request moved{std::move(first)};
        EXPECT_FALSE(first);
        EXPECT_EQ(instance_.statistics()->in_flight, 1U);
    }
    EXPECT_EQ(octavo_cancel(instance_.handle(), raw), OCTAVO_CANCELLED);
    EXPECT_EQ(instance_.statistics()->cancelled, 1U);
    auto second = submitted();
    second = submitted();
    EXPECT_EQ(instance_.statistics()->cancelled, 2U) << "assignment cancels what was held";
    EXPECT_EQ(second.cancel(), Status::ok);
    EXPECT_EQ(second.cancel(), Status::cancelled);
}

TEST_F(Hpp, AShortBufferKeepsTheRequest) {
    auto request = submitted();
    EXPECT_EQ(request.result(output_).status(), Status::pending);
    EXPECT_TRUE(request);
    EXPECT_EQ(request.wait(std::chrono::seconds{60}), Status::ok);
    EXPECT_EQ(request.result(std::span{output_}.first(63)).status(), Status::bad_length);
    EXPECT_TRUE(request);
    EXPECT_EQ(*request.result(output_), 64U);
    EXPECT_FALSE(request);
    EXPECT_EQ(output_, mod_exp(input_, parts_.e, parts_.n));
    EXPECT_EQ(instance_.statistics()->cancelled, 0U);
}

TEST_F(Hpp, ARequestMayOutliveItsInstance) {
    auto request = submitted();
    instance_.reset();
    EXPECT_EQ(request.wait(), Status::bad_handle);
}

TEST_F(Hpp, NegativeTimeoutsAreNone) {
    auto request = submitted();
    const auto status = request.wait(std::chrono::seconds{-5});
    EXPECT_TRUE(status == Status::timeout || status == Status::ok);
}

TEST_F(Hpp, ACompletionRunsOnce) {
    int calls = 0;
    octavo::Completion done{[&](Status status, View output) {
        EXPECT_EQ(status, Status::ok);
        EXPECT_TRUE(std::equal(output.begin(), output.end(), mod_exp(input_, parts_.e, parts_.n).begin()));
        ++calls;
    }};
    EXPECT_EQ(instance_.submit(key_, Operation::rsa_public, input_, done), Status::pending);
    EXPECT_TRUE(done.in_flight());
    EXPECT_EQ(instance_.submit(key_, Operation::rsa_public, input_, done), Status::bad_argument);
    EXPECT_EQ(*instance_.poll(), 1U);
    EXPECT_FALSE(done.in_flight());
    EXPECT_EQ(done.cancel(), Status::cancelled);
    EXPECT_EQ(*instance_.poll(), 0U);
    EXPECT_EQ(calls, 1);
}

TEST_F(Hpp, ACompletionCancelsWhenItGoes) {
    int calls = 0;
    {
        octavo::Completion gone{[&](Status, View) { ++calls; }};
        ASSERT_EQ(instance_.submit(key_, Operation::rsa_public, input_, gone), Status::pending);
    }
    octavo::Completion taken_back{[&](Status, View) { ++calls; }};
    ASSERT_EQ(instance_.submit(key_, Operation::rsa_public, input_, taken_back), Status::pending);
    EXPECT_EQ(taken_back.cancel(), Status::ok);
    EXPECT_TRUE(instance_.poll());
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(instance_.statistics()->cancelled, 2U);
}

/// A function object that submits its own Completion again, as a stream of operations does.
struct Chain {
    octavo::Instance* instance;
    const octavo::Key* key;
    octavo::Completion<Chain>* self = nullptr;
    int calls = 0;
    void operator()(Status status, View output) {
        EXPECT_EQ(status, Status::ok);
        const Buffer next{output.begin(), output.end()};
        if (++calls == 10) return;
        EXPECT_EQ(instance->submit(*key, Operation::rsa_public, next, *self), Status::pending);
    }
};

TEST_F(Hpp, ACompletionMaySubmitItself) {
    octavo::Completion chain{Chain{&instance_, &key_}};
    chain.function().self = &chain;
    ASSERT_EQ(instance_.submit(key_, Operation::rsa_public, input_, chain), Status::pending);
    ASSERT_TRUE(poll_until(instance_.handle(), [&] { return chain.function().calls == 10; }));
}

TEST_F(Hpp, RefusalsLeaveACompletionFree) {
    octavo::Completion never{[](Status, View) { FAIL(); }};
    EXPECT_EQ(instance_.submit(key_, Operation::rsa_public, parts_.n, never), Status::input_too_large);
    EXPECT_FALSE(never.in_flight());
    instance_ = make_instance(Driver::in_line, 2);
    auto a = submitted(), b = submitted();
    EXPECT_EQ(instance_.submit(key_, Operation::rsa_public, input_, never), Status::retry);
    EXPECT_FALSE(never.in_flight());
    EXPECT_EQ(instance_.submit(key_, Operation::rsa_public, input_).status(), Status::retry);
}

TEST_F(Hpp, ExecuteInPlace) {
    const auto right = mod_exp(input_, parts_.e, parts_.n);
    EXPECT_EQ(*instance_.execute(key_, Operation::rsa_public, input_, input_), 64U);
    EXPECT_EQ(input_, right);
    EXPECT_EQ(instance_.execute(key_, Operation::rsa_public, input_, std::span{output_}.first(1)).status(),
              Status::bad_length);
}

TEST_F(Hpp, OptionsReachTheInstance) {
    EXPECT_EQ(octavo::Instance::create({.ring_size = 3}).status(), Status::bad_argument);
    EXPECT_TRUE(names(octavo::error_text(), "ring_size"));
    EXPECT_EQ(octavo::Instance::create({.driver = static_cast<Driver>(9)}).status(), Status::bad_argument);
    EXPECT_STREQ(octavo::name(Status::bad_argument), "OCTAVO_ERR_BAD_ARGUMENT");
}

TEST_F(Hpp, KeysOnCurvesAndModuli) {
    const auto curve = octavo::Key::create_ec({octavo::Curve::p256});
    ASSERT_TRUE(curve);
    EXPECT_EQ(*curve->output_length(Operation::ec_generate), 97U);
    EXPECT_EQ(curve->output_length(Operation::rsa_public).status(), Status::bad_argument);
    Buffer pair(97);
    ASSERT_EQ(*instance_.execute(*curve, Operation::ec_generate, {}, pair), pair.size());
    const View bytes = pair;
    const auto key = octavo::Key::create_ec({octavo::Curve::p256, bytes.first(32), bytes.subspan(32)});
    ASSERT_TRUE(key);
    const Buffer digest(32, 1);
    Buffer signed_digest(64);
    ASSERT_EQ(*instance_.execute(*key, Operation::ecdsa_sign, digest, signed_digest), 64U);
    signed_digest.insert(signed_digest.end(), digest.begin(), digest.end());
    EXPECT_EQ(*instance_.execute(*key, Operation::ecdsa_verify, signed_digest, {}), 0U);
    signed_digest.back() ^= 1;
    EXPECT_EQ(instance_.execute(*key, Operation::ecdsa_verify, signed_digest, {}).status(), Status::bad_signature);
    EXPECT_EQ(octavo::Key::create_ec({static_cast<octavo::Curve>(99)}).status(), Status::key_curve);
    EXPECT_EQ(octavo::Key::create_ec({octavo::Curve::x25519, {}, bytes.first(3)}).status(), Status::key_public);
    EXPECT_EQ(octavo::Key::create_ec({octavo::Curve::p256, bytes.first(60)}).status(), Status::key_private);
    const auto modulus = octavo::Key::create_modulus({parts_.n, 32});
    ASSERT_TRUE(modulus);
    EXPECT_EQ(*modulus->output_length(Operation::mod_exp), 64U);
    EXPECT_EQ(octavo::Key::create_modulus({parts_.n, 0}).status(), Status::key_exponent_len);
    EXPECT_EQ(octavo::Key::create_modulus({{}, 32}).status(), Status::key_modulus);
}

TEST_F(Hpp, AnInstanceAnswersForItself) {
    EXPECT_EQ(*instance_.driver(), Driver::in_line);
    EXPECT_EQ(*instance_.polling_mode(), octavo::PollingMode::standard);
    EXPECT_EQ(*instance_.waiter_computes(key_, Operation::rsa_public), false);
    EXPECT_EQ(octavo::Instance().waiter_computes(key_, Operation::rsa_public).status(), Status::bad_handle);
    EXPECT_EQ(instance_.consult(key_, Operation::rsa_public, false), Status::portable);
    EXPECT_EQ(instance_.consult(key_, Operation::ecdsa_sign, false), Status::bad_argument);
    EXPECT_EQ(instance_.progress()->num_queued, 0U);
    const auto request = submitted();
    EXPECT_EQ(instance_.progress()->num_queued, 1U);
    EXPECT_EQ(instance_.progress()->num_waiting, 1U);
}

TEST(HppProcess, LibraryAndCpu) {
    EXPECT_EQ(octavo::library_version(), octavo_version());
    EXPECT_FALSE(octavo::calls_openssl());
    EXPECT_FALSE(octavo::cpu_has("no such feature"));
    EXPECT_FALSE(octavo::cpu_has(nullptr));
    EXPECT_EQ(octavo::cpu_has("avx2"), octavo_cpu_has("avx2") == 1);
}

TEST(HppProcess, SectionsAreNamedAndCounted) {
    EXPECT_EQ(octavo::set_section("no section!"), Status::bad_argument);
    EXPECT_EQ(octavo::start_section("no section!"), Status::bad_argument);
    EXPECT_EQ(octavo::set_section("SSL"), Status::ok);
    EXPECT_STREQ(octavo::section_name().text, "") << "there are no endpoint files here";
    EXPECT_EQ(octavo::count_section_instances(), 0U);
    EXPECT_EQ(octavo::get_section_instance(0).status(), Status::bad_argument);
    EXPECT_EQ(octavo::bind_to_section(0), Status::bad_argument);
    EXPECT_EQ(*octavo::section_binding(), SIZE_MAX);
    EXPECT_EQ(octavo::stop_section(), Status::ok);
}

TEST(HppProcess, PollingHasWhatCHas) {
    ASSERT_EQ(octavo::reset_polling(), Status::ok);
    ASSERT_EQ(octavo::set_polling({.mode = octavo::PollingMode::external}), Status::ok);
    const auto options = octavo::get_polling();
    EXPECT_EQ(options->mode, octavo::PollingMode::external);
    EXPECT_EQ(options->timeout, std::chrono::seconds{1}) << "the default, filled in";
    const auto instance = octavo::thread_instance();
    ASSERT_TRUE(instance);
    EXPECT_EQ(octavo::count_polled(), 1U);
    EXPECT_EQ(octavo::bind_to_polled(0), Status::ok);
    EXPECT_EQ(octavo::bind_to_polled(1), Status::bad_argument);
    EXPECT_EQ(*octavo::poll_instances(), 0U);
    EXPECT_EQ(**octavo::in_flight(octavo::InFlight::asymmetric), 0);
    EXPECT_EQ(octavo::in_flight(static_cast<octavo::InFlight>(9)).status(), Status::bad_argument);
    EXPECT_EQ(octavo::set_polling({.mode = octavo::PollingMode::timer}), Status::started);
    EXPECT_EQ(octavo::reset_polling(), Status::ok);
    EXPECT_EQ(octavo::configure_thread_instance({.driver = Driver::in_line}), Status::ok);
    EXPECT_EQ(octavo::configure_thread_instance({.ring_size = 3}), Status::bad_argument);
}

TEST(HppProcess, Retries) {
    const auto before = octavo::retry_limit();
    EXPECT_EQ(octavo::set_retry_limit(5), Status::ok);
    EXPECT_EQ(octavo::retry_limit(), 5);
    EXPECT_EQ(octavo::set_retry_limit(-2), Status::bad_argument);
    EXPECT_EQ(octavo::set_retry_limit(before), Status::ok);
    std::uint64_t count = 1;
    ASSERT_EQ(octavo_retry_count(&count), OCTAVO_OK);
    EXPECT_EQ(octavo::count_retries(), count);
}

TEST(HppProcess, JobsOfAThread) {
    EXPECT_EQ(octavo::thread_jobs::init(1, 2), Status::bad_argument);
    EXPECT_EQ(octavo::thread_jobs::init(2, 1), Status::ok);
    EXPECT_EQ(octavo::set_job_stack_size(1), Status::bad_argument);
    octavo::thread_jobs::trim();
    octavo::thread_jobs::cleanup();
}

TEST_F(Hpp, WorksWithoutExceptionsAndRtti) {
    EXPECT_EQ(plain_round_trip(key_, input_, output_), 64U);
    EXPECT_EQ(output_, input_);
}

}  // namespace
}  // namespace api_test
