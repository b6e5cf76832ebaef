/*
 * A handshake in a job, with nginx's own code.
 *
 * Nginx begins a handshake in the middle of other things (accepting, a PROXY header, STARTTLS), and goes on with the request where
 * it ends. Neither belongs into a job. What comes in between is one function of nginx, the handler that it puts on the
 * connection's events when a handshake has to wait for the client. So:
 *   - OpenSSL's info callback tells when nginx calls SSL_do_handshake() for the first time. A source that has nothing to read takes
 *     the socket's place, so that nginx believes it has to wait, and returns to its event loop;
 *   - a posted event puts the socket back, and our handlers on the connection's events. They run nginx's handler in a job;
 *   - nginx's handler ends a handshake, good or bad, with a call of c->ssl->handler, which we have replaced: it leaves a note,
 *     the job ends, and nginx's own is called outside of it, with everything as it was.
 * While a job is paused our handlers note what happens to the connection, timeouts included, and hand it on afterwards.
 *
 * Pausing is possible only within OpenSSL's state machine, between two calls of the info callback; not in what nginx does before and
 * after it in the same handler: OCSP, logging.
 */
#include <malloc.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "ngx_octavo.h"

/* Handshakes, with their wait contexts, that are kept for re-use when the worker has nothing to do. */
#define NUM_KEPT 32
/* As many handshakes at a time leave enough memory behind to look for it. */
#define BURST 256

typedef void info_callback(const SSL* ssl, int where, int ret);

typedef struct {
    info_callback* next;
    ngx_uint_t enable;
} ctx_mark;

struct ngx_octavo_handshake_s {
    ngx_octavo_waiting_t waiting;
    ngx_octavo_handshake_t* next_free;
    ngx_connection_t* connection;
    ngx_pool_cleanup_t* cleanup;
    ngx_event_t begin;
    BIO* socket;             /* until the beginning */
    info_callback* own_info; /* the connection's, where it has one besides its context's */
    octavo_wait_context wait;
    octavo_job job;
    ngx_event_t* event;                               /* what the job is about */
    ngx_event_handler_pt read_handler, write_handler; /* nginx's own, outside of jobs */
    ngx_connection_handler_pt over_handler;           /* nginx's own */
    unsigned in_step : 1;
    unsigned in_job : 1;
    unsigned may_pause : 1;
    unsigned over : 1;
    unsigned read_event : 1; /* happened in a pause */
    unsigned write_event : 1;
};

static int ssl_index = -1, ctx_index = -1;
static BIO* nothing;
static ngx_octavo_handshake_t* free_list;
static ngx_uint_t num_free;
static uint64_t most_open; /* since the last time when there were none */

static void on_event(ngx_event_t* ev);
static void on_over(ngx_connection_t* c);
static void on_info(const SSL* ssl, int where, int ret);

/* ---- a source that has nothing to read ---- */

static int nothing_read(BIO* bio, char* out, int len) {
    (void)out;
    (void)len;
    BIO_set_retry_read(bio);
    return -1;
}

static long nothing_ctrl(BIO* bio, int command, long number, void* argument) {
    (void)bio;
    (void)command;
    (void)number;
    (void)argument;
    return 0;
}

ngx_int_t ngx_octavo_handshake_init(void) {
    BIO_METHOD* method;

    if (nothing != NULL) return NGX_OK;
    ssl_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    ctx_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "octavo: nothing yet");
    if (ssl_index < 0 || ctx_index < 0 || method == NULL) return NGX_ERROR;
    BIO_meth_set_read(method, nothing_read);
    BIO_meth_set_ctrl(method, nothing_ctrl);
    nothing = BIO_new(method);
    if (nothing == NULL) return NGX_ERROR;
    BIO_set_init(nothing, 1);
    return NGX_OK;
}

/* Two copies would number their indices independently; in one, nginx has taken its index first. */
ngx_uint_t ngx_octavo_handshake_shares_openssl(void) { return ssl_index > ngx_ssl_connection_index; }

/* ---- memory ---- */

static ngx_octavo_handshake_t* take(void) {
    ngx_octavo_handshake_t* h = free_list;

    if (h != NULL) {
        free_list = h->next_free;
        --num_free;
        return h;
    }
    h = ngx_calloc(sizeof *h, ngx_cycle->log);
    if (h == NULL) return NULL;
    h->wait = octavo_wait_new();
    if (h->wait.id == 0 || octavo_wait_set_callback(h->wait, ngx_octavo_flush_ready, &h->waiting) != OCTAVO_OK) {
        octavo_wait_free(h->wait);
        ngx_free(h);
        return NULL;
    }
    h->waiting.handshake = h;
    return h;
}

static void give_back(ngx_octavo_handshake_t* h) {
    const octavo_wait_context wait = h->wait;

    ngx_memzero(h, sizeof *h);
    h->wait = wait;
    h->waiting.handshake = h;
    h->next_free = free_list;
    free_list = h;
    ++num_free;
}

