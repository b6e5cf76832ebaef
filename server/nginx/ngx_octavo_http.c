#include <ngx_http.h>

#include "ngx_octavo.h"

static ngx_uint_t is_on(const ngx_http_core_srv_conf_t* server) {
    const ngx_octavo_srv_conf_t* ours = server->ctx->srv_conf[ngx_octavo_http_module.ctx_index];

    return ours->enable == 1;
}

static ngx_int_t watch(ngx_conf_t* cf, const ngx_http_core_srv_conf_t* server) {
    const ngx_http_ssl_srv_conf_t* tls = server->ctx->srv_conf[ngx_http_ssl_module.ctx_index];

    if (tls->ssl.ctx == NULL) return NGX_OK;
    return ngx_octavo_watch(cf->pool, tls->ssl.ctx, is_on(server));
}

/* A handshake begins with the default server of an address, also where it ends with another. */
static ngx_int_t watch_default(ngx_conf_t* cf, const ngx_http_conf_addr_t* address) {
    ngx_http_core_srv_conf_t** servers = address->servers.elts;
    ngx_uint_t i;

    for (i = 0; i < address->servers.nelts; ++i)
        if (is_on(servers[i])) return watch(cf, address->default_server);
    return NGX_OK;
}

static ngx_int_t watch_defaults(ngx_conf_t* cf, const ngx_array_t* list) {
    const ngx_http_conf_port_t* ports;
    const ngx_http_conf_addr_t* addresses;
    ngx_uint_t p, a;

    if (list == NULL) return NGX_OK;
    ports = list->elts;
    for (p = 0; p < list->nelts; ++p) {
        addresses = ports[p].addrs.elts;
        for (a = 0; a < ports[p].addrs.nelts; ++a)
            if (watch_default(cf, &addresses[a]) != NGX_OK) return NGX_ERROR;
    }
    return NGX_OK;
}

static ngx_int_t postconfiguration(ngx_conf_t* cf) {
    const ngx_http_core_main_conf_t* http = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    ngx_http_core_srv_conf_t** servers = http->servers.elts;
    ngx_uint_t i;

    for (i = 0; i < http->servers.nelts; ++i)
        if (is_on(servers[i]) && watch(cf, servers[i]) != NGX_OK) return NGX_ERROR;
    return watch_defaults(cf, http->ports);
}

static ngx_command_t commands[] = {
    {ngx_string("octavo"), NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_CONF_FLAG, ngx_octavo_switch,
     NGX_HTTP_SRV_CONF_OFFSET, offsetof(ngx_octavo_srv_conf_t, enable), NULL},
    {ngx_string("octavo_status"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS | NGX_CONF_TAKE1, ngx_octavo_status,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    ngx_null_command,
};

static ngx_http_module_t context = {
    NULL, postconfiguration, NULL, NULL, ngx_octavo_create_srv_conf, ngx_octavo_merge_srv_conf, NULL, NULL,
};

ngx_module_t ngx_octavo_http_module = {
    NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING,
};
