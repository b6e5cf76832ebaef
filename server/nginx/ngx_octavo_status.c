#include <ngx_http.h>

#include "ngx_octavo.h"

#define ANSWER_SIZE 16384

typedef struct {
    const char *name, *help;
    size_t offset;
    ngx_uint_t is_gauge;
} row;

#define COUNTER(field) offsetof(ngx_octavo_figures_t, counters.field)
#define DEVICE(field) offsetof(ngx_octavo_figures_t, device.field)

/* Both forms of the answer are made from this. */
static const row rows[] = {
    {"handshakes_started", "Server-side handshakes taken over", COUNTER(started), 0},
    {"handshakes_completed", "Handshakes that ended well", COUNTER(completed), 0},
    {"handshakes_failed", "Handshakes that ended otherwise", COUNTER(failed), 0},
    {"handshakes_open", "Handshakes going on now", COUNTER(open), 1},
    {"handshakes_paused", "Handshakes waiting for an operation now", COUNTER(paused), 1},
    {"sections_held", "Workers that hold an internal section of octavo_section", COUNTER(section_held), 1},
    {"sections_denied", "Workers on the portable rows because they got no section", COUNTER(section_denied), 1},
    {"pauses", "Pauses of handshakes", COUNTER(pauses), 0},
    {"polls", "Polls of the device", COUNTER(polls), 0},
    {"steps_in_place", "Steps of handshakes without a job, because there was none to be had", COUNTER(in_place), 0},
    {"discarded", "Connections that were closed while their handshake was paused", COUNTER(discarded), 0},
    {"workers_away", "Workers whose endpoint is restarting or down now", COUNTER(away), 1},
    {"requests_submitted", "Requests to the device", DEVICE(submitted), 0},
    {"requests_completed", "Requests that ended well", DEVICE(completed), 0},
    {"requests_failed", "Requests that ended otherwise", DEVICE(failed), 0},
    {"requests_cancelled", "Requests that were cancelled", DEVICE(cancelled), 0},
    {"requests_retried", "Requests turned away because the ring was full", DEVICE(retried), 0},
    {"requests_in_flight", "Requests under way now", DEVICE(in_flight), 1},
    {"requests_in_place", "Requests done at once by who submitted them", DEVICE(in_place), 0},
    {"requests_lanes", "Requests done side by side in vector lanes", DEVICE(lane_requests), 0},
    {"requests_scalar", "Requests done alone because that was the cheaper plan", DEVICE(scalar_requests), 0},
};
#define NUM_ROWS (sizeof rows / sizeof rows[0])

static const char* const reasons[] = {"cpu",  "size",  "no_crt",  "primes", "exponent", "check",
                                      "fork", "curve", "section", "alone",  "endpoint", "device"};
#define NUM_REASONS (sizeof reasons / sizeof reasons[0])

static uint64_t value_of(const ngx_octavo_figures_t* figures, const row* which) {
    return *(const uint64_t*)((const u_char*)figures + which->offset);
}

static u_char* json(u_char* to, u_char* last, const ngx_octavo_figures_t* figures, ngx_uint_t num_workers) {
    ngx_uint_t i;

    to = ngx_slprintf(to, last, "{\n  \"version\": \"%d.%d.%d\",\n  \"workers\": %ui", OCTAVO_VERSION_MAJOR,
                      OCTAVO_VERSION_MINOR, OCTAVO_VERSION_PATCH, num_workers);
    for (i = 0; i < NUM_ROWS; ++i)
        to = ngx_slprintf(to, last, ",\n  \"%s\": %uL", rows[i].name, value_of(figures, &rows[i]));
    to = ngx_slprintf(to, last, ",\n  \"fallback\": {");
    for (i = 0; i < NUM_REASONS; ++i)
        to = ngx_slprintf(to, last, "%s\"%s\": %uL", i ? ", " : "", reasons[i], figures->device.fallback[i]);
    to = ngx_slprintf(to, last, "},\n  \"batch_size\": [");
    for (i = 0; i < OCTAVO_BATCH_BUCKETS; ++i)
        to = ngx_slprintf(to, last, "%s%uL", i ? ", " : "", figures->device.batch_size[i]);
    return ngx_slprintf(to, last, "]\n}\n");
}

