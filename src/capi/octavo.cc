#include <octavo/octavo.h>

#include <bit>
#include <cstring>
#include <memory>

#include "base/cpu.hpp"
#include "base/error.hpp"
#include "capi/guard.hpp"
#include "config/thread_instance.hpp"
#include "instance/instance.hpp"
#include "kernel/openssl_ref.hpp"
#include "request/ec_key.hpp"
#include "request/modulus_key.hpp"
#include "request/rsa_key.hpp"

namespace {

using octavo::fail;
using octavo::capi::check_size;
using octavo::capi::guarded;
using octavo::capi::null_argument;
using octavo::instance::Instance;

template <typename Kind, typename Numbers>
octavo_status create_key(const Numbers* numbers, octavo_key* key) noexcept {
    if (key == nullptr) return null_argument("key");
    *key = {0};
    if (numbers == nullptr) return null_argument("numbers");
    if (const auto status = check_size("numbers", *numbers); status != OCTAVO_OK) return status;
    return guarded([&] {
        std::unique_ptr<octavo::request::Key> created;
        if (const auto status = Kind::create(*numbers, created); status != OCTAVO_OK) return status;
        key->id = octavo::request::keys().add(std::move(created));
        return key->id != 0 ? OCTAVO_OK : fail(OCTAVO_ERR_NO_MEMORY, "no memory or no place for another key");
    });
}

/// Looks an instance up and calls `body` with it.
template <typename Body>
octavo_status with(octavo_instance handle, Body&& body) noexcept {
    auto* instance = octavo::instance::instances().look_up(handle.id);
    if (instance == nullptr) return fail(OCTAVO_ERR_BAD_HANDLE, "instance: the handle was destroyed or never was");
    return body(*instance);
}

octavo_status check_config(const octavo_instance_config& config) noexcept {
    if (const auto status = check_size("config", config); status != OCTAVO_OK) return status;
    if (config.name != nullptr && std::strlen(config.name) > 31)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "config.name: over 31 bytes");
    if (config.driver > OCTAVO_DRIVER_THREADS)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "config.driver: %u is none; see octavo_driver", config.driver);
    const auto ring = config.ring_size;
    if (ring != 0 && (ring < 2 || ring > 4096 || !std::has_single_bit(ring)))
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "config.ring_size: %u; a power of two from 2 to 4096, or 0 for 256", ring);
    if (config.never_in_place > 1)
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "config.never_in_place: %u; 0 or 1", config.never_in_place);
    return OCTAVO_OK;
}

Instance::Config to_config(const octavo_instance_config& given) noexcept {
    Instance::Config config;
    if (given.name != nullptr) config.name = given.name;
    config.driver = static_cast<octavo_driver>(given.driver);
    if (given.ring_size != 0) config.ring_size = given.ring_size;
    config.never_in_place = given.never_in_place != 0;
    return config;
}

}  // namespace

