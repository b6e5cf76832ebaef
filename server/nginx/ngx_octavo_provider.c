/* The provider in nginx's own process: no openssl.cnf, no environment. */
#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include "ngx_octavo.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define OUR_VERSION TEXT(OCTAVO_VERSION_MAJOR) "." TEXT(OCTAVO_VERSION_MINOR) "." TEXT(OCTAVO_VERSION_PATCH)

/* Its name among OpenSSL's providers; also what it says of its own algorithms. */
#define PROVIDER "octavo"
#define PREFERENCE "?provider=" PROVIDER

static OSSL_PROVIDER* provider;
static ngx_uint_t active;

static ngx_int_t check_openssl(ngx_conf_t* cf) {
    if (OPENSSL_version_major() != OPENSSL_VERSION_MAJOR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "octavo: built for OpenSSL %d, and this is %s", OPENSSL_VERSION_MAJOR,
                           OpenSSL_version(OPENSSL_VERSION));
        return NGX_ERROR;
    }
    if (!ngx_octavo_handshake_shares_openssl()) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "octavo: this nginx has an OpenSSL of its own, and the module uses %s",
                           OpenSSL_version(OPENSSL_VERSION));
        return NGX_ERROR;
    }
    return NGX_OK;
}

static ngx_int_t check_library(ngx_conf_t* cf) {
    const uint32_t built = OCTAVO_VERSION_MAJOR * 10000 + OCTAVO_VERSION_MINOR * 100 + OCTAVO_VERSION_PATCH;

    if (octavo_version() == built) return NGX_OK;
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "octavo: the module is of version %s, and the liboctavo.so that it finds of %ud", OUR_VERSION,
                       octavo_version());
    return NGX_ERROR;
}

/* "FOLDER/octavo.so" into `path`, of `size` bytes; whether there is such a file. */
static ngx_uint_t is_in(const char* folder, size_t len, const char* rest, char* path, size_t size) {
    const int written = snprintf(path, size, "%.*s%s/" PROVIDER ".so", (int)len, folder, rest);

    return written > 0 && (size_t)written < size && access(path, R_OK) == 0;
}

/*
 * Beside this module, as it is built and installed (lib/nginx/, lib/ossl-modules/), else where OpenSSL looks. The last one tried is in
 * `path` when there is none.
 */
static ngx_uint_t find_provider(char* path, size_t size) {
    const char* folder = secure_getenv("OPENSSL_MODULES");
    const char* slash = NULL;
    Dl_info self;

    if (dladdr(&provider, &self) != 0 && self.dli_fname != NULL) slash = strrchr(self.dli_fname, '/');
    if (slash != NULL && is_in(self.dli_fname, (size_t)(slash - self.dli_fname), "/../ossl-modules", path, size))
        return 1;
    if (folder == NULL) folder = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
    return folder != NULL && is_in(folder, strlen(folder), "", path, size);
}

/* OpenSSL says little about what fails in loading: dlopen() says it. */
static OSSL_provider_init_fn* open_provider(ngx_conf_t* cf) {
    OSSL_provider_init_fn* init = NULL;
    char path[NGX_MAX_PATH] = "";
    void *library, *symbol;

    if (!find_provider(path, sizeof path)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "octavo: the provider is not installed: no %s", path);
        return NULL;
    }
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    symbol = library == NULL ? NULL : dlsym(library, "OSSL_provider_init");
    if (symbol == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "octavo: the provider cannot be loaded: %s", dlerror());
        return NULL;
    }
    memcpy(&init, &symbol, sizeof init);
    return init;
}

static ngx_int_t load(ngx_conf_t* cf) {
    OSSL_provider_init_fn* init;

    if (provider != NULL) return NGX_OK;
    if (OSSL_PROVIDER_available(NULL, PROVIDER) != 1) {
        init = open_provider(cf);
        if (init == NULL) return NGX_ERROR;
        if (OSSL_PROVIDER_add_builtin(NULL, PROVIDER, init) != 1) init = NULL;
    }
    /* Others that OpenSSL would load by itself it still does. */
    provider = OSSL_PROVIDER_try_load(NULL, PROVIDER, 1);
    if (provider != NULL) return NGX_OK;
    ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0, "octavo: OpenSSL does not accept the provider");
    return NGX_ERROR;
}

/* Whether an RSA key that is loaded now will be the provider's. */
static ngx_int_t check_preferred(ngx_conf_t* cf) {
    EVP_KEYMGMT* keys = EVP_KEYMGMT_fetch(NULL, "RSA", NULL);
    const OSSL_PROVIDER* whose = keys == NULL ? NULL : EVP_KEYMGMT_get0_provider(keys);
    char *name = NULL, *version = NULL;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_NAME, &name, 0),
                           OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_VERSION, &version, 0), OSSL_PARAM_END};
    ngx_int_t rc = NGX_ERROR;

    if (whose == NULL || OSSL_PROVIDER_get_params(whose, params) != 1 || name == NULL || strcmp(name, "Octavo") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "octavo: OpenSSL prefers the provider \"%s\" for RSA",
                           name ? name : "none");
    } else if (version == NULL || strcmp(version, OUR_VERSION) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "octavo: the module is of version %s, and the provider of %s",
                           OUR_VERSION, version ? version : "none");
    } else {
        rc = NGX_OK;
    }
    EVP_KEYMGMT_free(keys);
    return rc;
}

ngx_int_t ngx_octavo_provider_activate(ngx_conf_t* cf) {
    if (active) return NGX_OK;
    if (check_openssl(cf) != NGX_OK || check_library(cf) != NGX_OK || load(cf) != NGX_OK) return NGX_ERROR;
    if (EVP_set_default_properties(NULL, PREFERENCE) != 1) {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0, "octavo: OpenSSL does not accept the preference");
        return NGX_ERROR;
    }
    if (check_preferred(cf) != NGX_OK) return NGX_ERROR;
    active = 1;
    return NGX_OK;
}

void ngx_octavo_provider_deactivate(void) {
    if (!active) return;
    (void)EVP_set_default_properties(NULL, "");
    active = 0;
}

void ngx_octavo_provider_reactivate(void) {
    if (provider != NULL && EVP_set_default_properties(NULL, PREFERENCE) == 1) active = 1;
}

ngx_uint_t ngx_octavo_provider_is_active(void) { return active; }
