#include <openssl/async.h>
#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <thread>

#include "config/config_test_files.hpp"
#include "octavo/octavo.h"
#include "provider/gcm_session.hpp"
#include "provider/keys.hpp"
#include "provider/shim.hpp"
#include "support.hpp"
#include "support/leaks.hpp"
#include "support/own_work.hpp"

namespace octavo::test {
namespace {

/// The engine as the process's default for everything, as `default_algorithms = ALL` makes it; each test runs in a process of its own (ctest).
void make_default() { ASSERT_EQ(ENGINE_set_default(engine(), ENGINE_METHOD_ALL), 1) << first_reason(); }

Pkey generate(OSSL_LIB_CTX* side, const char* type, const char* curve = nullptr) {
    if (curve != nullptr) return Pkey(EVP_PKEY_Q_keygen(side, nullptr, type, curve));
    return Pkey(EVP_PKEY_Q_keygen(side, nullptr, type, std::size_t{2048}));
}

bool sign_and_verify(OSSL_LIB_CTX* side, EVP_PKEY* key, unsigned seed) {
    const auto digest = data(32, seed);
    Data signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    auto len = signature.size();
    const auto signer = context_for(side, key), verifier = context_for(side, key);
    return EVP_PKEY_sign_init(signer.get()) == 1 && EVP_PKEY_CTX_set_signature_md(signer.get(), EVP_sha256()) == 1 &&
           EVP_PKEY_sign(signer.get(), signature.data(), &len, digest.data(), digest.size()) == 1 &&
           EVP_PKEY_verify_init(verifier.get()) == 1 &&
           EVP_PKEY_CTX_set_signature_md(verifier.get(), EVP_sha256()) == 1 &&
           EVP_PKEY_verify(verifier.get(), signature.data(), len, digest.data(), digest.size()) == 1;
}

bool derive(OSSL_LIB_CTX* side, const char* type, const char* curve) {
    const auto pair = [&] {
        return curve != nullptr ? Pkey(EVP_PKEY_Q_keygen(side, nullptr, type, curve))
                                : Pkey(EVP_PKEY_Q_keygen(side, nullptr, type));
    };
    const auto one = pair(), two = pair();
    const auto secret_of = [&](EVP_PKEY* own, EVP_PKEY* peer) {
        const auto context = context_for(side, own);
        Data secret(66);
        auto len = secret.size();
        if (EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), peer) != 1 ||
            EVP_PKEY_derive(context.get(), secret.data(), &len) != 1)
            return Data();
        secret.resize(len);
        return secret;
    };
    const auto mine = secret_of(one.get(), two.get());
    return !mine.empty() && mine == secret_of(two.get(), one.get());
}

bool everything(OSSL_LIB_CTX* side, unsigned seed) {
    static const auto rsa = generate(without_octavo(), "RSA");
    const auto ec = generate(side, "EC", "P-256"), large = generate(side, "EC", "P-384");
    return sign_and_verify(side, rsa.get(), seed) && sign_and_verify(side, ec.get(), seed) &&
           sign_and_verify(side, large.get(), seed) && derive(side, "EC", "P-256") && derive(side, "X25519", nullptr) &&
           derive(side, "X448", nullptr);
}

struct Job {
    OSSL_LIB_CTX* side;
    unsigned seed;
    ASYNC_WAIT_CTX* wait = ASYNC_WAIT_CTX_new();
    ASYNC_JOB* job = nullptr;
    bool done = false, right = false;

    Job(OSSL_LIB_CTX* on, unsigned number) : side(on), seed(number) {}
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    ~Job() { ASYNC_WAIT_CTX_free(wait); }

    static int run(void* argument) {
        auto& self = **static_cast<Job**>(argument);
        self.right = everything(self.side, self.seed);
        return 1;
    }
    void step() {
        int result = 0;
        auto* self = this;
        const int answer = ASYNC_start_job(&job, wait, &result, run, &self, sizeof self);
        EXPECT_TRUE(answer == ASYNC_PAUSE || answer == ASYNC_FINISH);
        done = answer != ASYNC_PAUSE;
    }
    bool readable(int timeout) const {
        int fd = -1;
        std::size_t count = 1;
        ASYNC_WAIT_CTX_get_all_fds(wait, &fd, &count);
        pollfd wanted{fd, POLLIN, 0};
        return poll(&wanted, 1, timeout) == 1;
    }
};

