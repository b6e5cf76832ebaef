#pragma once

#include <array>
#include <atomic>
#include <barrier>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "support.hpp"

/// A model of what octavo.h promises, and workers that drive the library and the model together by random steps.
///
/// Whatever a callback or wake-up gets as its argument is on the heap and is freed at the moment from which the library must not use it
/// any more, so that a late use is a crash under the sanitizers.
namespace api_test::model {

using Random = std::mt19937_64;

/// Prints the seed and where, and ends the process.
[[noreturn]] void failed(const char* file, int line, const char* condition);
#define MODEL_CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::api_test::model::failed(__FILE__, __LINE__, #condition))

struct Answer {
    std::uint32_t operation;
    Buffer input, output;
};

/// Keys with known answers that all threads use, and that any of them replaces at any time.
class KeyRing {
public:
    struct Pick {
        std::size_t slot;
        std::uint64_t id;
        const Answer* answer;
    };

    KeyRing();
    KeyRing(const KeyRing&) = delete;
    KeyRing& operator=(const KeyRing&) = delete;
    ~KeyRing();
    /// A key as it is now; another thread may destroy it right after.
    Pick pick(Random& random) const;
    /// False where the key has been replaced since.
    bool is_current(const Pick& pick) const { return slots_[pick.slot].id == pick.id; }
    /// Puts a new handle of the same key in the old one's place, then destroys the old one.
    void replace(Random& random);

private:
    struct Slot {
        RsaParts parts;
        std::vector<Answer> answers;
        unsigned weight = 0;
        std::atomic<std::uint64_t> id{0};
    };
    std::array<Slot, 8> slots_;
};

/// What a wake-up points to: an eventfd or a counter.
class WakeTarget {
public:
    explicit WakeTarget(bool by_fd);
    WakeTarget(const WakeTarget&) = delete;
    WakeTarget& operator=(const WakeTarget&) = delete;
    ~WakeTarget();
    octavo_wakeup wakeup();
    /// How often it was woken since the last call.
    int take();

private:
    int fd_ = -1;
    std::atomic<int> calls_{0};
};

class Bench;

/// An accepted request whose end has not been seen.
struct Live {
    static constexpr std::uint64_t kAlive = 0x6c6976652d6f6e65;
    std::uint64_t alive = kAlive;
    Bench* bench = nullptr;
    std::size_t index = 0;
    const Answer* answer = nullptr;
    octavo_request request{};
    bool has_callback = false;
    bool pending = true;     ///< submission answered PENDING: its wake-up must come
    bool done = false;       ///< seen to be done: must not be PENDING again
    bool inherited = false;  ///< from before a fork: may be cancelled
    std::unique_ptr<WakeTarget> wake;
    ~Live() { alive = 0; }
};

class Worker;

/// An instance and its model.
class Bench {
public:
    Bench(Worker& worker, Random& random);
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;
    ~Bench();

    void create(Random& random);
    void destroy();
    Live* pick(Random& random) const { return live_.empty() ? nullptr : live_[random() % live_.size()].get(); }
    std::uint64_t void_handle(Random& random) const { return voids_[random() % voids_.size()]; }

    void accept(std::unique_ptr<Live> live);
    /// The end of a request by callback or result; frees it.
    void complete(Live& live, octavo_status status, View output);
    /// The end of a request by cancel; frees it.
    void cancelled(Live& live);
    void inherit();

    void check_retry();
    void check_polled(std::size_t quota, std::size_t num_reaped, std::size_t callbacks_before);
    void check_statistics();

    octavo_instance handle{};
    octavo::Driver driver{};
    Worker& worker;
    bool in_callback = false;
    std::uint64_t executed = 0, retried = 0;
    std::size_t num_callbacks = 0;
    std::size_t size() const { return live_.size(); }
    std::uint32_t ring_size() const { return ring_size_; }

private:
    void remove(Live& live);

    std::vector<std::unique_ptr<Live>> live_;
    std::array<std::uint64_t, 8> voids_{};
    std::size_t next_void_ = 0;
    std::uint32_t ring_size_ = 0;
    std::uint64_t accepted_ = 0;
    std::size_t zombies_ = 0;  // at most so many cancelled requests still hold a place
    bool counts_known_ = true;
};

struct Options {
    std::uint64_t steps = 0;
    bool forks = false;
    bool gated = false;  ///< fork only where no engine thread is ending
};

struct Shared {
    KeyRing keys;
    std::atomic<std::uint64_t>* operations;  ///< in memory shared with children
    std::mutex gate;
    std::barrier<> all_steps_done;  ///< nobody ends while anybody may fork
};

/// One thread's random steps over its own instances.
class Worker {
public:
    Worker(Shared& shared, std::uint64_t seed, Options options);
    void run();
    /// Whatever a callback may do.
    void inside_callback(Bench& bench);

private:
    struct Action {
        unsigned weight;
        void (Worker::*run)(Bench&);
    };
    static const Action kActions[];

    void step();
    void act(Bench& bench);
    void finish();
    void fork_child();
    [[noreturn]] void live_as_child();

    void submit(Bench& bench);
    void submit_bad(Bench& bench);
    void poll(Bench& bench);
    void result(Bench& bench);
    void cancel(Bench& bench);
    void cancel_void(Bench& bench);
    void use_void(Bench& bench);
    void wait_none(Bench& bench);
    void wait_done(Bench& bench);
    void execute(Bench& bench);
    void statistics(Bench& bench);
    void renew_instance(Bench& bench);
    void renew_key(Bench& bench);
    void ask_fd(Bench& bench);
    void wait(Bench& bench, std::uint64_t timeout_ns);

    Shared& shared_;
    Options options_;
    Random random_;
    int depth_ = 0;  // of forks
    std::vector<std::unique_ptr<Bench>> benches_;
};

extern std::atomic<std::uint64_t> current_seed;

}  // namespace api_test::model
