#include "frontend/bridge/thread_instance.hpp"

#include <cstdint>

namespace octavo::bridge {
namespace {

/// More jobs of one thread than the library's default ring holds are usual in event-driven servers.
constexpr std::uint32_t kRingSize = 1024;

// No destructor, so that it outlives the holder in the thread's last moments.
thread_local bool thread_is_ending = false;

struct Holder {
    octavo_instance instance{};
    ~Holder() {
        thread_is_ending = true;
        if (instance.id != 0) octavo_instance_destroy(instance);
    }
};
thread_local Holder holder;

octavo_instance create() noexcept {
    octavo_instance_config config{};
    config.size = sizeof config;
    config.name = "openssl";
    config.driver = OCTAVO_DRIVER_AUTO;
    config.ring_size = kRingSize;
    octavo_instance instance{};
    if (octavo_instance_create(&config, &instance) != OCTAVO_OK) return {0};
    return instance;
}

}  // namespace

octavo_instance thread_instance() noexcept {
    if (thread_is_ending) return {0};
    if (holder.instance.id == 0) holder.instance = create();
    return holder.instance;
}

const void* thread_token() noexcept { return &thread_is_ending; }

}  // namespace octavo::bridge
