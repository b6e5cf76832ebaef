/* Counters of all workers in one zone of shared memory: a slot for each, which only its owner writes. */
#include <signal.h>

#include "ngx_octavo.h"

#define NUM_SLOTS 256
#define ZONE_SIZE (512 * 1024)

typedef struct {
    ngx_pid_t pid; /* 0: free */
    ngx_octavo_figures_t figures;
} slot;

typedef struct {
    ngx_octavo_figures_t gone; /* the sum of those that are no more */
    slot slots[NUM_SLOTS];
} table;

static ngx_octavo_figures_t own;
static ngx_octavo_figures_t* figures = &own;
ngx_octavo_counters_t* ngx_octavo_count = &own.counters;
static ngx_slab_pool_t* pool;
static table* shared;
static slot* mine;
static octavo_statistics past; /* of instances that this worker has no more */

static ngx_int_t init_zone(ngx_shm_zone_t* zone, void* old) {
    ngx_slab_pool_t* slabs = (ngx_slab_pool_t*)zone->shm.addr;

    if (old != NULL) {
        zone->data = old;
        return NGX_OK;
    }
    zone->data = ngx_slab_calloc(slabs, sizeof(table));
    return zone->data != NULL ? NGX_OK : NGX_ERROR;
}

ngx_int_t ngx_octavo_counters_add_zone(ngx_conf_t* cf, ngx_octavo_conf_t* conf) {
    ngx_str_t name = ngx_string("octavo");

    if (conf->zone != NULL) return NGX_OK;
    conf->zone = ngx_shared_memory_add(cf, &name, ZONE_SIZE, &ngx_octavo_module);
    if (conf->zone == NULL) return NGX_ERROR;
    conf->zone->init = init_zone;
    return NGX_OK;
}

/* ---- sums ---- */

/* Both structures consist of 64-bit numbers, but for a size at the beginning of the device's. */
static void add_numbers(void* sum, const void* more, size_t size) {
    uint64_t* to = sum;
    const uint64_t* from = more;
    size_t i;

    for (i = 0; i < size / sizeof *to; ++i) to[i] += from[i];
}

static void add(ngx_octavo_figures_t* sum, const ngx_octavo_figures_t* more) { add_numbers(sum, more, sizeof *sum); }

/* What a process that is gone has at the moment is nothing. */
static void add_gone(ngx_octavo_figures_t* sum, const ngx_octavo_figures_t* more) {
    ngx_octavo_figures_t gone = *more;

    gone.counters.open = 0;
    gone.counters.paused = 0;
    gone.counters.away = 0;
    gone.counters.section_held = 0;
    gone.counters.section_denied = 0;
    gone.device.in_flight = 0;
    add(sum, &gone);
}

static ngx_uint_t is_gone(ngx_pid_t pid) { return kill(pid, 0) == -1 && ngx_errno == NGX_ESRCH; }

/* ---- slots ---- */

static void leave(slot* which) {
    add_gone(&shared->gone, &which->figures);
    ngx_memzero(&which->figures, sizeof which->figures);
    which->pid = 0;
}

static slot* free_slot(void) {
    ngx_uint_t i;

    for (i = 0; i < NUM_SLOTS; ++i) {
        if (shared->slots[i].pid != 0 && is_gone(shared->slots[i].pid)) leave(&shared->slots[i]);
        if (shared->slots[i].pid == 0) return &shared->slots[i];
    }
    return NULL;
}

void ngx_octavo_counters_join(ngx_shm_zone_t* zone) {
    pool = (ngx_slab_pool_t*)zone->shm.addr;
    shared = zone->data;
    ngx_shmtx_lock(&pool->mutex);
    mine = free_slot();
    if (mine != NULL) mine->pid = ngx_pid;
    ngx_shmtx_unlock(&pool->mutex);
    if (mine == NULL) return;
    figures = &mine->figures;
    ngx_octavo_count = &mine->figures.counters;
}

void ngx_octavo_counters_leave(void) {
    if (mine == NULL) return;
    ngx_octavo_counters_publish();
    figures = &own;
    ngx_octavo_count = &own.counters;
    ngx_shmtx_lock(&pool->mutex);
    leave(mine);
    ngx_shmtx_unlock(&pool->mutex);
    mine = NULL;
}

void ngx_octavo_counters_publish(void) {
    octavo_statistics device;
    octavo_instance instance;
    uint32_t state;

    ngx_memzero(&device, sizeof device);
    device.size = sizeof device;
    if (octavo_thread_instance(&instance) != OCTAVO_OK) return;
    if (octavo_instance_state(instance, &state) == OCTAVO_OK) figures->counters.away = state != OCTAVO_ENDPOINT_UP;
    if (octavo_instance_statistics(instance, &device) != OCTAVO_OK) return;
    add_numbers(&device, &past, sizeof device);
    figures->device = device;
}

void ngx_octavo_counters_renewed(void) { past = figures->device; }

void ngx_octavo_counters_sum(ngx_octavo_figures_t* sum, ngx_uint_t* num_workers) {
    ngx_uint_t i;

    ngx_octavo_counters_publish();
    *sum = shared != NULL ? shared->gone : own;
    *num_workers = shared != NULL ? 0 : 1;
    if (shared == NULL) return;
    ngx_shmtx_lock(&pool->mutex);
    for (i = 0; i < NUM_SLOTS; ++i) {
        if (shared->slots[i].pid == 0) continue;
        if (is_gone(shared->slots[i].pid)) {
            leave(&shared->slots[i]);
            continue;
        }
        ++*num_workers;
    }
    *sum = shared->gone;
    for (i = 0; i < NUM_SLOTS; ++i)
        if (shared->slots[i].pid != 0) add(sum, &shared->slots[i].figures);
    ngx_shmtx_unlock(&pool->mutex);
}
