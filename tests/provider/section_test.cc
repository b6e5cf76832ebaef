#include <thread>

#include "section_child.hpp"
#include "signing_jobs.hpp"
#include "support/engine_threads.hpp"
#include "support/polling_settings.hpp"

/// The provider in a process that holds a section: which of its instances work, and who computes there.
namespace octavo::test {
namespace {

class ProviderInstances : public api_test::SectionTest {
protected:
    ~ProviderInstances() override { octavo_polling_reset(); }

    void start(const std::string& general, const std::vector<std::string>& instances) {
        configure(api_test::section_of(general, instances));
        ASSERT_EQ(octavo_section_start("S"), OCTAVO_OK) << octavo_error_text();
    }
    /// Jobs on the calling thread's instance: which one it is. SIZE_MAX where they went elsewhere.
    static std::size_t sign_in_jobs(Told told) {
        const auto load = one_load(8);
        Loop loop{load, told};
        loop.start();
        loop.run([] { return false; });
        EXPECT_TRUE(loop.all_right());
        octavo_statistics s{};
        s.size = sizeof s;
        EXPECT_EQ(octavo_instance_statistics(thread_instance(), &s), OCTAVO_OK);
        std::size_t index = 0;
        EXPECT_EQ(octavo_section_binding(&index), OCTAVO_OK);
        return s.submitted >= load.num_jobs ? index : SIZE_MAX;
    }
};

TEST_F(ProviderInstances, ThreadsTakeTurnsAndStay) {
    start("", {"", "", ""});
    api_test::expect_turns([] { return sign_in_jobs(Told::by_fd); }, [] { return sign_in_jobs(Told::by_callback); });
}

TEST_F(ProviderInstances, AThreadThatIsBoundStaysThere) {
    start("", {"", "", ""});
    std::thread([] {
        ASSERT_EQ(octavo_section_bind(2), OCTAVO_OK) << octavo_error_text();
        for (int i = 0; i < 3; ++i) EXPECT_EQ(sign_in_jobs(Told::by_fd), 2U);
    }).join();
}

/// What there is while the jobs of a thread wait.
struct Seen {
    std::size_t num_engine_threads;
    std::int32_t num_in_flight;
};
bool operator==(const Seen& a, const Seen& b) {
    return a.num_engine_threads == b.num_engine_threads && a.num_in_flight == b.num_in_flight;
}
std::ostream& operator<<(std::ostream& out, const Seen& seen) {
    return out << seen.num_engine_threads << " engine threads, " << seen.num_in_flight << " requests in flight";
}

template <typename Poll>
Seen sign_in_thread(Poll&& poll) {
    Seen seen{};
    std::thread([&] {
        const auto before = engine_threads();
        const auto load = one_load(16);
        Loop loop{load, Told::by_fd};
        loop.start();
        seen = {num_engine_threads_since(before), num_in_flight()};
        loop.run(poll);
        EXPECT_TRUE(loop.all_right());
    }).join();
    return seen;
}

struct Polled {
    const char* key;
    std::size_t num_engine_threads;
};
/// 0 and 2: the descriptor tells, and so an engine thread computes, also where whoever polls could.
constexpr Polled kPolled[] = {{"@IsPolled = 0\n", 1}, {"@IsPolled = 1\n", 0}, {"@IsPolled = 2\n", 1}};

TEST_F(ProviderInstances, TheFrontEndPollsThoseThatArePolled) {
    const Pinned pinned;
    for (const auto& [key, num_threads] : kPolled) {
        start("", {key});
        EXPECT_EQ(sign_in_thread([] { return false; }), (Seen{num_threads, 0})) << key;
        ASSERT_EQ(octavo_section_stop(), OCTAVO_OK);
    }
}

/// More jobs than the ring holds: they try again, and what finds no place in the end is computed in place.
TEST_F(ProviderInstances, AFullRingInEveryMode) {
    const auto poll_external = [] { return octavo_polling_poll(OCTAVO_POLLING_ALL, nullptr) == OCTAVO_OK; };
    const auto load = one_load(40);
    std::uint64_t before = 0, after = 0;
    ASSERT_EQ(octavo_retry_count(&before), OCTAVO_OK);
    for (const char* mode : {"auto", "timer", "event", "external", "heuristic", "inline"})
        for (const char* driver : {"auto", "threads"}) {
            SCOPED_TRACE(std::string{mode} + " " + driver);
            start(std::string{"RingSize = 8\nPollingMode = "} + mode + "\nDriver = " + driver + "\n", {""});
            for (const auto told : {Told::by_fd, Told::by_callback})
                std::thread([&] {
                    Loop loop{load, told};
                    loop.start();
                    loop.run(poll_external);
                    EXPECT_TRUE(loop.all_right());
                }).join();
            ASSERT_EQ(octavo_section_stop(), OCTAVO_OK);
            ASSERT_EQ(octavo_retry_count(&after), OCTAVO_OK);
            EXPECT_GT(after, before) << "the ring was never full";
            before = after;
        }
}

TEST_F(ProviderInstances, TheApplicationPollsWhereTheFileSaysSo) {
    const auto poll = [] {
        EXPECT_EQ(octavo_polling_poll(OCTAVO_POLLING_ALL, nullptr), OCTAVO_OK) << octavo_error_text();
        return true;
    };
    for (const auto& [key, num_threads] : kPolled) {
        start("PollingMode = external\n", {key});
        EXPECT_EQ(sign_in_thread(poll), (Seen{num_threads, 16})) << key;
        ASSERT_EQ(octavo_section_stop(), OCTAVO_OK);
    }
}

}  // namespace
}  // namespace octavo::test
