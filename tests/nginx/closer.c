/*
 * A module for tests: while the file exists that CLOSE_FILE names, it closes every connection that is in a TLS handshake, as no part of nginx
 * does from outside, but another module might.
 */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#define EVERY_MS 100

static ngx_event_t timer;
static ngx_connection_t no_connection = {.fd = (ngx_socket_t)-1};
static ngx_core_module_t context = {ngx_string("octavo_test_closer"), NULL, NULL};
ngx_module_t ngx_closer_module;

static void close_one(ngx_connection_t* c) {
    ngx_pool_t* pool = c->pool;

    (void)ngx_ssl_shutdown(c);
    c->destroyed = 1;
    ngx_close_connection(c);
    ngx_destroy_pool(pool);
}

static void on_timer(ngx_event_t* ev) {
    const char* file = getenv("CLOSE_FILE");
    ngx_uint_t i;

    for (i = 0; file != NULL && access(file, F_OK) == 0 && i < ngx_cycle->connection_n; ++i) {
        ngx_connection_t* c = &ngx_cycle->connections[i];
        if (c->fd != (ngx_socket_t)-1 && c->ssl != NULL && !c->ssl->handshaked) close_one(c);
    }
    ngx_add_timer(ev, EVERY_MS);
}

static ngx_int_t init_process(ngx_cycle_t* cycle) {
    timer.handler = on_timer;
    timer.log = cycle->log;
    timer.data = &no_connection;
    timer.cancelable = 1;
    ngx_add_timer(&timer, EVERY_MS);
    return NGX_OK;
}

ngx_module_t ngx_closer_module = {
    NGX_MODULE_V1, &context, NULL, NGX_CORE_MODULE,       NULL, NULL, init_process, NULL,
    NULL,          NULL,     NULL, NGX_MODULE_V1_PADDING,
};

#define EXPORTED __attribute__((visibility("default")))
EXPORTED ngx_module_t* ngx_modules[] = {&ngx_closer_module, NULL};
EXPORTED char* ngx_module_names[] = {"ngx_octavo_test_closer_module", NULL};
EXPORTED char* ngx_module_order[] = {NULL};
