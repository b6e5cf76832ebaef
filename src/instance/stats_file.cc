#include "instance/stats_file.hpp"

#include <unistd.h>

#include <cstring>
#include <mutex>

#include "base/fork.hpp"
#include "base/text.hpp"
#include "instance/own_file.hpp"
#include "instance/proc.hpp"

namespace octavo::instance {
namespace {

/// This process's file, mapped. Guarded by `guard()`.
struct OwnFile {
    StatsFile* mapped = nullptr;
    std::string path;
    std::uint64_t generation = 0;
    bool tried = false;
    SectionNote section;
};

// see base/fork.hpp
fork::Mutex* const the_guard = new fork::Mutex{fork::Rank::table};
OwnFile* const the_file = new OwnFile;
fork::Mutex& guard() noexcept { return *the_guard; }
OwnFile& own_file() noexcept { return *the_file; }

void remove_at_exit() noexcept {
    const auto& file = own_file();
    if (file.mapped != nullptr && file.generation == fork::generation()) ::unlink(file.path.c_str());
}
[[maybe_unused]] const int registered = std::atexit(remove_at_exit);

/// Call with the guard held.
void follow_fork(OwnFile& file) {
    if (file.generation == fork::generation()) return;
    file.mapped = nullptr;  // the parent's: our mapping of it stays, for blocks that are still referred to
    file.tried = false;
    file.section = {};
    file.generation = fork::generation();
}

/// Call with the guard held.
void write_section(const OwnFile& file) noexcept {
    if (file.mapped == nullptr) return;
    auto& to = *file.mapped;
    copy_text(to.section, file.section.name);
    copy_text(to.section_reason, file.section.reason);
    to.section_state.store(file.section.state, std::memory_order_release);
}

/// Call with the guard held. Null where there can be no file.
StatsFile* open_own_file() {
    auto& file = own_file();
    follow_fork(file);
    if (file.tried) return file.mapped;
    file.tried = true;
    if (!device::is_counting) return nullptr;
    auto* mapped = static_cast<StatsFile*>(map_own_file("stats", sizeof(StatsFile), file.path));
    if (mapped == nullptr) return nullptr;
    const auto self = read_process(static_cast<std::uint32_t>(::getpid()));
    mapped->pid = static_cast<std::uint32_t>(::getpid());
    mapped->process_start = self.start;
    copy_text(mapped->command, self.command);
    mapped->version = kStatsVersion;
    mapped->magic = kStatsMagic;
    file.mapped = mapped;
    write_section(file);
    return mapped;
}

void mark_taken(StatsBlock& block, const char* name) noexcept {
    copy_text(block.name, name);
    block.live.store(1, std::memory_order_release);  // the name is visible first
}

/// Marked before the guard is released: the next to look must not find it free.
StatsBlock* take_from_file(const char* name) {
    const std::lock_guard lock{guard()};
    auto* file = open_own_file();
    if (file == nullptr) return nullptr;
    for (auto& block : file->blocks) {
        // acquire: the last owner's stores, which may come from another thread, come before what is written here
        if (block.live.load(std::memory_order_acquire) != 0) continue;
        std::memset(static_cast<void*>(&block), 0, sizeof block);
        mark_taken(block, name);
        return &block;
    }
    return nullptr;
}

}  // namespace

void note_endpoint(unsigned endpoint, std::uint32_t state) {
    const std::lock_guard lock{guard()};
    const auto& file = own_file();
    if (file.mapped == nullptr || file.generation != fork::generation()) return;
    file.mapped->endpoint_states[endpoint].store(state, std::memory_order_relaxed);
}

void note_section(SectionNote note) {
    const std::lock_guard lock{guard()};
    auto& file = own_file();
    follow_fork(file);
    file.section = std::move(note);
    if (file.section.state != SectionNote::none) open_own_file();
    write_section(file);
}

StatsLease::StatsLease(const char* name) { take(name); }
StatsLease::~StatsLease() { give_back(); }

void StatsLease::take(const char* name) {
    generation_ = fork::generation();
    block_ = take_from_file(name);
    if (block_ != nullptr) return;
    own_ = std::make_unique<StatsBlock>();
    block_ = own_.get();
    mark_taken(*block_, name);
}

void StatsLease::give_back() noexcept {
    if (own_ == nullptr && generation_ == fork::generation()) block_->live.store(0, std::memory_order_release);
    own_.reset();
}

void StatsLease::renew(const char* name) {
    give_back();
    take(name);
}

void add_up(const device::Counters& counters, octavo_statistics& statistics) noexcept {
    const auto value = [](const device::Counter& counter) { return counter.load(std::memory_order_relaxed); };
    statistics.submitted = value(counters.submitted);
    statistics.completed = value(counters.completed);
    statistics.failed = value(counters.failed);
    statistics.cancelled = value(counters.cancelled);
    statistics.retried = value(counters.retried);
    statistics.in_flight = value(counters.in_flight);
    statistics.in_place = value(counters.in_place);
    const auto& owner = counters.by_owner;
    const auto& engine = counters.by_engine;
    const auto& rescuer = counters.by_rescuer;
    statistics.lane_requests = value(owner.lane_requests) + value(engine.lane_requests) + value(rescuer.lane_requests);
    statistics.scalar_requests =
        value(owner.scalar_requests) + value(engine.scalar_requests) + value(rescuer.scalar_requests);
    const auto add_arrays = [&](auto& to, const auto& a, const auto& b, const auto& c) {
        for (std::size_t i = 0; i < std::size(to); ++i) to[i] = value(a[i]) + value(b[i]) + value(c[i]);
    };
    add_arrays(statistics.fallback, owner.fallback, engine.fallback, rescuer.fallback);
    add_arrays(statistics.batch_size, owner.batch_size, engine.batch_size, rescuer.batch_size);
    add_arrays(statistics.queue_time, owner.queue_time, engine.queue_time, rescuer.queue_time);
    add_arrays(statistics.service_time, owner.service_time, engine.service_time, rescuer.service_time);
}

}  // namespace octavo::instance
