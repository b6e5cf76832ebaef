#include "job/wait.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <new>

#include "base/error.hpp"
#include "base/fork.hpp"
#include "job/thread.hpp"

namespace octavo::job {
namespace {

// Its address is the key of a context's own descriptor.
const char event_key = 0;

void put(int*& place, int fd) noexcept {
    if (place != nullptr) *place++ = fd;
}

void end_paused(std::uint64_t id) noexcept {
    auto* job = table::find(id);
    if (job == nullptr) return;
    auto* owner = job->owner.load(std::memory_order_relaxed);
    if (owner != Thread::if_any())
        owner->orphan(id);
    else if (job->state == OCTAVO_JOB_STATE_PAUSED)
        (void)owner->discard({id});
    else
        job->wait_object = nullptr;
}

}  // namespace

static Handles<Wait>* const table_of_waits = new Handles<Wait>;  // see base/fork.hpp
Handles<Wait>& waits() noexcept { return *table_of_waits; }

Wait::~Wait() {
    if (event_ >= 0) close(event_);
}

void Wait::add_fd(const void* key, int fd, void* data, octavo_wait_cleanup* cleanup) {
    entries_.push_back({key, fd, data, cleanup, true, false});
    changed_ = true;
}

/// The latest under the key.
Wait::Entry* Wait::find(const void* key) noexcept {
    const auto found = std::find_if(entries_.rbegin(), entries_.rend(),
                                    [&](const Entry& entry) { return !entry.deleted && entry.key == key; });
    return found == entries_.rend() ? nullptr : &*found;
}

bool Wait::find_fd(const void* key, int& fd, void*& data) const noexcept {
    const auto* entry = const_cast<Wait*>(this)->find(key);
    if (entry == nullptr) return false;
    fd = entry->fd;
    data = entry->data;
    return true;
}

bool Wait::clear_fd(const void* key) noexcept {
    auto* entry = find(key);
    if (entry == nullptr) return false;
    if (entry->added) {
        entries_.erase(entries_.begin() + (entry - entries_.data()));  // nobody has been told of it
    } else {
        entry->deleted = true;
        changed_ = true;
    }
    return true;
}

std::size_t Wait::all_fds(int* fds) const noexcept {
    std::size_t count = 0;
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
        if (entry->deleted) continue;
        put(fds, entry->fd);
        ++count;
    }
    return count;
}

void Wait::changed_fds(int* added, std::size_t& num_added, int* deleted, std::size_t& num_deleted) const noexcept {
    num_added = num_deleted = 0;
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
        if (entry->deleted) {
            put(deleted, entry->fd);
            ++num_deleted;
        } else if (entry->added) {
            put(added, entry->fd);
            ++num_added;
        }
    }
}

void Wait::forget_changed() noexcept {
    std::erase_if(entries_, [](const Entry& entry) { return entry.deleted; });
    for (auto& entry : entries_) entry.added = false;
    changed_ = false;
}

void Wait::clean_up(octavo_wait_context self) noexcept {
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
        if (!entry->deleted && entry->cleanup != nullptr) entry->cleanup(self, entry->key, entry->fd, entry->data);
    entries_.clear();
}

void Wait::call_back(void* self) {
    const auto* wait = static_cast<const Wait*>(self);
    wait->callback_(wait->callback_argument_);
}

/// After a fork the descriptor is the parent's as well, and so are the wake-ups in it: the child needs another.
bool Wait::make_event() noexcept {
    const auto now = fork::generation();
    if (event_ >= 0 && event_fork_ == now) return true;
    const int fresh = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fresh < 0) return false;
    if (shown_ >= 0) clear_fd(&event_key);
    shown_ = -1;
    if (event_ >= 0) close(event_);
    event_ = fresh;
    event_fork_ = now;
    return true;
}

/// Not when it is made: who was never told to wait, because the operation was done at once, has no use for it.
bool Wait::add_event() noexcept try {
    add_fd(&event_key, event_, nullptr, nullptr);
    shown_ = event_;
    return true;
} catch (const std::bad_alloc&) {
    return false;
}

bool Wait::wakeup(octavo_wakeup& wakeup) noexcept {
    if (callback_ != nullptr) {
        wakeup = {-1, call_back, this};
        return true;
    }
    if (!make_event()) return false;
    wakeup = {event_, nullptr, nullptr};
    return true;
}

bool Wait::notify() noexcept {
    if (callback_ != nullptr) {
        call_back(this);
        return true;
    }
    if (event_ < 0 || event_fork_ != fork::generation()) return false;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(event_, &one, sizeof one);
    return true;
}

void Wait::drain() noexcept {
    if (event_ < 0 || event_fork_ != fork::generation()) return;
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(event_, &count, sizeof count);
}

octavo_status free_wait(octavo_wait_context wait) noexcept {
    auto* object = waits().look_up(wait.id);
    if (object == nullptr) return fail(OCTAVO_ERR_BAD_HANDLE, "wait: the context was freed or never was");
    end_paused(object->job.load(std::memory_order_relaxed));
    object->clean_up(wait);
    return waits().destroy(wait.id) ? OCTAVO_OK : OCTAVO_ERR_BAD_HANDLE;
}

}  // namespace octavo::job
