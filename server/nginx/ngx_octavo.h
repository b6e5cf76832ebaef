/*
 * What the parts of nginx's Octavo module share. All of it runs on a worker's one thread, or in the master while it reads the
 * configuration.
 *
 *   ngx_octavo_module.c      directives of the main context, start and end of a process
 *   ngx_octavo_http.c, ..._stream.c, ..._mail.c   the directive `octavo`, and which SSL_CTX it is about
 *   ngx_octavo_provider.c    activates OpenSSL's provider in nginx's own process
 *   ngx_octavo_handshake.c   runs nginx's own handshake handler in a job, until the handshake is over
 *   ngx_octavo_section.c     the section of the endpoint files that workers belong to
 *   ngx_octavo_flush.c       decides when the device is polled, and resumes jobs
 *   ngx_octavo_counters.c    counters of all workers, in shared memory
 *   ngx_octavo_status.c      the location that shows them
 */
#ifndef NGX_OCTAVO_H
#define NGX_OCTAVO_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <octavo/job.h>
#include <octavo/octavo.h>

/* ---- configuration ---- */

/* Of a configuration as a whole: of a cycle. */
typedef struct {
    ngx_str_t section;
    ngx_uint_t wanted;    /* some `octavo on` was read */
    ngx_shm_zone_t* zone; /* null until then */
} ngx_octavo_conf_t;

/* Of a server of http, stream or mail. */
typedef struct {
    ngx_flag_t enable;
} ngx_octavo_srv_conf_t;

extern ngx_module_t ngx_octavo_module, ngx_octavo_http_module, ngx_octavo_stream_module, ngx_octavo_mail_module;

/*
 * `octavo on|off` in any context whose server configuration is an ngx_octavo_srv_conf_t. The first `on` of a configuration activates
 * the provider, before any certificate of the block is loaded. NGX_CONF_ERROR has been logged.
 */