/// An event loop over so many jobs: all in flight at once. How many went right.
std::size_t run_jobs(
    std::size_t count, OSSL_LIB_CTX* side, const std::function<void()>& poll_engine = [] {}) {
    std::deque<Job> jobs;
    for (std::size_t i = 0; i < count; ++i) jobs.emplace_back(side, static_cast<unsigned>(i)).step();
    std::size_t right = 0, left = count;
    while (left != 0) {
        left = 0;
        poll_engine();
        for (auto& job : jobs) {
            if (!job.done && job.readable(1)) job.step();
            left += !job.done;
        }
    }
    for (const auto& job : jobs) right += job.right;
    return right;
}

TEST(Default, InJobs) {
    make_default();
    for (const std::size_t count : {1U, 16U, 200U}) {
        const int before = shim::submitted;
        EXPECT_EQ(run_jobs(count, nullptr), count);
        if (count > 1) {
            EXPECT_GT(shim::submitted, before);
        }
    }
}

TEST(Default, InThreads) {
    make_default();
    std::atomic<std::size_t> right{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 4; ++i)
        threads.emplace_back([&, i] {
            right += everything(nullptr, i);
            right += run_jobs(8, nullptr);
            ASYNC_cleanup_thread();
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(right, 4U * 9);
}

TEST(Default, AcrossForks) {
    make_default();
    EXPECT_EQ(run_jobs(16, nullptr), 16U);
    const auto child = fork();
    if (child == 0) {
        const bool good = everything(nullptr, 1) && run_jobs(16, nullptr) == 16;
        const auto grandchild = fork();
        if (grandchild == 0) _exit(run_jobs(4, nullptr) == 4 ? 0 : 2);
        int status = -1;
        waitpid(grandchild, &status, 0);
        _exit(good && status == 0 ? 0 : 1);
    }
    EXPECT_EQ(run_jobs(16, nullptr), 16U);
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

/// With the portable row alone, which is OpenSSL's default provider, and so asks the default engine again.
TEST(Default, ThePortableRowDoesNotCallItself) {
    ASSERT_EQ(setenv("OCTAVO_FORCE_ROW", "ref", 1), 0);
    make_default();
    EXPECT_TRUE(everything(nullptr, 1));
    EXPECT_EQ(run_jobs(16, nullptr), 16U);
}

/// Both front ends in one process: keys of a context with the provider are the provider's, the others the engine's, and all come out right.
TEST(Default, BesideTheProvider) {
    make_default();
    EXPECT_TRUE(everything(with_octavo(), 1));
    EXPECT_TRUE(everything(nullptr, 2));
    EXPECT_EQ(run_jobs(16, with_octavo()), 16U);
    EXPECT_EQ(run_jobs(16, nullptr), 16U);
}

TEST(Default, OffloadCanBeSwitchedOff) {
    make_default();
    const auto operations = [](auto&& work) {
        const int before = shim::operations();
        work();
        return shim::operations() - before;
    };
    const auto work = [] { EXPECT_EQ(run_jobs(4, nullptr), 4U); };
    shim::takes_all = true;
    EXPECT_GT(operations(work), 0);
    for (const char* bitmap : {"HW_ALGO_BITMAP", "SW_ALGO_BITMAP"})
        ASSERT_EQ(ENGINE_ctrl_cmd_string(engine(), bitmap, "0x0", 0), 1);
    EXPECT_EQ(operations(work), 0);
    ASSERT_EQ(ENGINE_ctrl_cmd_string(engine(), "SW_ALGO_BITMAP", "0x1", 0), 1);
    EXPECT_GT(operations(work), 0) << "RSA by one of the two";
    ASSERT_EQ(ENGINE_ctrl_cmd_string(engine(), "DISABLE_QAT_OFFLOAD", nullptr, 0), 1);
    EXPECT_EQ(operations(work), 0);
}

TEST(Life, ExternalPollingIsTheApplications) {
    auto loaded = load();
    ASSERT_EQ(ENGINE_ctrl_cmd_string(loaded.get(), "ENABLE_EXTERNAL_POLLING", nullptr, 0), 1);
    ASSERT_EQ(ENGINE_set_default(loaded.get(), ENGINE_METHOD_ALL), 1) << first_reason();
    std::deque<Job> jobs;
    for (unsigned i = 0; i < 16; ++i) jobs.emplace_back(nullptr, i).step();
    EXPECT_FALSE(jobs.front().done || jobs.front().readable(50)) << "nobody has polled";
    for (std::size_t left = jobs.size(); left != 0;) {
        int status = -7;
        ASSERT_EQ(ENGINE_ctrl_cmd(loaded.get(), "POLL", 0, &status, nullptr, 0), 1) << first_reason();
        EXPECT_EQ(status, 0);
        left = 0;
        for (auto& job : jobs) {
            if (!job.done && job.readable(0)) job.step();
            left += !job.done;
        }
    }
    for (const auto& job : jobs) EXPECT_TRUE(job.right);
}

/// Which instance of the section the calling thread's jobs went to.
std::size_t run_jobs_on_an_instance() {
    const int before = shim::submitted;
    EXPECT_EQ(run_jobs(4, nullptr), 4U);
    EXPECT_GE(shim::submitted - before, 4);
    std::size_t index = SIZE_MAX;
    EXPECT_EQ(octavo_section_binding(&index), OCTAVO_OK);
    return index;
}

TEST(Life, ThreadsTakeTurnsOnASectionsInstancesOrAreBound) {
    const octavo::config::TestFolder folder;
    folder.write("octavo_dev0.conf", octavo::config::section_text("SSL", 1, true, 2));
    for (const char* variable : {"OCTAVO_CONFIG_DIR", "OCTAVO_RUN_DIR"}) setenv(variable, folder.path().c_str(), 1);
    auto loaded = load();
    ASSERT_EQ(ENGINE_ctrl_cmd_string(loaded.get(), "SET_CONFIGURATION_SECTION_NAME", "SSL", 0), 1) << first_reason();
    ASSERT_EQ(ENGINE_set_default(loaded.get(), ENGINE_METHOD_ALL), 1) << first_reason();
    std::vector<std::size_t> first(4), later(4), bound(2);
    for (std::size_t i = 0; i < first.size(); ++i)
        std::thread([&] {
            first[i] = run_jobs_on_an_instance();
            later[i] = run_jobs_on_an_instance();
        }).join();
    for (auto& index : bound)
        std::thread([&] {
            EXPECT_EQ(ENGINE_ctrl_cmd(loaded.get(), "SET_INSTANCE_FOR_THREAD", 1, nullptr, nullptr, 0), 1);
            index = run_jobs_on_an_instance();
        }).join();
    EXPECT_EQ(first,
              (first.front() == 0 ? std::vector<std::size_t>{0, 1, 0, 1} : std::vector<std::size_t>{1, 0, 1, 0}));
    EXPECT_EQ(later, first) << "a thread stays with its instance";
    EXPECT_EQ(bound, (std::vector<std::size_t>{1, 1}));
}

struct PollingMode {
    octavo_polling_mode mode;
    const char* name;
    std::vector<const char*> commands;
};
std::ostream& operator<<(std::ostream& out, const PollingMode& mode) { return out << mode.name; }
const PollingMode kPollingModes[] = {
    {OCTAVO_POLLING_TIMER, "timer", {"DISABLE_EVENT_DRIVEN_POLLING_MODE"}},
    {OCTAVO_POLLING_EVENT, "event", {"ENABLE_EVENT_DRIVEN_POLLING_MODE"}},
    {OCTAVO_POLLING_EXTERNAL, "external", {"ENABLE_EXTERNAL_POLLING"}},
    {OCTAVO_POLLING_HEURISTIC, "heuristic", {"ENABLE_EXTERNAL_POLLING", "ENABLE_HEURISTIC_POLLING"}},
    {OCTAVO_POLLING_INLINE, "inline", {"ENABLE_INLINE_POLLING"}},
};
class Polling : public testing::TestWithParam<PollingMode> {};

TEST_P(Polling, JobsComeOutRight) {
    const auto loaded = load();
    const auto& given = GetParam();
    for (const char* command : given.commands)
        ASSERT_EQ(ENGINE_ctrl_cmd_string(loaded.get(), command, nullptr, 0), 1) << first_reason();
    ASSERT_EQ(ENGINE_set_default(loaded.get(), ENGINE_METHOD_ALL), 1) << first_reason();
    const int* in_flight = nullptr;
    ASSERT_EQ(ENGINE_ctrl_cmd(loaded.get(), "GET_NUM_REQUESTS_IN_FLIGHT", 1, &in_flight, nullptr, 0), 1);
    const bool is_external = given.commands.front() == std::string("ENABLE_EXTERNAL_POLLING");
    const auto poll_engine = [&] {
        int status = 0;
        if (is_external && *in_flight > 0) {
            EXPECT_EQ(ENGINE_ctrl_cmd(loaded.get(), "POLL", 0, &status, nullptr, 0), 1) << first_reason();
        }
        EXPECT_EQ(status, 0);
    };
    for (const std::size_t count : {1U, 16U}) {
        const int before = shim::submitted;
        EXPECT_EQ(run_jobs(count, nullptr, poll_engine), count);
        EXPECT_GE(shim::submitted - before, static_cast<int>(count));
    }
    octavo_instance instance{};
    std::uint32_t mode = 99;
    EXPECT_EQ(octavo_thread_instance(&instance), OCTAVO_OK);
    EXPECT_EQ(octavo_instance_polling(instance, &mode), OCTAVO_OK);
    EXPECT_EQ(mode, static_cast<std::uint32_t>(given.mode));
}

INSTANTIATE_TEST_SUITE_P(Modes, Polling, testing::ValuesIn(kPollingModes),
                         [](const auto& mode) { return std::string(mode.param.name); });

TEST(Life, LoadedAndUnloadedAgainAndAgain) {
    for (int round = 0; round < 4; ++round)
        for (const std::string id : {"octavo", "qatengine"}) {
            const auto loaded = load(id);
            ASSERT_NE(loaded, nullptr) << first_reason();
            EXPECT_EQ(ENGINE_get_id(loaded.get()), id);
            ASSERT_EQ(ENGINE_init(loaded.get()), 1);
            const std::unique_ptr<EC_KEY, decltype(&EC_KEY_free)> key(EC_KEY_new_method(loaded.get()), EC_KEY_free);
            const PkeyContext context(EVP_PKEY_CTX_new_id(EVP_PKEY_X25519, loaded.get()));
            EVP_PKEY* pair = nullptr;
            EXPECT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
            EXPECT_EQ(EVP_PKEY_keygen(context.get(), &pair), 1);
            EVP_PKEY_free(pair);
            ENGINE_finish(loaded.get());
        }
}

/// One library is one engine: OpenSSL binds it once at a time, under either id.
bool seal_by_engine() {
    const CipherContext context(EVP_CIPHER_CTX_new());
    const auto key = data(16, 1), iv = data(12, 2), text = data(100, 3);
    Data out(text.size());
    int len = 0;
    return EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), engine(), key.data(), iv.data()) == 1 &&
           EVP_EncryptUpdate(context.get(), out.data(), &len, text.data(), static_cast<int>(text.size())) == 1;
}

enum class Stage { before, inside, over };
std::atomic<Stage> stage{Stage::before};

TEST(Life, AForkWhileACipherIsFirstUsedLeavesNothingLocked) {
    if (!cpu_has_wide_aes()) GTEST_SKIP() << "no VAES with AVX-512: AES-GCM is OpenSSL's own";
    ASSERT_NE(engine(), nullptr);
    own_work::on_manager = [] {
        stage = Stage::inside;
        stage.notify_all();
        stage.wait(Stage::inside);
    };
    std::thread first([] {
        const LossesExpected
            by_the_loader;  // what it notes of a library that was there from the start, a leak checker does not find
        EXPECT_TRUE(seal_by_engine());
    });
    stage.wait(Stage::before);
    own_work::on_manager = nullptr;
    const auto child = fork();
    if (child == 0) {
        alarm(60);  // a child that waits for a thread of its parent's
        _exit(seal_by_engine() ? 0 : 1);
    }
    stage = Stage::over;
    stage.notify_all();
    first.join();
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(Life, OneIdAtATime) {
    const auto loaded = load();
    ASSERT_NE(loaded, nullptr);
    EXPECT_EQ(load("qatengine"), nullptr);
    ERR_clear_error();
}

/// A key that outlives every reference to its engine but its own.
TEST(Life, AKeyOutlivesTheEngine) {
    auto loaded = load();
    ASSERT_EQ(ENGINE_init(loaded.get()), 1);
    auto* key = EC_KEY_new_method(loaded.get());
    auto* group = EC_GROUP_new_by_curve_name(NID_secp384r1);
    EC_KEY_set_group(key, group);
    EC_GROUP_free(group);
    ENGINE_finish(loaded.get());
    loaded.reset();
    EXPECT_EQ(EC_KEY_generate_key(key), 1);
    EC_KEY_free(key);
}

TEST(Life, OtherIdsAreNotAnswered) {
    Engine engine(ENGINE_by_id("dynamic"));
    ENGINE_ctrl_cmd_string(engine.get(), "SO_PATH", OCTAVO_ENGINES "/octavo.so", 0);
    ENGINE_ctrl_cmd_string(engine.get(), "ID", "another", 0);
    EXPECT_NE(ENGINE_ctrl_cmd_string(engine.get(), "LOAD", nullptr, 0), 1);
}

/// `lines` in the engine's section of an openssl.cnf: whether OpenSSL takes it.
bool load_conf(const std::string& lines) {
    const std::string text =
        "openssl_conf = init\n[init]\nengines = engines\n[engines]\nany = engine\n[engine]\n"
        "dynamic_path = " OCTAVO_ENGINES "/octavo.so\nengine_id = octavo\n" +
        lines;
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                        BIO_free);
    const std::unique_ptr<CONF, decltype(&NCONF_free)> conf(NCONF_new(nullptr), NCONF_free);
    ERR_clear_error();
    return NCONF_load_bio(conf.get(), bio.get(), nullptr) == 1 && CONF_modules_load(conf.get(), nullptr, 0) == 1;
}

TEST(Conf, CommandsAreLines) {
    ENGINE_load_dynamic();
    ASSERT_TRUE(
        load_conf("SET_MAX_RETRY_COUNT = 17\nENABLE_INLINE_POLLING = EMPTY\ndefault_algorithms = RSA,DSA,DH,EC,PKEY\n"))
        << first_reason();
    std::int32_t limit = 0;
    octavo_retry_limit_get(&limit);
    EXPECT_EQ(limit, 17);
    EXPECT_STREQ(ENGINE_get_id(ENGINE_get_default_RSA()), "octavo");
    octavo_instance instance{};
    std::uint32_t mode = 0;
    ASSERT_EQ(octavo_thread_instance(&instance), OCTAVO_OK);
    octavo_instance_polling(instance, &mode);
    EXPECT_EQ(mode, static_cast<std::uint32_t>(OCTAVO_POLLING_INLINE));
    EXPECT_EQ(run_jobs(16, nullptr), 16U);
}

TEST(Conf, InitAlone) {
    ASSERT_TRUE(load_conf("init = 1\n")) << first_reason();
    EXPECT_EQ(ENGINE_get_default_RSA(), nullptr);
}

TEST(Conf, ALineThatComesTooLateIsAnError) {
    EXPECT_FALSE(load_conf("default_algorithms = RSA\nENABLE_INLINE_POLLING = EMPTY\n"));
    EXPECT_EQ(first_reason(), "too late: the engine is initialised");
}

TEST(Conf, ABadNumberIsAnError) {
    EXPECT_FALSE(load_conf("SET_EPOLL_TIMEOUT = 0\ndefault_algorithms = RSA\n"));
    EXPECT_EQ(first_reason(), "the number is out of its range");
}

}  // namespace
}  // namespace octavo::test
