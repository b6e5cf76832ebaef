#include "instance/health.hpp"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <new>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/parking.hpp"
#include "base/worker_thread.hpp"
#include "device/endpoint.hpp"
#include "device/rescue.hpp"
#include "instance/endpoint_health.hpp"
#include "instance/events.hpp"
#include "instance/fault_file.hpp"
#include "instance/proc.hpp"
#include "instance/stats_file.hpp"

namespace octavo::instance {

using device::endpoint;
using device::kMaxEndpoints;

namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kAwayTickNs =
    5 * kMs;  // requests that were on their way when an endpoint went away are found then
constexpr std::uint64_t kFaultTickNs = 50 * kMs;  // where faults are allowed

bool environment_allows_faults() noexcept {
    const char* const value = secure_getenv("OCTAVO_FAULTS");
    return value != nullptr && std::strcmp(value, "1") == 0;
}

}  // namespace

/// All of it belongs to whoever holds the mutex.
struct Health {
    static Health& get() noexcept { return *the_health; }

    void join(Member& member);
    void leave(Member& member) noexcept;
    void follow_fork() noexcept;
    void ensure_thread() noexcept;
    void allow_faults(unsigned number);

    /// What a round of the thread leaves to do.
    struct Round {
        Happenings events;
        FaultFile* file = nullptr;
        std::uint32_t seen = 0;
        std::uint64_t timeout_ns = 0;
    };
    static void thread_main(void*) noexcept;
    static void sleep(const Round& round) noexcept;
    void tick(Round& round) noexcept;
    void follow_faults() noexcept;
    bool allows_faults(unsigned number) const noexcept;
    template <typename Which>
    void drop(Which&& which) noexcept;
    void show_ills(unsigned number) noexcept;
    void look_at_engines(std::uint64_t now) noexcept;
    Signs signs_of(unsigned number, std::uint64_t now) const noexcept;
    void apply(unsigned number, octavo_event event) noexcept;
    void wake_members(unsigned number) noexcept;
    std::uint64_t next_tick() const noexcept;
    bool rescue_one() noexcept;
    bool is_quiet() noexcept;

    fork::Mutex mutex{fork::Rank::engine};
    Member* first = nullptr;
    std::uint64_t generation = fork::generation();
    bool has_thread = false;
    WorkerThread thread;
    FaultFile* file = nullptr;
    std::uint32_t seen = 0;  ///< FaultFile::asked, as far as it has been followed
    FaultList faults;

    struct Place {
        EndpointHealth health;
        std::uint64_t hang_timeout_ns = kHangTimeoutMs * kMs;
        std::size_t num_instances = 0;
        bool is_busy = false, engine_is_stuck = false;  ///< of its engine threads: any
    };
    std::array<Place, kMaxEndpoints> places;

    static Health* const the_health;
};
Health* const Health::the_health = new Health;  // see base/fork.hpp

// ---- instances ----

void Health::join(Member& member) {
    auto& place = places[member.config_.endpoint];
    member.before_ = nullptr;
    member.next_ = first;
    if (first != nullptr) first->before_ = &member;
    first = &member;
    ++place.num_instances;
    place.hang_timeout_ns = member.config_.hang_timeout_ms * kMs;
}

void Health::leave(Member& member) noexcept {
    (member.before_ == nullptr ? first : member.before_->next_) = member.next_;
    if (member.next_ != nullptr) member.next_->before_ = member.before_;
    --places[member.config_.endpoint].num_instances;
}

/// In a child: the thread and the file are the parent's, and all endpoints are up again.
void Health::follow_fork() noexcept {
    if (generation == fork::generation()) return;
    generation = fork::generation();
    has_thread = false;
    file = nullptr;
    faults = {};
    for (auto& place : places) {
        place.health = {};
        place.engine_is_stuck = false;
    }
}

void Health::ensure_thread() noexcept {
    if (has_thread || !device::has_health) return;
    new (&thread) WorkerThread;  // of this process: a parent's is not to be joined
    has_thread = thread.start("octavo-health", thread_main, nullptr, WorkerThread::Waking::prompt);
}

void Health::allow_faults(unsigned number) {
    if (!device::has_health) return;
    if (file == nullptr) {
        file = make_fault_file();
        if (file == nullptr) return;
        seen = 0;
    }
    device::health_parking.wake();
    const auto more = environment_allows_faults() ? UINT32_MAX : 1U << number;
    file->allowed.store(file->allowed.load(std::memory_order_relaxed) | more, std::memory_order_relaxed);
    ensure_thread();
}

Member::Member(device::Port& port, device::Counters::Work& counters, const HealthConfig& config)
    : port_(port), counters_(&counters), config_(config) {
    auto& health = Health::get();
    const std::lock_guard lock{health.mutex};
    health.follow_fork();
    if (config.allows_faults || environment_allows_faults()) health.allow_faults(config.endpoint);
    health.join(*this);
}

