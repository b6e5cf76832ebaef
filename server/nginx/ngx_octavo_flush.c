/*
 * When the device is polled. It computes on this very thread, so every poll is a batch: polling as soon as there is something to
 * do makes batches of one, because nginx accepts one connection an iteration. So drain, then flush: iterations of the event loop
 * that do not wait go on as long as they bring new submissions; the first that brings none polls. Nothing waits for company.
 * A poll is one batch, and the next iteration may bring more for those after it: a TLS 1.3 handshake has three operations of three
 * kinds, and the device takes the short ones first, so that those who have got theirs meet at the signature.
 */
#include "ngx_octavo.h"

/* Operations that are polled for whatever the iteration brought: with so many of three kinds, some fill the lanes. */
#define ENOUGH 32
/* Where requests are in flight and none is done: something stalls, and the loop must not spin. */
#define STALL_MS 1
#define TIDY_MS 1000
#define RING_SIZE 4096

static ngx_event_t flush_event, tidy_event;
/* Nginx logs the descriptor of whatever an event is about. */
static ngx_connection_t no_connection = {.fd = (ngx_socket_t)-1};
static ngx_queue_t paused, ready;
static octavo_instance instance;
static const char* instance_name;
static ngx_uint_t renewal_is_due; /* the worker has got its section after the instance was made */
static ngx_uint_t brought;        /* in this iteration of the event loop */

static void on_flush(ngx_event_t* ev);
static void on_tidy(ngx_event_t* ev);

/* Only while there are no requests. */
static octavo_status make_instance(void) {
    octavo_instance_config config;
    octavo_status status;

    ngx_memzero(&config, sizeof config);
    config.size = sizeof config;
    config.name = instance_name;
    config.driver = OCTAVO_DRIVER_INLINE;
    config.ring_size = RING_SIZE;
    status = octavo_thread_instance_configure(&config);
    return status == OCTAVO_OK ? octavo_thread_instance(&instance) : status;
}

ngx_int_t ngx_octavo_flush_init(ngx_cycle_t* cycle, ngx_str_t* name) {
    instance_name = (const char*)name->data;
    if (make_instance() != OCTAVO_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "octavo: no instance: %s", octavo_error_text());
        return NGX_ERROR;
    }
    ngx_queue_init(&paused);
    ngx_queue_init(&ready);
    flush_event.handler = on_flush;
    flush_event.log = cycle->log;
    flush_event.data = &no_connection;
    tidy_event.handler = on_tidy;
    tidy_event.log = cycle->log;
    tidy_event.data = &no_connection;
    tidy_event.cancelable = 1;
    return NGX_OK;
}

ngx_uint_t ngx_octavo_flush_is_up(void) { return instance.id != 0; }

static void flush_at_the_end(void) {
    if (flush_event.timer_set) ngx_del_timer(&flush_event);
    ngx_post_event(&flush_event, &ngx_posted_events);
}

void ngx_octavo_flush_expect(void) {
    brought = 1;
    if (!tidy_event.timer_set) ngx_add_timer(&tidy_event, TIDY_MS);
}

void ngx_octavo_flush_paused(ngx_octavo_waiting_t* waiting) {
    ngx_queue_t* list = waiting->ready ? &ready : &paused;

    waiting->paused = 1;
    ngx_queue_insert_tail(list, &waiting->queue);
    ++ngx_octavo_count->pauses;
    /* A worker that is told to quit stays while it has timers: the client's alone may not be set. */
    if (++ngx_octavo_count->paused == 1) tidy_event.cancelable = 0;
    brought = 1;
    if (!flush_event.posted) flush_at_the_end();
}

void ngx_octavo_flush_forget(ngx_octavo_waiting_t* waiting) {
    if (waiting->paused) {
        ngx_queue_remove(&waiting->queue);
        if (--ngx_octavo_count->paused == 0) tidy_event.cancelable = 1;
    }
    waiting->paused = 0;
    waiting->ready = 0;
}

int ngx_octavo_flush_ready(void* argument) {
    ngx_octavo_waiting_t* waiting = argument;

    if (waiting->ready) return 1;
    waiting->ready = 1;
    if (waiting->paused) {
        ngx_queue_remove(&waiting->queue);
        ngx_queue_insert_tail(&ready, &waiting->queue);
    }
    return 1;
}

static ngx_octavo_waiting_t* first(ngx_queue_t* list) {
    return ngx_queue_data(ngx_queue_head(list), ngx_octavo_waiting_t, queue);
}

ngx_octavo_handshake_t* ngx_octavo_flush_any(void) {
    if (instance.id == 0) return NULL;
    if (!ngx_queue_empty(&ready)) return first(&ready)->handshake;
    if (!ngx_queue_empty(&paused)) return first(&paused)->handshake;
    return NULL;
}

/* Those that are ready now; not those that become so meanwhile. Answers how many there were. */
static ngx_uint_t resume_ready(void) {
    ngx_uint_t num_resumed = 0;
    ngx_queue_t now;

    ngx_queue_init(&now);
    if (!ngx_queue_empty(&ready)) {
        ngx_queue_add(&now, &ready);
        ngx_queue_init(&ready);
    }
    while (!ngx_queue_empty(&now)) {
        ngx_octavo_waiting_t* waiting = first(&now);
        ngx_octavo_flush_forget(waiting);
        ngx_octavo_handshake_resume(waiting->handshake);
        ++num_resumed;
    }
    return num_resumed;
}

static void on_flush(ngx_event_t* ev) {
    ngx_uint_t num_resumed;

    ev->timedout = 0;
    if (brought && ngx_octavo_count->paused < ENOUGH) {
        brought = 0;
        ngx_post_event(ev, &ngx_posted_next_events);
        return;
    }
    brought = 0;
    ++ngx_octavo_count->polls;
    (void)octavo_poll_batch(instance, NULL);
    num_resumed = resume_ready();
    brought = 0;
    if (ngx_octavo_count->paused == 0 || ev->posted) return;
    if (num_resumed > 0) {
        ngx_post_event(ev, &ngx_posted_next_events);
    } else {
        ngx_add_timer(ev, STALL_MS);
    }
}

/* In place of the one that was made while the worker had no section. */
static void renew_instance(void) {
    if (!renewal_is_due || ngx_octavo_count->paused > 0) return;
    ngx_octavo_counters_publish();
    if (make_instance() != OCTAVO_OK) return;
    ngx_octavo_counters_renewed();
    renewal_is_due = 0;
}

static void on_tidy(ngx_event_t* ev) {
    if (ngx_octavo_section_ask_again((ngx_cycle_t*)ngx_cycle)) renewal_is_due = 1;
    renew_instance();
    ngx_octavo_counters_publish();
    ngx_octavo_handshake_trim();
    if (ngx_octavo_count->open > 0) ngx_add_timer(ev, TIDY_MS);
}
