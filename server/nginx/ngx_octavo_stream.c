#include <ngx_stream.h>

#include "ngx_octavo.h"

static ngx_int_t postconfiguration(ngx_conf_t* cf) {
    const ngx_module_t* core = ngx_octavo_find_module(cf->cycle, "ngx_stream_core_module");
    const ngx_module_t* ssl = ngx_octavo_find_module(cf->cycle, "ngx_stream_ssl_module");
    const ngx_stream_conf_ctx_t* ctx = cf->ctx;
    const ngx_stream_core_main_conf_t* stream = ctx->main_conf[core->ctx_index];
    ngx_stream_core_srv_conf_t** servers = stream->servers.elts;
    ngx_uint_t i;

    for (i = 0; ssl != NULL && i < stream->servers.nelts; ++i) {
        void** confs = servers[i]->ctx->srv_conf;
        const ngx_octavo_srv_conf_t* ours = confs[ngx_octavo_stream_module.ctx_index];
        const ngx_stream_ssl_conf_t* tls = confs[ssl->ctx_index];
        if (ours->enable != 1 || tls->ssl.ctx == NULL) continue;
        if (ngx_octavo_watch(cf->pool, tls->ssl.ctx, 1) != NGX_OK) return NGX_ERROR;
    }
    return NGX_OK;
}

static ngx_command_t commands[] = {
    {ngx_string("octavo"), NGX_STREAM_MAIN_CONF | NGX_STREAM_SRV_CONF | NGX_CONF_FLAG, ngx_octavo_switch,
     NGX_STREAM_SRV_CONF_OFFSET, offsetof(ngx_octavo_srv_conf_t, enable), NULL},
    ngx_null_command,
};

static ngx_stream_module_t context = {
    NULL, postconfiguration, NULL, NULL, ngx_octavo_create_srv_conf, ngx_octavo_merge_srv_conf,
};

ngx_module_t ngx_octavo_stream_module = {
    NGX_MODULE_V1, &context, commands, NGX_STREAM_MODULE,     NULL, NULL, NULL, NULL,
    NULL,          NULL,     NULL,     NGX_MODULE_V1_PADDING,
};