extern "C" {

int octavo_calls_openssl(void) { return octavo::kernel::is_in_openssl() ? 1 : 0; }

int octavo_cpu_has(const char* feature) {
    namespace cpu = octavo::cpu;
    const auto wanted = feature == nullptr ? cpu::none : cpu::feature_of(feature);
    return wanted != cpu::none && cpu::has(cpu::available(), wanted) ? 1 : 0;
}

uint32_t octavo_version(void) {
    return OCTAVO_VERSION_MAJOR * 10000 + OCTAVO_VERSION_MINOR * 100 + OCTAVO_VERSION_PATCH;
}

const char* octavo_status_name(octavo_status status) {
#define NAME(code) \
    case code:     \
        return #code
    switch (status) {
        NAME(OCTAVO_OK);
        NAME(OCTAVO_RETRY);
        NAME(OCTAVO_PENDING);
        NAME(OCTAVO_CANCELLED);
        NAME(OCTAVO_TIMEOUT);
        NAME(OCTAVO_PORTABLE);
        NAME(OCTAVO_ERR_NULL_ARGUMENT);
        NAME(OCTAVO_ERR_BAD_HANDLE);
        NAME(OCTAVO_ERR_BAD_ARGUMENT);
        NAME(OCTAVO_ERR_BAD_LENGTH);
        NAME(OCTAVO_ERR_INPUT_TOO_LARGE);
        NAME(OCTAVO_ERR_OVERLAP);
        NAME(OCTAVO_ERR_NO_PRIVATE_KEY);
        NAME(OCTAVO_ERR_NO_MEMORY);
        NAME(OCTAVO_ERR_SYSTEM);
        NAME(OCTAVO_ERR_UNSUPPORTED);
        NAME(OCTAVO_ERR_OPERATION_FAILED);
        NAME(OCTAVO_ERR_INTERNAL);
        NAME(OCTAVO_ERR_BAD_POINT);
        NAME(OCTAVO_ERR_BAD_SIGNATURE);
        NAME(OCTAVO_ERR_CONFIGURATION);
        NAME(OCTAVO_ERR_NO_SECTION);
        NAME(OCTAVO_ERR_STARTED);
        NAME(OCTAVO_ERR_DEVICE);
        NAME(OCTAVO_ERR_KEY_N);
        NAME(OCTAVO_ERR_KEY_E);
        NAME(OCTAVO_ERR_KEY_D);
        NAME(OCTAVO_ERR_KEY_P);
        NAME(OCTAVO_ERR_KEY_Q);
        NAME(OCTAVO_ERR_KEY_DP);
        NAME(OCTAVO_ERR_KEY_DQ);
        NAME(OCTAVO_ERR_KEY_QINV);
        NAME(OCTAVO_ERR_KEY_EXTRA_PRIME);
        NAME(OCTAVO_ERR_KEY_CURVE);
        NAME(OCTAVO_ERR_KEY_PRIVATE);
        NAME(OCTAVO_ERR_KEY_PUBLIC);
        NAME(OCTAVO_ERR_KEY_MODULUS);
        NAME(OCTAVO_ERR_KEY_EXPONENT_LEN);
    }
#undef NAME
    return "OCTAVO_?";
}

const char* octavo_error_text(void) { return octavo::last_error_text(); }

octavo_status octavo_key_create_rsa(const octavo_rsa_key* numbers, octavo_key* key) {
    return create_key<octavo::request::RsaKey>(numbers, key);
}

octavo_status octavo_key_create_ec(const octavo_ec_key* numbers, octavo_key* key) {
    return create_key<octavo::request::EcKey>(numbers, key);
}

octavo_status octavo_key_create_modulus(const octavo_modulus* numbers, octavo_key* key) {
    return create_key<octavo::request::ModulusKey>(numbers, key);
}

octavo_status octavo_key_destroy(octavo_key key) {
    if (octavo::request::keys().destroy(key.id)) return OCTAVO_OK;
    return fail(OCTAVO_ERR_BAD_HANDLE, "key: the handle was destroyed or never was");
}

octavo_status octavo_key_length(octavo_key key, size_t* len) {
    if (len == nullptr) return null_argument("len");
    *len = 0;
    const octavo::request::KeyRef reference{key.id};
    if (!reference) return fail(OCTAVO_ERR_BAD_HANDLE, "key: the handle was destroyed or never was");
    if (!reference->can(OCTAVO_RSA_PUBLIC)) return fail(OCTAVO_ERR_BAD_ARGUMENT, "key: no RSA key");
    *len = reference->output_length(OCTAVO_RSA_PUBLIC);
    return OCTAVO_OK;
}

octavo_status octavo_key_output_length(octavo_key key, uint32_t operation, size_t* len) {
    if (len == nullptr) return null_argument("len");
    *len = 0;
    const octavo::request::KeyRef reference{key.id};
    if (!reference) return fail(OCTAVO_ERR_BAD_HANDLE, "key: the handle was destroyed or never was");
    if (!reference->can(operation))
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "operation: %u is none of this key; see octavo_operation", operation);
    *len = reference->output_length(operation);
    return OCTAVO_OK;
}

octavo_status octavo_instance_create(const octavo_instance_config* config, octavo_instance* instance) {
    if (instance == nullptr) return null_argument("instance");
    *instance = {0};
    octavo_instance_config chosen = {sizeof chosen, nullptr, OCTAVO_DRIVER_AUTO, 0, 0};
    if (config != nullptr) {
        if (const auto status = check_config(*config); status != OCTAVO_OK) return status;
        chosen = *config;
    }
    return guarded([&] {
        instance->id = octavo::instance::instances().add(std::make_unique<Instance>(to_config(chosen)));
        return instance->id != 0 ? OCTAVO_OK : fail(OCTAVO_ERR_NO_MEMORY, "no memory or no place for another instance");
    });
}

octavo_status octavo_instance_destroy(octavo_instance instance) {
    return with(instance, [&](Instance& object) {
        if (object.in_callback())
            return fail(OCTAVO_ERR_BAD_ARGUMENT, "octavo_instance_destroy() called from a callback of the instance");
        return octavo::instance::instances().destroy(instance.id) ? OCTAVO_OK : OCTAVO_ERR_BAD_HANDLE;
    });
}

octavo_status octavo_instance_progress(octavo_instance instance, uint64_t* num_queued, size_t* num_waiting) {
    if (num_queued == nullptr) return null_argument("num_queued");
    if (num_waiting == nullptr) return null_argument("num_waiting");
    return with(instance, [&](Instance& object) {
        object.progress(*num_queued, *num_waiting);
        return OCTAVO_OK;
    });
}

octavo_status octavo_instance_driver(octavo_instance instance, uint32_t* driver) {
    if (driver == nullptr) return null_argument("driver");
    return with(instance, [&](Instance& object) {
        *driver = object.driver();
        return OCTAVO_OK;
    });
}