char* ngx_octavo_switch(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
void* ngx_octavo_create_srv_conf(ngx_conf_t* cf);
char* ngx_octavo_merge_srv_conf(ngx_conf_t* cf, void* parent, void* child);

/* The module of that name, of this nginx or loaded into it, else null: those of stream and mail need not be there. */
ngx_module_t* ngx_octavo_find_module(ngx_cycle_t* cycle, const char* name);
/* Watches the contexts of all servers of mail: that has no moment of its own for it. */
ngx_int_t ngx_octavo_mail_watch(ngx_cycle_t* cycle);

/* ---- provider ---- */

/*
 * Loads the provider into this process's default library context, prefers it for what it offers, and makes sure that RSA keys will be
 * its own. Logs one line and answers NGX_ERROR where that cannot be. May be called again.
 */
ngx_int_t ngx_octavo_provider_activate(ngx_conf_t* cf);
/* Keys that are loaded from now on are OpenSSL's own again. The provider stays for the keys that are its. */
void ngx_octavo_provider_deactivate(void);
/* Back again, for a configuration whose keys are the provider's. */
void ngx_octavo_provider_reactivate(void);
ngx_uint_t ngx_octavo_provider_is_active(void);

/* ---- handshakes ---- */

/* Once per process that loads the module; NGX_ERROR when memory ran out. */
ngx_int_t ngx_octavo_handshake_init(void);
/* Whether nginx and this module use one and the same OpenSSL. */
ngx_uint_t ngx_octavo_handshake_shares_openssl(void);
/*
 * Takes over the handshakes of connections that begin with this context; those that end with it (after server name indication) pause
 * where `enable` is set. To be called when the configuration of the context is complete. `pool` lives as long as the context.
 */
ngx_int_t ngx_octavo_watch(ngx_pool_t* pool, SSL_CTX* ctx, ngx_uint_t enable);

typedef struct ngx_octavo_handshake_s ngx_octavo_handshake_t;
/* Resumes a paused handshake whose operation is done. */
void ngx_octavo_handshake_resume(ngx_octavo_handshake_t* handshake);
/* Discards what is paused and frees what is kept, at the end of a process. */
void ngx_octavo_handshake_exit(void);
/* Gives back memory that was kept for handshakes and is not needed now. */
void ngx_octavo_handshake_trim(void);

/* ---- sections ---- */

/*
 * Whether workers can have the section: endpoint files without mistakes, such a section in them. Logs one line and answers
 * NGX_ERROR where not. Whether one is free counts for the workers alone. `name` ends with a zero.
 */
ngx_int_t ngx_octavo_section_check(ngx_cycle_t* cycle, const ngx_str_t* name);
/* Takes one for this worker, or logs why it gets none. To be called before the instance is made. */
void ngx_octavo_section_start(ngx_cycle_t* cycle, const ngx_str_t* name);
/* Where it has none: whether it has one now, for which the instance must be made anew. */
ngx_uint_t ngx_octavo_section_ask_again(ngx_cycle_t* cycle);

/* ---- the device ---- */

/* What the flush knows of a handshake. */
typedef struct {
    ngx_queue_t queue; /* among the paused or the ready */
    ngx_octavo_handshake_t* handshake;
    unsigned paused : 1;
    unsigned ready : 1; /* its operation was done before it had paused */
} ngx_octavo_waiting_t;

/* Makes this worker's instance, whose name in statistics is `name`; from now on handshakes may be taken over. */
ngx_int_t ngx_octavo_flush_init(ngx_cycle_t* cycle, ngx_str_t* name);
/* Whether this process has an instance. */
ngx_uint_t ngx_octavo_flush_is_up(void);
/* Sees to it that the worker lives, and tidies up, while there are handshakes. */
void ngx_octavo_flush_expect(void);
void ngx_octavo_flush_paused(ngx_octavo_waiting_t* waiting);
/* The handshake does not wait any more. */
void ngx_octavo_flush_forget(ngx_octavo_waiting_t* waiting);
/* An octavo_wait_callback; its argument is the ngx_octavo_waiting_t. */
int ngx_octavo_flush_ready(void* waiting);
/* The paused and the ready, one after the other; null at the end. */
ngx_octavo_handshake_t* ngx_octavo_flush_any(void);

/* ---- counters ---- */

typedef struct {
    uint64_t started;   /* handshakes taken over */
    uint64_t completed; /* ended well */
    uint64_t failed;    /* ended otherwise */
    uint64_t pauses;
    uint64_t polls;          /* of the device */
    uint64_t in_place;       /* steps of a handshake done without a job: the system gave none */
    uint64_t discarded;      /* connections closed while paused */
    uint64_t open;           /* handshakes taken over that go on now */
    uint64_t paused;         /* those of them that are paused now */
    uint64_t away;           /* 1: the worker's endpoint is not up now */
    uint64_t section_held;   /* 1 where the worker holds an internal section */
    uint64_t section_denied; /* 1 where it asked for one and has none */
} ngx_octavo_counters_t;

/* This worker's; never null. */
extern ngx_octavo_counters_t* ngx_octavo_count;

/* Everything about one worker, or the sum of several. */
typedef struct {
    ngx_octavo_counters_t counters;
    octavo_statistics device;
} ngx_octavo_figures_t;

ngx_int_t ngx_octavo_counters_add_zone(ngx_conf_t* cf, ngx_octavo_conf_t* conf);
/* This process counts in a slot of the zone from now on. Without a free slot it counts for itself. */
void ngx_octavo_counters_join(ngx_shm_zone_t* zone);
/* Adds this process's counts to those of the workers that are gone. */
void ngx_octavo_counters_leave(void);
/* Makes the device's figures of this worker visible to others. */
void ngx_octavo_counters_publish(void);
/* The instance is a new one, and its counts begin with those that were last published. */
void ngx_octavo_counters_renewed(void);
/* The sum over all workers, also those that are gone; *num_workers is how many live. */
void ngx_octavo_counters_sum(ngx_octavo_figures_t* sum, ngx_uint_t* num_workers);

/* ---- status ---- */

/* `octavo_status [json|prometheus]` in a location. */
char* ngx_octavo_status(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);

#endif
