/*
 * The section of Octavo's endpoint files that the workers belong to: each takes one of its internal sections. A worker that gets none
 * works on the portable rows, and asks again: after a reload those that hold them are the old workers, which end.
 */
#include "ngx_octavo.h"

static const char* section; /* of the workers; null without octavo_section */
static ngx_uint_t is_denied;

ngx_int_t ngx_octavo_section_check(ngx_cycle_t* cycle, const ngx_str_t* name) {
    const octavo_status status = octavo_section_start((const char*)name->data);

    (void)octavo_section_stop();
    if (status == OCTAVO_OK || status == OCTAVO_ERR_NO_SECTION) return NGX_OK;
    ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "octavo_section \"%V\": %s", name, octavo_error_text());
    return NGX_ERROR;
}

static octavo_status take(void) {
    const octavo_status status = octavo_section_start(section);
    size_t num_instances = 0;

    is_denied = status != OCTAVO_OK;
    (void)octavo_section_count(&num_instances);
    ngx_octavo_count->section_held = num_instances > 0;
    ngx_octavo_count->section_denied = is_denied;
    return status;
}

void ngx_octavo_section_start(ngx_cycle_t* cycle, const ngx_str_t* name) {
    section = (const char*)name->data;
    if (take() == OCTAVO_OK) return;
    ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                  "octavo_section \"%V\": %s; this worker computes on the portable rows until it gets one", name,
                  octavo_error_text());
}

ngx_uint_t ngx_octavo_section_ask_again(ngx_cycle_t* cycle) {
    if (!is_denied || take() != OCTAVO_OK) return 0;
    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "octavo_section \"%s\": this worker has one now", section);
    return 1;
}