Member::~Member() {
    auto& health = Health::get();
    const std::lock_guard lock{health.mutex};
    health.leave(*this);
}

void Member::renew(device::Counters::Work& counters) {
    auto& health = Health::get();
    const std::lock_guard lock{health.mutex};
    health.follow_fork();
    counters_ = &counters;
    if (config_.allows_faults || environment_allows_faults()) health.allow_faults(config_.endpoint);
}

void Member::watch_engine() noexcept {
    auto& health = Health::get();
    const std::lock_guard lock{health.mutex};
    health.ensure_thread();
}

// ---- the thread ----

void Health::thread_main(void*) noexcept {
    auto& self = get();
    for (;;) {
        fork::step_aside();
        Round round;
        self.tick(round);
        while (self.rescue_one()) {
            fork::step_aside();
            sched_yield();  // to whoever waited for it
        }
        call_subscribers(round.events);
        sleep(round);
    }
}

void Health::tick(Round& round) noexcept {
    const std::lock_guard lock{mutex};
    const auto now = now_ns();
    follow_faults();
    look_at_engines(now);
    for (unsigned number = 0; number < kMaxEndpoints; ++number) {
        auto& place = places[number];
        if (place.num_instances == 0 && place.health.state() == OCTAVO_ENDPOINT_UP) continue;
        const auto event = place.health.step(signs_of(number, now), now);
        if (!event) continue;
        apply(number, *event);
        round.events.add({number, *event});
    }
    drop([](const Fault& fault) { return fault.kind == FaultKind::restart; });
    for (auto* member = first; member != nullptr; member = member->next_) member->next_slot_ = 0;
    if (file != nullptr) faults_followed(*file, seen);
    round.file = file;
    round.seen = seen;
    round.timeout_ns = next_tick();
}

/// Takes over what stands in the file. What is asked after this is seen in the next round.
void Health::follow_faults() noexcept {
    if (file == nullptr) return;
    const auto asked = file->asked.load(std::memory_order_acquire);
    if (asked == seen) return;
    seen = asked;
    faults = read_faults(*file);
    for (unsigned number = 0; number < kMaxEndpoints; ++number) show_ills(number);
}

bool Health::allows_faults(unsigned number) const noexcept {
    return file != nullptr && (file->allowed.load(std::memory_order_relaxed) >> number & 1) != 0;
}

/// Takes faults that have done their work out of the file.
template <typename Which>
void Health::drop(Which&& which) noexcept {
    FaultList left;
    for (const auto& fault : faults) {
        if (which(fault))
            remove_fault(*file, fault);
        else
            left.add(fault);
    }
    faults = left;
}

/// What the faults are for whoever drives a device of the endpoint.
void Health::show_ills(unsigned number) noexcept {
    auto& it = endpoint(number);
    bool ailing = !it.is_up();
    for (std::uint32_t operation = 0; operation < device::kMaxOperations; ++operation) {
        std::uint64_t delay_ns = 0, errors_ppm = 0;
        bool hangs = false;
        for (const auto& fault : faults) {
            if (!allows_faults(number) || !fault.concerns(number, operation)) continue;
            if (fault.kind == FaultKind::delay) delay_ns = std::max(delay_ns, fault.value);
            if (fault.kind == FaultKind::error) errors_ppm = std::max(errors_ppm, fault.value);
            hangs = hangs || fault.kind == FaultKind::hang;
        }
        auto& ills = it.ills[operation];
        if (!hangs) it.hung_since_ns.store(0, std::memory_order_relaxed);
        ills.delay_ns.store(delay_ns, std::memory_order_relaxed);
        ills.errors_ppm.store(static_cast<std::uint32_t>(errors_ppm), std::memory_order_relaxed);
        ills.hangs.store(hangs, std::memory_order_relaxed);
        ailing = ailing || delay_ns > 0 || errors_ppm > 0 || hangs;
    }
    const auto bit = 1U << number;
    if (ailing)
        device::ailing_endpoints.fetch_or(bit, std::memory_order_release);  // the ills and the state are visible first
    else
        device::ailing_endpoints.fetch_and(~bit, std::memory_order_release);
}

void Health::look_at_engines(std::uint64_t now) noexcept {
    for (auto& place : places) place.is_busy = place.engine_is_stuck = false;
    for (auto* member = first; member != nullptr; member = member->next_) {
        auto& place = places[member->config_.endpoint];
        const auto beats = member->port_.beats.load(std::memory_order_acquire);
        const bool in_batch = beats % 2 == 1;
        const auto time =
            in_batch ? read_thread(member->port_.engine_thread.load(std::memory_order_relaxed)) : ThreadTime{};
        const bool stuck = member->progress_.is_stuck(beats, time, now, place.hang_timeout_ns);
        place.is_busy = place.is_busy || in_batch;
        place.engine_is_stuck = place.engine_is_stuck || stuck;
    }
}

