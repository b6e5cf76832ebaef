#include <ngx_mail.h>

#include "ngx_octavo.h"

ngx_int_t ngx_octavo_mail_watch(ngx_cycle_t* cycle) {
    const ngx_module_t* mail_module = ngx_octavo_find_module(cycle, "ngx_mail_module");
    const ngx_module_t* core = ngx_octavo_find_module(cycle, "ngx_mail_core_module");
    const ngx_module_t* ssl = ngx_octavo_find_module(cycle, "ngx_mail_ssl_module");
    const ngx_mail_conf_ctx_t* ctx;
    const ngx_mail_core_main_conf_t* mail;
    ngx_mail_core_srv_conf_t** servers;
    ngx_uint_t i;

    if (mail_module == NULL || core == NULL || ssl == NULL) return NGX_OK;
    ctx = (const ngx_mail_conf_ctx_t*)cycle->conf_ctx[mail_module->index];
    if (ctx == NULL) return NGX_OK;
    mail = ctx->main_conf[core->ctx_index];
    servers = mail->servers.elts;
    for (i = 0; i < mail->servers.nelts; ++i) {
        void** confs = servers[i]->ctx->srv_conf;
        const ngx_octavo_srv_conf_t* ours = confs[ngx_octavo_mail_module.ctx_index];
        const ngx_mail_ssl_conf_t* tls = confs[ssl->ctx_index];
        if (ours->enable != 1 || tls->ssl.ctx == NULL) continue;
        if (ngx_octavo_watch(cycle->pool, tls->ssl.ctx, 1) != NGX_OK) return NGX_ERROR;
    }
    return NGX_OK;
}

static ngx_command_t commands[] = {
    {ngx_string("octavo"), NGX_MAIL_MAIN_CONF | NGX_MAIL_SRV_CONF | NGX_CONF_FLAG, ngx_octavo_switch,
     NGX_MAIL_SRV_CONF_OFFSET, offsetof(ngx_octavo_srv_conf_t, enable), NULL},
    ngx_null_command,
};

static ngx_mail_module_t context = {NULL, NULL, NULL, ngx_octavo_create_srv_conf, ngx_octavo_merge_srv_conf};

ngx_module_t ngx_octavo_mail_module = {
    NGX_MODULE_V1, &context, commands, NGX_MAIL_MODULE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING,
};