static void free_down_to(ngx_uint_t num_kept) {
    while (num_free > num_kept) {
        ngx_octavo_handshake_t* h = free_list;
        free_list = h->next_free;
        --num_free;
        octavo_wait_free(h->wait);
        ngx_free(h);
    }
}

void ngx_octavo_handshake_trim(void) {
    free_down_to(NUM_KEPT);
    if (ngx_octavo_count->open > 0) {
        octavo_job_trim_thread();
        return;
    }
    octavo_job_cleanup_thread();
    /* What OpenSSL has freed lies in the allocator's free lists, between other things. It takes milliseconds to look for it. */
    if (most_open >= BURST) malloc_trim(0);
    most_open = 0;
}

/* ---- the end ---- */

/* Leaves the connection to nginx alone, as if we had never been there. */
static void release(ngx_octavo_handshake_t* h) {
    SSL* ssl = h->connection->ssl->connection;

    SSL_set_info_callback(ssl, h->own_info);
    SSL_set_ex_data(ssl, ssl_index, NULL);
    h->cleanup->handler = NULL;
    --ngx_octavo_count->open;
    give_back(h);
}

static void end(ngx_octavo_handshake_t* h) {
    ngx_connection_t* c = h->connection;

    if (c->ssl->handshaked) {
        ++ngx_octavo_count->completed;
    } else {
        ++ngx_octavo_count->failed;
    }
    c->ssl->handler = h->over_handler;
    release(h);
    c->ssl->handler(c);
}

/* Not on any way that nginx takes: whoever closes the connection in a pause is another module. */
static void on_pool_destroyed(void* data) {
    ngx_octavo_handshake_t* h = data;

    if (h->waiting.paused) {
        ngx_octavo_flush_forget(&h->waiting);
        octavo_job_discard(h->job);
        ++ngx_octavo_count->discarded;
    }
    if (h->begin.posted) {
        ngx_delete_posted_event(&h->begin);
    }
    BIO_free(h->socket);
    --ngx_octavo_count->open;
    ++ngx_octavo_count->failed;
    give_back(h);
}

void ngx_octavo_handshake_exit(void) {
    ngx_octavo_handshake_t* h;

    while ((h = ngx_octavo_flush_any()) != NULL) {
        ngx_octavo_flush_forget(&h->waiting);
        octavo_job_discard(h->job);
        release(h);
    }
    free_down_to(0);
    octavo_job_cleanup_thread();
}

/* ---- steps ---- */

static void take_events(ngx_octavo_handshake_t* h) {
    ngx_connection_t* c = h->connection;

    h->read_handler = c->read->handler;
    h->write_handler = c->write->handler;
    c->read->handler = on_event;
    c->write->handler = on_event;
}

static void give_events(ngx_octavo_handshake_t* h) {
    ngx_connection_t* c = h->connection;

    c->read->handler = h->read_handler;
    c->write->handler = h->write_handler;
}

static void step(ngx_octavo_handshake_t* h) { h->event->handler(h->event); }

static int step_in_job(void* argument) {
    ngx_octavo_handshake_t* h = *(ngx_octavo_handshake_t**)argument;

    h->in_job = 1;
    h->may_pause = 0;
    octavo_job_block_pause();
    step(h);
    h->in_job = 0;
    return 0;
}

/* For want of a job. One that could not be resumed is lost, and the handshake with it: it counts as failed. */
static void run_without_job(ngx_octavo_handshake_t* h) {
    if (h->job.id != 0) {
        ngx_log_error(NGX_LOG_ALERT, h->connection->log, 0, "octavo: a job cannot be resumed: %s", octavo_error_text());
        octavo_job_discard(h->job);
        h->over = 1;
        return;
    }
    ++ngx_octavo_count->in_place;
    step(h);
}

/* Starts or resumes the job: whether the step is done. */
static ngx_uint_t run(ngx_octavo_handshake_t* h) {
    give_events(h);
    h->in_step = 1;
    switch (octavo_job_start(&h->job, h->wait, NULL, step_in_job, &h, sizeof h)) {
        case OCTAVO_JOB_FINISH:
            break;
        case OCTAVO_JOB_PAUSE:
            take_events(h);
            ngx_octavo_flush_paused(&h->waiting);
            return 0;
        default:
            run_without_job(h);
            break;
    }
    h->in_step = 0;
    return 1;
}

/* What is to be done after a step: nothing, or another one, because of what happened in its pauses. */
static ngx_uint_t step_is_due(ngx_octavo_handshake_t* h) {
    if (h->read_event) {
        h->read_event = 0;
        h->event = h->connection->read;
        return 1;
    }
    if (h->write_event) {
        h->write_event = 0;
        h->event = h->connection->write;
        return 1;
    }
    return 0;
}

static void go_on(ngx_octavo_handshake_t* h) {
    do {
        if (!run(h)) return;
        if (h->over) {
            end(h);
            return;
        }
        take_events(h);
    } while (step_is_due(h));
}

void ngx_octavo_handshake_resume(ngx_octavo_handshake_t* h) { go_on(h); }