Signs Health::signs_of(unsigned number, std::uint64_t now) const noexcept {
    const auto& place = places[number];
    Signs signs;
    bool hangs = false;
    for (const auto& fault : faults) {
        if (!allows_faults(number) || !fault.concerns(number)) continue;
        signs.is_killed = signs.is_killed || fault.kind == FaultKind::kill;
        if (fault.kind == FaultKind::restart) signs.restart_ns = std::max(signs.restart_ns, fault.value);
        hangs = hangs || fault.kind == FaultKind::hang;
    }
    const auto since = endpoint(number).hung_since_ns.load(std::memory_order_relaxed);
    signs.is_stuck = place.engine_is_stuck || (hangs && since != 0 && now >= since + place.hang_timeout_ns);
    return signs;
}

/// An endpoint that goes away takes a hang with it.
void Health::apply(unsigned number, octavo_event event) noexcept {
    const auto state = places[number].health.state();
    endpoint(number).state.store(state, std::memory_order_release);
    if (event != OCTAVO_EVENT_RESTARTED)
        drop([number](const Fault& fault) { return fault.kind == FaultKind::hang && fault.concerns(number); });
    for (unsigned each = 0; each < kMaxEndpoints; ++each) show_ills(each);
    note_endpoint(number, state);
    wake_members(number);
}

/// Who sleeps over requests of the endpoint has to look at them again, at once.
void Health::wake_members(unsigned number) noexcept {
    for (auto* member = first; member != nullptr; member = member->next_) {
        if (member->config_.endpoint != number) continue;
        member->port_.engine.wake();
        member->port_.owner.wake();
    }
}

std::uint64_t Health::next_tick() const noexcept {
    std::uint64_t next = file != nullptr ? kFaultTickNs : Parking::kForEver;
    for (const auto& place : places) {
        if (place.health.state() != OCTAVO_ENDPOINT_UP) return kAwayTickNs;
        if (place.is_busy) next = std::min(next, place.hang_timeout_ns / 4);
    }
    return next;
}

/// False where there is none left. One at a time, so that nobody waits long for the mutex.
bool Health::rescue_one() noexcept {
    if (device::ailing_endpoints.load(std::memory_order_relaxed) == 0) return false;
    const std::lock_guard lock{mutex};
    for (auto* member = first; member != nullptr; member = member->next_) {
        auto& from = member->next_slot_;
        if (endpoint(member->config_.endpoint).is_up() || from >= member->port_.num_slots) continue;
        from = device::rescue_next(member->port_, from, *member->counters_);
        return true;
    }
    return false;
}

void Health::sleep(const Round& round) noexcept {
    if (round.file != nullptr) {
        sleep_for_fault(*round.file, round.seen, round.timeout_ns);
    } else if (round.timeout_ns != Parking::kForEver) {
        timespec timeout{};
        timeout.tv_nsec = static_cast<long>(std::min<std::uint64_t>(round.timeout_ns, 999 * kMs));
        nanosleep(&timeout, nullptr);
    } else {
        const auto ticket = device::health_parking.announce();
        if (get().is_quiet())
            device::health_parking.sleep(ticket, Parking::kForEver);
        else
            device::health_parking.withdraw();
    }
}

/// No engine thread is at work, and no faults are allowed.
bool Health::is_quiet() noexcept {
    const std::lock_guard lock{mutex};
    if (file != nullptr) return false;
    for (auto* member = first; member != nullptr; member = member->next_)
        if (member->port_.beats.load(std::memory_order_acquire) % 2 == 1) return false;
    return true;
}

// ---- what others may ask ----

std::size_t count_endpoints() noexcept {
    auto& health = Health::get();
    const std::lock_guard lock{health.mutex};
    return static_cast<std::size_t>(std::count_if(health.places.begin(), health.places.end(),
                                                  [](const auto& place) { return place.num_instances > 0; }));
}

octavo_status get_endpoint(std::size_t index, octavo_endpoint& given) noexcept {
    auto& health = Health::get();
    const std::lock_guard lock{health.mutex};
    health.follow_fork();
    for (unsigned number = 0; number < kMaxEndpoints; ++number) {
        const auto& place = health.places[number];
        if (place.num_instances == 0 || index-- > 0) continue;
        const bool answers =
            !place.engine_is_stuck && endpoint(number).hung_since_ns.load(std::memory_order_relaxed) == 0;
        const auto state = place.health.state();
        given = {sizeof given, number, state, state == OCTAVO_ENDPOINT_UP && answers, place.num_instances};
        return OCTAVO_OK;
    }
    return fail(OCTAVO_ERR_BAD_ARGUMENT, "index: the process has no instance on so many endpoints");
}

}  // namespace octavo::instance
