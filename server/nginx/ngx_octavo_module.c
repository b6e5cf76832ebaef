#include "ngx_octavo.h"

#define LONGEST_SECTION 31 /* what an instance's name holds */
#define DEFAULT_SECTION "nginx"

/* ---- configuration ---- */

/* A configuration that turns out to be wrong leaves everything to the one before it. */
typedef struct {
    ngx_uint_t was_active;
    ngx_uint_t in_use;
} ngx_octavo_rollback_t;

static ngx_octavo_rollback_t* rollback;

static void on_cycle_destroyed(void* data) {
    ngx_octavo_rollback_t* was = data;

    if (rollback == was) rollback = NULL;
    if (was->in_use || ngx_octavo_provider_is_active() == was->was_active) return;
    if (was->was_active) {
        ngx_octavo_provider_reactivate();
    } else {
        ngx_octavo_provider_deactivate();
    }
}

static void* create_conf(ngx_cycle_t* cycle) {
    ngx_octavo_conf_t* conf = ngx_pcalloc(cycle->pool, sizeof *conf);
    ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(cycle->pool, sizeof(ngx_octavo_rollback_t));

    if (conf == NULL || cleanup == NULL || ngx_octavo_handshake_init() != NGX_OK) return NULL;
    rollback = cleanup->data;
    rollback->was_active = ngx_octavo_provider_is_active();
    rollback->in_use = 0;
    cleanup->handler = on_cycle_destroyed;
    /* Keys of a configuration that says nothing of Octavo are OpenSSL's own, also after a reload. */
    ngx_octavo_provider_deactivate();
    return conf;
}

static char* check_conf(ngx_cycle_t* cycle, void* conf) {
    const ngx_octavo_conf_t* ours = conf;

    if (!ours->wanted || ours->section.data == NULL) return NGX_CONF_OK;
    return ngx_octavo_section_check(cycle, &ours->section) == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}

static ngx_int_t init_module(ngx_cycle_t* cycle) {
    if (rollback != NULL) rollback->in_use = 1;
    return ngx_octavo_mail_watch(cycle);
}

static ngx_uint_t is_name(const ngx_str_t* text) {
    size_t i;

    if (text->len == 0 || text->len > LONGEST_SECTION) return 0;
    for (i = 0; i < text->len; ++i) {
        const u_char ch = text->data[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' ||
              ch == '-'))
            return 0;
    }
    return 1;
}

static char* set_section(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    ngx_octavo_conf_t* ours = conf;
    ngx_str_t* value = cf->args->elts;

    (void)cmd;
    if (ours->section.data != NULL) return "is duplicate";
    if (!is_name(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "octavo_section \"%V\": a name has 1 to %d letters, digits, \"_\" and \"-\"", &value[1],
                           LONGEST_SECTION);
        return NGX_CONF_ERROR;
    }
    ours->section = value[1];
    return NGX_CONF_OK;
}

char* ngx_octavo_switch(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    ngx_octavo_conf_t* ours = (ngx_octavo_conf_t*)ngx_get_conf(cf->cycle->conf_ctx, ngx_octavo_module);
    ngx_octavo_srv_conf_t* server = conf;
    char* error = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (error != NGX_CONF_OK || !server->enable) return error;
    if (ngx_octavo_provider_activate(cf) != NGX_OK) return NGX_CONF_ERROR;
    if (ngx_octavo_counters_add_zone(cf, ours) != NGX_OK) return NGX_CONF_ERROR;
    ours->wanted = 1;
    return NGX_CONF_OK;
}

void* ngx_octavo_create_srv_conf(ngx_conf_t* cf) {
    ngx_octavo_srv_conf_t* conf = ngx_pcalloc(cf->pool, sizeof *conf);

    if (conf != NULL) conf->enable = NGX_CONF_UNSET;
    return conf;
}

char* ngx_octavo_merge_srv_conf(ngx_conf_t* cf, void* parent, void* child) {
    ngx_octavo_srv_conf_t *from = parent, *to = child;

    (void)cf;
    ngx_conf_merge_value(to->enable, from->enable, 0);
    return NGX_CONF_OK;
}

ngx_module_t* ngx_octavo_find_module(ngx_cycle_t* cycle, const char* name) {
    ngx_uint_t i;

    for (i = 0; cycle->modules[i] != NULL; ++i)
        if (cycle->modules[i]->name != NULL && strcmp(cycle->modules[i]->name, name) == 0) return cycle->modules[i];
    return NULL;
}

/* ---- processes ---- */

static ngx_int_t init_process(ngx_cycle_t* cycle) {
    static ngx_str_t default_section = ngx_string(DEFAULT_SECTION);
    ngx_octavo_conf_t* conf = (ngx_octavo_conf_t*)ngx_get_conf(cycle->conf_ctx, ngx_octavo_module);

    if (!conf->wanted || (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)) return NGX_OK;
    ngx_octavo_counters_join(conf->zone);
    if (conf->section.data != NULL) ngx_octavo_section_start(cycle, &conf->section);
    return ngx_octavo_flush_init(cycle, conf->section.data != NULL ? &conf->section : &default_section);
}

static void exit_process(ngx_cycle_t* cycle) {
    (void)cycle;
    if (!ngx_octavo_flush_is_up()) return;
    ngx_octavo_handshake_exit();
    ngx_octavo_counters_leave();
}

static ngx_command_t commands[] = {
    {ngx_string("octavo_section"), NGX_MAIN_CONF | NGX_DIRECT_CONF | NGX_CONF_TAKE1, set_section, 0, 0, NULL},
    ngx_null_command,
};

static ngx_core_module_t context = {ngx_string("octavo"), create_conf, check_conf};

ngx_module_t ngx_octavo_module = {
    NGX_MODULE_V1,
    &context,
    commands,
    NGX_CORE_MODULE,
    NULL, /* init master: nginx does not call it */
    init_module,
    init_process,
    NULL, /* init thread: likewise */
    NULL,
    exit_process,
    NULL, /* exit master */
    NGX_MODULE_V1_PADDING,
};

/* ---- what load_module looks for ---- */

#define EXPORTED __attribute__((visibility("default")))
EXPORTED extern ngx_module_t* ngx_modules[];
EXPORTED extern char* ngx_module_names[];
EXPORTED extern char* ngx_module_order[];

ngx_module_t* ngx_modules[] = {&ngx_octavo_module, &ngx_octavo_http_module, &ngx_octavo_stream_module,
                               &ngx_octavo_mail_module, NULL};
char* ngx_module_names[] = {"ngx_octavo_module", "ngx_octavo_http_module", "ngx_octavo_stream_module",
                            "ngx_octavo_mail_module", NULL};
char* ngx_module_order[] = {NULL};
