#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

/// Linked into programs that fork while other threads work. The allocator of g++ 12's AddressSanitizer keeps its locks over a fork as they are: a
/// child of a process in which another thread is inside malloc() waits for ever. Here whatever allocates holds a lock, and a
/// fork takes it. A thread starts with such locks too, so its creator holds a lock until it has. A thread's end is
/// not covered: no test may fork while one ends.
///
/// Compiled without sanitizers: the loader allocates before they are ready.

extern "C" {
void* __interceptor_malloc(std::size_t);
void* __interceptor_calloc(std::size_t, std::size_t);
void* __interceptor_realloc(void*, std::size_t);
void* __interceptor_aligned_alloc(std::size_t, std::size_t);
int __interceptor_posix_memalign(void**, std::size_t, std::size_t);
void __interceptor_free(void*);
}

namespace {

/// Recursive, as the sanitizer's first steps allocate inside an allocation; made of nothing that a sanitizer intercepts, as it
/// is used before they are ready; and a child may release what its parent took.
class Lock {
public:
    void take() {
        if (depth_++ > 0) return;
        while (taken_.test_and_set(std::memory_order_acquire)) sched_yield();
    }
    void release() {
        if (--depth_ == 0) taken_.clear(std::memory_order_release);
    }

private:
    std::atomic_flag taken_;
    static thread_local unsigned depth_;
};
thread_local unsigned Lock::depth_ = 0;

pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
Lock allocating;

class Allocating {
public:
    Allocating() { allocating.take(); }
    ~Allocating() { allocating.release(); }
    Allocating(const Allocating&) = delete;
    Allocating& operator=(const Allocating&) = delete;
};

void before_fork() {
    pthread_mutex_lock(&starting);
    allocating.take();
}
void after_fork() {
    allocating.release();
    pthread_mutex_unlock(&starting);
}

/// Before every constructor: the first handler registered is the last to run before a fork, and the others may allocate.
void first_of_all() { pthread_atfork(before_fork, after_fork, after_fork); }
[[gnu::section(".preinit_array"), gnu::used]] void (*const at_the_start)() = first_of_all;

template <typename Function>
Function* sanitizers_own(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

struct Start {
    void* (*routine)(void*);
    void* argument;
    sem_t begun;
};

void* begin(void* argument) {
    auto* start = static_cast<Start*>(argument);
    auto* const routine = start->routine;
    void* const its_argument = start->argument;
    sem_post(&start->begun);
    return routine(its_argument);
}

}  // namespace

#define OCTAVO_EXPORT __attribute__((visibility("default")))

extern "C" {

OCTAVO_EXPORT void* malloc(std::size_t size) {
    const Allocating hold;
    return __interceptor_malloc(size);
}
OCTAVO_EXPORT void* calloc(std::size_t count, std::size_t size) {
    const Allocating hold;
    return __interceptor_calloc(count, size);
}
OCTAVO_EXPORT void* realloc(void* old, std::size_t size) {
    const Allocating hold;
    return __interceptor_realloc(old, size);
}
OCTAVO_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t size) {
    const Allocating hold;
    return __interceptor_aligned_alloc(alignment, size);
}
OCTAVO_EXPORT int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
    const Allocating hold;
    return __interceptor_posix_memalign(result, alignment, size);
}
OCTAVO_EXPORT void free(void* old) {
    const Allocating hold;
    __interceptor_free(old);
}

OCTAVO_EXPORT int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*routine)(void*),
                                 void* argument) {
    static auto* const create =
        sanitizers_own<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
    Start start{routine, argument, {}};
    sem_init(&start.begun, 0, 0);
    pthread_mutex_lock(&starting);
    const int error = create(thread, attributes, begin, &start);
    if (error == 0)
        while (sem_wait(&start.begun) != 0) {
        }
    pthread_mutex_unlock(&starting);
    sem_destroy(&start.begun);
    return error;
}

}  // extern "C"

// The sanitizer's own operators, so that it still sees which of them belong together.
#define OCTAVO_LOCKED(mangled, ...)                                \
    static auto* const own = sanitizers_own<__VA_ARGS__>(mangled); \
    const Allocating hold

OCTAVO_EXPORT void* operator new(std::size_t size) {
    OCTAVO_LOCKED("_Znwm", void*(std::size_t));
    return own(size);
}
OCTAVO_EXPORT void* operator new[](std::size_t size) {
    OCTAVO_LOCKED("_Znam", void*(std::size_t));
    return own(size);
}
OCTAVO_EXPORT void* operator new(std::size_t size, const std::nothrow_t& tag) noexcept {
    OCTAVO_LOCKED("_ZnwmRKSt9nothrow_t", void*(std::size_t, const std::nothrow_t&));
    return own(size, tag);
}
OCTAVO_EXPORT void* operator new(std::size_t size, std::align_val_t alignment) {
    OCTAVO_LOCKED("_ZnwmSt11align_val_t", void*(std::size_t, std::align_val_t));
    return own(size, alignment);
}
OCTAVO_EXPORT void operator delete(void* old) noexcept {
    OCTAVO_LOCKED("_ZdlPv", void(void*));
    own(old);
}
OCTAVO_EXPORT void operator delete(void* old, std::size_t size) noexcept {
    OCTAVO_LOCKED("_ZdlPvm", void(void*, std::size_t));
    own(old, size);
}
OCTAVO_EXPORT void operator delete[](void* old) noexcept {
    OCTAVO_LOCKED("_ZdaPv", void(void*));
    own(old);
}
OCTAVO_EXPORT void operator delete[](void* old, std::size_t size) noexcept {
    OCTAVO_LOCKED("_ZdaPvm", void(void*, std::size_t));
    own(old, size);
}
OCTAVO_EXPORT void operator delete(void* old, std::align_val_t alignment) noexcept {
    OCTAVO_LOCKED("_ZdlPvSt11align_val_t", void(void*, std::align_val_t));
    own(old, alignment);
}
OCTAVO_EXPORT void operator delete(void* old, std::size_t size, std::align_val_t alignment) noexcept {
    OCTAVO_LOCKED("_ZdlPvmSt11align_val_t", void(void*, std::size_t, std::align_val_t));
    own(old, size, alignment);
}