octavo_status octavo_instance_polling(octavo_instance instance, uint32_t* mode) {
    if (mode == nullptr) return null_argument("mode");
    return with(instance, [&](Instance& object) {
        *mode = object.polling_mode();
        return OCTAVO_OK;
    });
}

octavo_status octavo_instance_state(octavo_instance instance, uint32_t* state) {
    if (state == nullptr) return null_argument("state");
    return with(instance, [&](Instance& object) {
        *state = octavo::device::endpoint(object.endpoint()).state.load(std::memory_order_acquire);
        return OCTAVO_OK;
    });
}

octavo_status octavo_instance_waiter_computes(octavo_instance instance, octavo_key key, uint32_t operation,
                                              uint32_t* computes) {
    if (computes == nullptr) return null_argument("computes");
    *computes = 0;
    return with(instance, [&](Instance& object) {
        bool answer = false;
        const auto status = object.waiter_computes(key.id, operation, answer);
        *computes = answer ? 1 : 0;
        return status;
    });
}

octavo_status octavo_thread_instance(octavo_instance* instance) {
    if (instance == nullptr) return null_argument("instance");
    *instance = {0};
    return guarded([&] {
        instance->id = octavo::config::thread_instance();
        return instance->id != 0 ? OCTAVO_OK : fail(OCTAVO_ERR_NO_MEMORY, "no memory, or the thread is ending");
    });
}

octavo_status octavo_thread_instance_configure(const octavo_instance_config* config) {
    if (config == nullptr) return null_argument("config");
    if (const auto status = check_config(*config); status != OCTAVO_OK) return status;
    return guarded([&] { return octavo::config::configure_thread_instance(to_config(*config)); });
}

octavo_status octavo_instance_fd(octavo_instance instance, int* fd) {
    if (fd == nullptr) return null_argument("fd");
    return with(instance, [&](Instance& object) { return object.event_fd(*fd); });
}

octavo_status octavo_submit(octavo_instance instance, const octavo_submission* submission, octavo_request* request) {
    if (request != nullptr) *request = {0};
    if (submission == nullptr) return null_argument("submission");
    if (const auto status = check_size("submission", *submission); status != OCTAVO_OK) return status;
    if (request == nullptr && submission->callback == nullptr) return null_argument("request");
    return with(instance, [&](Instance& object) {
        std::uint64_t id = 0;
        const auto status = object.submit(*submission, id);
        if (request != nullptr) request->id = id;
        return status;
    });
}

octavo_status octavo_poll(octavo_instance instance, size_t quota, size_t* num_reaped) {
    std::size_t count = 0;
    const auto status = with(instance, [&](Instance& object) { return object.poll(quota, count); });
    if (num_reaped != nullptr) *num_reaped = count;
    return status;
}

octavo_status octavo_poll_batch(octavo_instance instance, size_t* num_reaped) {
    std::size_t count = 0;
    const auto status = with(instance, [&](Instance& object) { return object.poll_batch(count); });
    if (num_reaped != nullptr) *num_reaped = count;
    return status;
}

octavo_status octavo_wait(octavo_instance instance, octavo_request request, uint64_t timeout_ns) {
    return with(instance, [&](Instance& object) { return object.wait(request.id, timeout_ns); });
}

octavo_status octavo_result(octavo_instance instance, octavo_request request, uint8_t* output, size_t capacity,
                            size_t* output_len) {
    std::size_t length = 0;
    const auto status = with(instance, [&](Instance& object) {
        return object.result(request.id, {output, capacity}, length);
    });
    if (output_len != nullptr) *output_len = length;
    return status;
}

octavo_status octavo_cancel(octavo_instance instance, octavo_request request) {
    return with(instance, [&](Instance& object) { return object.cancel(request.id); });
}

octavo_status octavo_execute(octavo_instance instance, octavo_key key, uint32_t operation, const uint8_t* input,
                             size_t input_len, uint8_t* output, size_t capacity, size_t* output_len) {
    std::size_t length = 0;
    const auto status = with(instance, [&](Instance& object) {
        return object.execute(key.id, operation, {input, input_len}, {output, capacity}, length);
    });
    if (output_len != nullptr) *output_len = length;
    return status;
}

octavo_status octavo_consult(octavo_instance instance, octavo_key key, uint32_t operation, int will_wait) {
    return with(instance, [&](Instance& object) { return object.consult(key.id, operation, will_wait != 0); });
}

octavo_status octavo_instance_statistics(octavo_instance instance, octavo_statistics* statistics) {
    if (statistics == nullptr) return null_argument("statistics");
    if (const auto status = check_size("statistics", *statistics); status != OCTAVO_OK) return status;
    return with(instance, [&](Instance& object) {
        object.statistics(*statistics);
        return OCTAVO_OK;
    });
}

}  // extern "C"