/* Prometheus's histograms are cumulative. The sizes from 16 on share a bucket, so that their sum is not known: there is none. */
static u_char* batches(u_char* to, u_char* last, const uint64_t* sizes) {
    uint64_t num_batches = 0;
    ngx_uint_t i;

    to = ngx_slprintf(to, last,
                      "# HELP octavo_batches_total Batches of at most so many requests\n"
                      "# TYPE octavo_batches_total counter\n");
    for (i = 0; i + 1 < OCTAVO_BATCH_BUCKETS; ++i) {
        num_batches += sizes[i];
        to = ngx_slprintf(to, last, "octavo_batches_total{le=\"%ui\"} %uL\n", i + 1, num_batches);
    }
    return ngx_slprintf(to, last, "octavo_batches_total{le=\"+Inf\"} %uL\n", num_batches + sizes[i]);
}

static u_char* prometheus(u_char* to, u_char* last, const ngx_octavo_figures_t* figures, ngx_uint_t num_workers) {
    ngx_uint_t i;

    to = ngx_slprintf(to, last,
                      "# HELP octavo_workers Workers with an instance\n# TYPE octavo_workers gauge\n"
                      "octavo_workers %ui\n",
                      num_workers);
    for (i = 0; i < NUM_ROWS; ++i) {
        const char* suffix = rows[i].is_gauge ? "" : "_total";
        to = ngx_slprintf(to, last, "# HELP octavo_%s%s %s\n# TYPE octavo_%s%s %s\noctavo_%s%s %uL\n", rows[i].name,
                          suffix, rows[i].help, rows[i].name, suffix, rows[i].is_gauge ? "gauge" : "counter",
                          rows[i].name, suffix, value_of(figures, &rows[i]));
    }
    to = ngx_slprintf(to, last,
                      "# HELP octavo_fallback_total Requests for which there were no lanes, by reason\n"
                      "# TYPE octavo_fallback_total counter\n");
    for (i = 0; i < NUM_REASONS; ++i)
        to = ngx_slprintf(to, last, "octavo_fallback_total{reason=\"%s\"} %uL\n", reasons[i],
                          figures->device.fallback[i]);
    return batches(to, last, figures->device.batch_size);
}

/* The argument ?format= of the request comes before the directive's. */
static ngx_uint_t is_prometheus(ngx_http_request_t* r, ngx_uint_t by_default) {
    ngx_str_t format;

    if (ngx_http_arg(r, (u_char*)"format", 6, &format) != NGX_OK) return by_default;
    return format.len == 10 && ngx_strncmp(format.data, "prometheus", 10) == 0;
}

static ngx_int_t answer(ngx_http_request_t* r, ngx_uint_t by_default) {
    const ngx_uint_t for_prometheus = is_prometheus(r, by_default);
    ngx_octavo_figures_t figures;
    ngx_uint_t num_workers;
    ngx_chain_t out;
    ngx_buf_t* buffer;
    ngx_int_t rc;

    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) return NGX_HTTP_NOT_ALLOWED;
    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) return rc;
    buffer = ngx_create_temp_buf(r->pool, ANSWER_SIZE);
    if (buffer == NULL) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    ngx_octavo_counters_sum(&figures, &num_workers);
    buffer->last = (for_prometheus ? prometheus : json)(buffer->pos, buffer->end, &figures, num_workers);
    buffer->last_buf = r == r->main;
    buffer->last_in_chain = 1;
    if (for_prometheus) {
        ngx_str_set(&r->headers_out.content_type, "text/plain; version=0.0.4");
    } else {
        ngx_str_set(&r->headers_out.content_type, "application/json");
    }
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = buffer->last - buffer->pos;
    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) return rc;
    out.buf = buffer;
    out.next = NULL;
    return ngx_http_output_filter(r, &out);
}

static ngx_int_t answer_json(ngx_http_request_t* r) { return answer(r, 0); }
static ngx_int_t answer_prometheus(ngx_http_request_t* r) { return answer(r, 1); }

char* ngx_octavo_status(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    ngx_http_core_loc_conf_t* location = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    ngx_str_t* value = cf->args->elts;

    (void)cmd;
    (void)conf;
    if (cf->args->nelts < 2 || ngx_strcmp(value[1].data, "json") == 0) {
        location->handler = answer_json;
    } else if (ngx_strcmp(value[1].data, "prometheus") == 0) {
        location->handler = answer_prometheus;
    } else {
        return "takes \"json\" or \"prometheus\"";
    }
    return NGX_CONF_OK;
}
