#include "instance/thread_instance.hpp"

#include "base/error.hpp"

namespace octavo::instance {
namespace {

/// More jobs of one thread than an ordinary instance's ring holds are usual in event-driven servers.
constexpr Instance::Config kDefaults{.name = "thread", .ring_size = 1024};

// No destructor, so that it outlives the holder in the thread's last moments.
thread_local bool thread_is_ending = false;

struct Holder {
    std::uint64_t handle = 0;
    ~Holder() {
        thread_is_ending = true;
        [[maybe_unused]] const bool was_there = instances().destroy(handle);
    }
};
thread_local Holder holder;

}  // namespace

std::uint64_t thread_instance() {
    if (thread_is_ending) return 0;
    if (instances().look_up(holder.handle) == nullptr)
        holder.handle = instances().add(std::make_unique<Instance>(kDefaults));
    return holder.handle;
}

octavo_status configure_thread_instance(const Instance::Config& config) {
    if (thread_is_ending) return fail(OCTAVO_ERR_BAD_ARGUMENT, "the thread is ending");
    auto* const old = instances().look_up(holder.handle);
    if (old != nullptr && !old->idle())
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "the thread's instance has requests; configure it before its first use");
    const auto handle = instances().add(std::make_unique<Instance>(config));
    if (handle == 0) return fail(OCTAVO_ERR_NO_MEMORY, "no memory or no place for another instance");
    [[maybe_unused]] const bool was_there = instances().destroy(holder.handle);
    holder.handle = handle;
    return OCTAVO_OK;
}

}  // namespace octavo::instance