static void on_event(ngx_event_t* ev) {
    ngx_connection_t* c = ev->data;
    ngx_octavo_handshake_t* h = SSL_get_ex_data(c->ssl->connection, ssl_index);

    if (h->waiting.paused) {
        if (ev->write) {
            h->write_event = 1;
        } else {
            h->read_event = 1;
        }
        return;
    }
    h->event = ev;
    go_on(h);
}

/* In the place of c->ssl->handler. What OCSP is asked for comes outside of any step. */
static void on_over(ngx_connection_t* c) {
    ngx_octavo_handshake_t* h = SSL_get_ex_data(c->ssl->connection, ssl_index);

    h->over = 1;
    if (h->in_step) return;
    give_events(h);
    end(h);
}

/* ---- the beginning ---- */

static void on_begin(ngx_event_t* ev) {
    ngx_octavo_handshake_t* h = ev->data;
    ngx_connection_t* c = h->connection;

    SSL_set0_rbio(c->ssl->connection, h->socket);
    h->socket = NULL;
    h->over_handler = c->ssl->handler;
    c->ssl->handler = on_over;
    take_events(h);
    c->read->ready = 1;
    h->event = c->read;
    go_on(h);
}

/* Null where it cannot be taken over: nginx goes on by itself then. */
static ngx_octavo_handshake_t* take_over(SSL* ssl) {
    ngx_connection_t* c = SSL_get_ex_data(ssl, ngx_ssl_connection_index);
    ngx_octavo_handshake_t* h;

    if (!ngx_octavo_flush_is_up() || c == NULL || c->ssl == NULL || c->ssl->handshaked) return NULL;
    h = take();
    if (h == NULL) return NULL;
    h->cleanup = ngx_pool_cleanup_add(c->pool, 0);
    if (h->cleanup == NULL || SSL_set_ex_data(ssl, ssl_index, h) != 1) {
        give_back(h);
        return NULL;
    }
    h->cleanup->handler = on_pool_destroyed;
    h->cleanup->data = h;
    h->connection = c;
    /* The context may be another's after server name indication. */
    h->own_info = SSL_get_info_callback(ssl);
    SSL_set_info_callback(ssl, on_info);
    h->socket = SSL_get_rbio(ssl);
    BIO_up_ref(h->socket);
    BIO_up_ref(nothing);
    SSL_set0_rbio(ssl, nothing);
    h->begin.data = h;
    h->begin.handler = on_begin;
    h->begin.log = c->log;
    ngx_post_event(&h->begin, &ngx_posted_events);
    ++ngx_octavo_count->started;
    if (++ngx_octavo_count->open > most_open) most_open = ngx_octavo_count->open;
    ngx_octavo_flush_expect();
    return h;
}

/* Also within a handshake: the server's name, and with it the context, is known after its beginning. */
static void open_and_shut(ngx_octavo_handshake_t* h, int where, ngx_uint_t enable) {
    ngx_uint_t open = h->may_pause;

    if (!h->in_job) return;
    if (where & SSL_CB_EXIT) {
        open = 0;
    } else if (where & (SSL_CB_LOOP | SSL_CB_HANDSHAKE_START)) {
        open = enable;
    }
    if (open == h->may_pause) return;
    h->may_pause = open != 0;
    if (open) {
        octavo_job_unblock_pause();
    } else {
        octavo_job_block_pause();
    }
}

/* Who would be called without us. */
static info_callback* next_info(const SSL* ssl, const ngx_octavo_handshake_t* h, const ctx_mark* mark) {
    if (h != NULL && h->own_info != NULL) return h->own_info;
    return mark != NULL ? mark->next : SSL_CTX_get_info_callback(SSL_get_SSL_CTX(ssl));
}

static void on_info(const SSL* ssl, int where, int ret) {
    const ctx_mark* mark = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ctx_index);
    ngx_octavo_handshake_t* h = SSL_get_ex_data(ssl, ssl_index);
    info_callback* next;

    if (h != NULL) {
        open_and_shut(h, where, mark != NULL && mark->enable);
    } else if (where & SSL_CB_HANDSHAKE_START) {
        /* OpenSSL made it const for the callback's sake alone. */
        h = take_over((SSL*)(uintptr_t)ssl);
    }
    next = next_info(ssl, h, mark);
    /* Nothing has happened yet, for nginx: its callback compares the source with the sink. */
    if (next != NULL && (h == NULL || h->socket == NULL)) next(ssl, where, ret);
}

ngx_int_t ngx_octavo_watch(ngx_pool_t* pool, SSL_CTX* ctx, ngx_uint_t enable) {
    ctx_mark* mark = SSL_CTX_get_ex_data(ctx, ctx_index);

    if (mark == NULL) {
        mark = ngx_palloc(pool, sizeof *mark);
        if (mark == NULL || SSL_CTX_set_ex_data(ctx, ctx_index, mark) != 1) return NGX_ERROR;
        mark->next = SSL_CTX_get_info_callback(ctx);
        mark->enable = 0;
        SSL_CTX_set_info_callback(ctx, on_info);
    }
    if (enable) mark->enable = 1;
    return NGX_OK;
}
