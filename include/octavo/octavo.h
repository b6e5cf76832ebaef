/*
 * Octavo: asynchronous cryptography, many operations folded into one. The C interface.
 *
 * A *key* is registered once. A *request* names a key and an operation, is submitted to an *instance*, and completes
 * exactly once: ok, an error, or cancelled. An instance is a pair of rings in front of a device, which folds what waits
 * into batches. Requests of one instance may complete in any order.
 *
 * Threads. A key may be used by any number of threads at once. An instance and its requests belong to one thread at a
 * time: calls on one instance must not overlap, and a hand-over between threads needs the caller's own synchronisation.
 * Give each thread an instance of its own.
 *
 * Ownership. Operands are copied at submission and results are copied out: no pointer that a caller passes is kept,
 * but for the callback and wake-up arguments, which are used until the request completes or is cancelled.
 *
 * Handles are numbers, not pointers. A handle that was destroyed, or never was, is answered with
 * OCTAVO_ERR_BAD_HANDLE; no number comes back before 2^31 others have.
 *
 * Fork. A child gets working instances under the same handles, with new rings. Requests that were in flight stay the
 * parent's; in the child they are OCTAVO_CANCELLED. Neither process waits for the other.
 *
 * Timing. The time of private operations depends on the sizes of the keys and on the number of operations, not on secret
 * values; SECURITY.md has the exact promises for each row.
 *
 * Errors. Functions return octavo_status: 0 and above are normal answers, below 0 are errors. octavo_error_text() has the
 * sentence for the calling thread's last error, which names the field or argument and what to do.
 */
#ifndef OCTAVO_OCTAVO_H
#define OCTAVO_OCTAVO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OCTAVO_VERSION_MAJOR 0
#define OCTAVO_VERSION_MINOR 1
#define OCTAVO_VERSION_PATCH 0

#if defined(__GNUC__)
#define OCTAVO_API __attribute__((visibility("default")))
#else
#define OCTAVO_API
#endif

/* The version of the library that runs: major * 10000 + minor * 100 + patch. */
OCTAVO_API uint32_t octavo_version(void);

/*
 * 1 while the calling thread is in an OpenSSL function that the library itself called (a portable row), else 0. For an ENGINE or any
 * other code that OpenSSL calls whatever the library context, and that uses this library: it must leave such a call to OpenSSL's own
 * method, or the two would call each other for ever. Costs a few nanoseconds.
 */
OCTAVO_API int octavo_calls_openssl(void);

/*
 * 1 where the CPU has the feature, the operating system saves its registers, and OCTAVO_DISABLE_CPU does not take it away; else 0. Names
 * are those that `octavo info` prints; of any other, and of a null pointer, 0.
 */
OCTAVO_API int octavo_cpu_has(const char* feature);

/* Answers and errors. Append-only: a number never changes its meaning. */
typedef enum octavo_status {
    OCTAVO_OK = 0,
    OCTAVO_RETRY = 1,     /* the ring is full; nothing was taken; poll, then submit again. Not an error */
    OCTAVO_PENDING = 2,   /* accepted, not complete yet */
    OCTAVO_CANCELLED = 3, /* the request was cancelled, or it is the parent's (see Fork) */
    OCTAVO_TIMEOUT = 4,   /* the time was up first; the request goes on */
    OCTAVO_PORTABLE = 5,  /* the answer of octavo_consult(): do it yourself */

    OCTAVO_ERR_NULL_ARGUMENT = -1,     /* a pointer that must not be null is null */
    OCTAVO_ERR_BAD_HANDLE = -2,        /* a handle that was destroyed or never was */
    OCTAVO_ERR_BAD_ARGUMENT = -3,      /* a value out of its range */
    OCTAVO_ERR_BAD_LENGTH = -4,        /* a length that does not fit the key or the operation */
    OCTAVO_ERR_INPUT_TOO_LARGE = -5,   /* the number in the input is not less than the modulus */
    OCTAVO_ERR_OVERLAP = -6,           /* input and output overlap without being the same */
    OCTAVO_ERR_NO_PRIVATE_KEY = -7,    /* a private operation with a public key */
    OCTAVO_ERR_NO_MEMORY = -8,         /* memory ran out */
    OCTAVO_ERR_SYSTEM = -9,            /* the operating system refused: the text says what */
    OCTAVO_ERR_UNSUPPORTED = -10,      /* this instance or build cannot do that */
    OCTAVO_ERR_OPERATION_FAILED = -11, /* the operation failed on every row */
    OCTAVO_ERR_INTERNAL = -12,         /* a defect of Octavo; please report it */
    OCTAVO_ERR_BAD_SIGNATURE = -13,    /* the answer of a verification: it is not the key's signature of this */
    OCTAVO_ERR_BAD_POINT = -14, /* the peer's public key is no valid point of the curve, or gives an all-zero secret */
    OCTAVO_ERR_CONFIGURATION =
        -15,                     /* an endpoint file is wrong (the text names file and line), or has no such section */
    OCTAVO_ERR_NO_SECTION = -16, /* every internal section of that name is taken */
    OCTAVO_ERR_STARTED = -17,    /* too late: instances have started with other settings */
    OCTAVO_ERR_DEVICE = -18, /* the endpoint failed, restarts or is down, and the software fallback is switched off */

    /* A key was refused; the code names the field. */
    OCTAVO_ERR_KEY_N = -32,
    OCTAVO_ERR_KEY_E = -33,
    OCTAVO_ERR_KEY_D = -34,
    OCTAVO_ERR_KEY_P = -35,
    OCTAVO_ERR_KEY_Q = -36,
    OCTAVO_ERR_KEY_DP = -37,
    OCTAVO_ERR_KEY_DQ = -38,
    OCTAVO_ERR_KEY_QINV = -39,
    OCTAVO_ERR_KEY_EXTRA_PRIME = -40,
    OCTAVO_ERR_KEY_CURVE = -41,
    OCTAVO_ERR_KEY_PRIVATE = -42,
    OCTAVO_ERR_KEY_PUBLIC = -43,
    OCTAVO_ERR_KEY_MODULUS = -44,
    OCTAVO_ERR_KEY_EXPONENT_LEN = -45
} octavo_status;

/* The name of a status ("OCTAVO_RETRY"), or "OCTAVO_?" for a number that is none. Never null; static. */
OCTAVO_API const char* octavo_status_name(octavo_status status);
/* The calling thread's last error as a sentence, "" when there was none. Valid until the thread's next call. */
OCTAVO_API const char* octavo_error_text(void);

typedef struct octavo_key {
    uint64_t id; /* 0 is never a key */
} octavo_key;
typedef struct octavo_instance {
    uint64_t id; /* 0 is never an instance */
} octavo_instance;
typedef struct octavo_request {
    uint64_t id; /* 0 is never a request; meaningful together with its instance only */
} octavo_request;

/* ---- keys ---- */

/* A big-endian number of `len` bytes. Absent: data null and len 0. Leading zero bytes are allowed. */
typedef struct octavo_number {
    const uint8_t* data;
    size_t len;
} octavo_number;

/* A factor beyond p and q of a multi-prime key: r_i, d_i, t_i of RFC 8017, 3.2. */
typedef struct octavo_rsa_prime {
    octavo_number prime, exponent, coefficient;
} octavo_rsa_prime;

/*
 * An RSA key (RFC 8017, 3.1 and 3.2). A public key has n and e. A private key also has d, and either all of p, q, dp, dq, qinv
 * or none of them; with them it may have up to 3 extra primes.
 * `size` is sizeof(octavo_rsa_key): a later version may append fields.
 */
typedef struct octavo_rsa_key {
    size_t size;
    octavo_number n, e, d, p, q, dp, dq, qinv;
    const octavo_rsa_prime* extra_primes;
    size_t num_extra_primes;
} octavo_rsa_key;

/*
 * Registers an RSA key and computes what depends on it alone. The numbers are copied.
 * Checked: n odd, 512 to 16384 bits; e odd, 3 <= e < n, at most 64 bits where n is over 3072 bits; 0 < d < n; p q (r_3 ...) = n, p
 * and q different and odd; dP, dQ, qInv in range and right for p, q and e. Primality is not tested.
 * OCTAVO_ERR_KEY_... names the field that is wrong. On any error *key is {0}.
 */
OCTAVO_API octavo_status octavo_key_create_rsa(const octavo_rsa_key* numbers, octavo_key* key);
/* Curves. Append-only. `n` below: the bytes of the group's order; `p`: of a coordinate. */
typedef enum octavo_curve {
    OCTAVO_CURVE_P256 = 1,           /* FIPS 186-5 / SP 800-186: n 32, p 32 */
    OCTAVO_CURVE_P384 = 2,           /* n 48, p 48 */
    OCTAVO_CURVE_P521 = 3,           /* n 66, p 66 */
    OCTAVO_CURVE_P224 = 4,           /* n 28, p 28 */
    OCTAVO_CURVE_SECP256K1 = 5,      /* SEC 2: n 32, p 32 */
    OCTAVO_CURVE_BRAINPOOL_P256 = 6, /* RFC 5639, the r1 curves: n 32, p 32 */
    OCTAVO_CURVE_BRAINPOOL_P384 = 7, /* n 48, p 48 */
    OCTAVO_CURVE_BRAINPOOL_P512 = 8, /* n 64, p 64 */
    OCTAVO_CURVE_X25519 = 16,        /* RFC 7748: 32 bytes each */
    OCTAVO_CURVE_X448 = 17,          /* RFC 7748: 56 bytes each */
    OCTAVO_CURVE_ED25519 = 18,       /* RFC 8032: keys of 32 bytes, signatures of 64 */
    OCTAVO_CURVE_ED448 = 19          /* RFC 8032: keys of 57 bytes, signatures of 114 */
} octavo_curve;

/*
 * A key on a curve. `private_key`: a big-endian scalar, 1 to order - 1, for the first eight curves; the bytes of RFC 7748 and RFC 8032 for the
 * others. `public_key`: 04 || x || y (SEC 1, 2.3.3; compressed points are taken too), or the bytes of the RFCs. With a private
 * key the public one may be absent. With neither, the key names a curve: for OCTAVO_EC_GENERATE.
 * `size` is sizeof(octavo_ec_key): a later version may append fields.
 */
typedef struct octavo_ec_key {
    size_t size;
    uint32_t curve; /* octavo_curve */
    octavo_number private_key, public_key;
} octavo_ec_key;

/*
 * Registers a key on a curve. The bytes are copied.
 * Checked: lengths, the scalar's range, that the point is on the curve and not infinity. That the two belong together is checked on
 * Edwards curves alone, where a wrong public key would give the private one away.
 * OCTAVO_ERR_KEY_CURVE, OCTAVO_ERR_KEY_PRIVATE or OCTAVO_ERR_KEY_PUBLIC names the field that is wrong. On any error *key is {0}.
 */
OCTAVO_API octavo_status octavo_key_create_ec(const octavo_ec_key* numbers, octavo_key* key);
/*
 * A modulus for exponentiation with secret exponents: a prime of Diffie-Hellman or DSA. `exponent_len` is the length that the exponents of its
 * requests have, in bytes; time depends on it.
 * `size` is sizeof(octavo_modulus): a later version may append fields.
 */
typedef struct octavo_modulus {
    size_t size;
    octavo_number modulus;
    size_t exponent_len;
} octavo_modulus;

/*
 * Registers a modulus, and computes what depends on it alone. The number is copied.
 * Checked: odd, 512 to 8192 bits (OCTAVO_ERR_KEY_MODULUS); 1 <= exponent_len <= the modulus length
 * (OCTAVO_ERR_KEY_EXPONENT_LEN). Primality is not tested. On any error *key is {0}.
 */
OCTAVO_API octavo_status octavo_key_create_modulus(const octavo_modulus* numbers, octavo_key* key);
/*
 * Gives the handle back. Requests already accepted still complete; the key's memory is wiped when the last is done.
 * OCTAVO_ERR_BAD_HANDLE for a handle destroyed before.
 */
OCTAVO_API octavo_status octavo_key_destroy(octavo_key key);
/* Of an RSA key: the modulus length in bytes, which is the length of inputs and outputs. Of others: OCTAVO_ERR_BAD_ARGUMENT. */
OCTAVO_API octavo_status octavo_key_length(octavo_key key, size_t* len);
/* The bytes of an operation's result with this key. OCTAVO_ERR_BAD_ARGUMENT for an operation that the key cannot do. */
OCTAVO_API octavo_status octavo_key_output_length(octavo_key key, uint32_t operation, size_t* len);

/* ---- instances ---- */

typedef enum octavo_driver {
    /* inline until the first request that asks for a wake-up, or the first octavo_instance_fd(); threads from then on */
    OCTAVO_DRIVER_AUTO = 0,
    OCTAVO_DRIVER_INLINE = 1, /* the thread that polls or waits computes; no thread, no system call */
    OCTAVO_DRIVER_THREADS = 2 /* an engine thread computes */
} octavo_driver;

/* Zeroed fields are defaults. `size` is sizeof(octavo_instance_config). */
typedef struct octavo_instance_config {
    size_t size;
    const char* name;   /* for statistics; at most 31 bytes, copied; default: "default" */
    uint32_t driver;    /* octavo_driver */
    uint32_t ring_size; /* requests accepted and not yet given back, a power of two from 2 to 4096; default 256 */
    /* 0: with an engine thread, and where octavo_instance_waiter_computes(), a submitter that proves to be alone computes in place,
     * inside octavo_submit(), because that costs least; 1: never while the endpoint is up, submission then returns at once */
    uint32_t never_in_place;
} octavo_instance_config;

/* `config` may be null: all defaults. On error *instance is {0}. */
OCTAVO_API octavo_status octavo_instance_create(const octavo_instance_config* config, octavo_instance* instance);
/*
 * Ends an instance. Requests in flight are cancelled first: when this returns, no callback or wake-up of theirs runs or will
 * run, and their handles are void. Not from within a callback of the same instance (OCTAVO_ERR_BAD_ARGUMENT).
 */
OCTAVO_API octavo_status octavo_instance_destroy(octavo_instance instance);
/*
 * A descriptor that is readable when octavo_poll() has something to reap (an eventfd; octavo_poll() drains it; never read,
 * write or close it). It belongs to the instance. Turns an OCTAVO_DRIVER_AUTO instance to an engine thread;
 * OCTAVO_ERR_UNSUPPORTED for OCTAVO_DRIVER_INLINE. After fork() the child must ask again.
 */
OCTAVO_API octavo_status octavo_instance_fd(octavo_instance instance, int* fd);

/* The driver that the instance was created with: an octavo_driver. */
OCTAVO_API octavo_status octavo_instance_driver(octavo_instance instance, uint32_t* driver);
/*
 * For an event loop that decides itself when to poll: *num_queued is how many requests have been put into the ring since the instance was
 * created, *num_waiting how many of them have not been reaped. A loop that submits as long as there is something to submit and
 * polls when *num_queued has stopped growing gets full batches without a timer.
 */
OCTAVO_API octavo_status octavo_instance_progress(octavo_instance instance, uint64_t* num_queued, size_t* num_waiting);

/*
 * The calling thread's own instance, which everything in the thread shares that has none of its own: the OpenSSL front ends submit
 * to it. Made on first use (name "thread", driver auto, a ring of 1024), destroyed when the thread ends; not to be destroyed by
 * others. OCTAVO_ERR_NO_MEMORY.
 */
OCTAVO_API octavo_status octavo_thread_instance(octavo_instance* instance);
/*
 * Makes the thread's instance as `config` says, in place of one that exists and is idle. With OCTAVO_DRIVER_INLINE the thread's event
 * loop takes the device over: what a front end submits and pauses for waits until the loop calls octavo_poll(), which resumes
 * nothing by itself, but notifies the wait context or the descriptor of each paused job.
 * OCTAVO_ERR_BAD_ARGUMENT for a bad field, and while the instance has requests.
 */
OCTAVO_API octavo_status octavo_thread_instance_configure(const octavo_instance_config* config);

/* ---- sections ---- */

/*
 * With endpoint files (octavo.conf(5)), processes share what these describe: each process that names a section gets one of its
 * internal sections, with the instances in it, and nobody else has that until the process ends, however it ends, execs or gives it back.
 *
 * The threads' own instances (octavo_thread_instance()) are then the section's: each thread takes the next in turn and stays with it,
 * or is bound to one. Threads that share an instance of the section have a ring pair each under its name. Instances made with
 * octavo_instance_create() or octavo_thread_instance_configure() are as their caller says.
 *
 * A process that names no section, by octavo_section_start(), octavo_section_set() or in the environment variable OCTAVO_SECTION, works as
 * without endpoint files. One that names a section and gets none works on the portable row, so that it is no burden to those who have one;
 * requests are counted under OCTAVO_FALLBACK_SECTION, and `octavo doctor` shows the reason.
 *
 * OCTAVO_SECTION is looked at by the first call of octavo_thread_instance(), or of one of the functions below. A forked child is on its
 * own: its first such call asks for a section of the name that its parent asked for.
 */

#define OCTAVO_SECTION_NAME 64 /* bytes for the longest name, its zero included */

/*
 * Takes the first free internal section of `name`, by endpoint, then by process; `name` null: the one that OCTAVO_SECTION names, or none. Never
 * waits. OCTAVO_OK also where there are no endpoint files, and where the process has one of this name already.
 *   OCTAVO_ERR_NO_SECTION     all are taken
 *   OCTAVO_ERR_CONFIGURATION  an endpoint file has a mistake, or there is no such section in them
 *   OCTAVO_ERR_SYSTEM         the folder for locks cannot be used
 *   OCTAVO_ERR_BAD_ARGUMENT   no name for a section (1 to 31 letters, digits, "_" and "-"), or the process holds one of another
 * After the first three the process goes on without a section; it may try again.
 */
OCTAVO_API octavo_status octavo_section_start(const char* name);
/*
 * Names a section in place of OCTAVO_SECTION: it is taken where that would be, and so is one for each forked child. Nothing is taken now, and
 * whether there is such a section shows later: for what is loaded before a program forks its workers.
 *   OCTAVO_ERR_BAD_ARGUMENT  no name for a section
 *   OCTAVO_ERR_STARTED       the process holds one of another name, which stays
 */
OCTAVO_API octavo_status octavo_section_set(const char* name);
/* Gives the section back. The process is then as without endpoint files, until it starts one again. OCTAVO_OK also without one. */
OCTAVO_API octavo_status octavo_section_stop(void);
/* The internal section's name ("SSL_DEV0_INT_2"), "" where the process has none. `capacity` is at least OCTAVO_SECTION_NAME. */
OCTAVO_API octavo_status octavo_section_name(char* name, size_t capacity);

/* An instance of the section, as the endpoint's file says. `size` is set by the caller to sizeof(octavo_section_instance). */
typedef struct octavo_section_instance {
    size_t size;
    char name[OCTAVO_SECTION_NAME];
    uint32_t endpoint;
    int32_t first_core, last_core; /* where its engine threads run; -1: anywhere */
    uint32_t is_polled; /* 0 and 2: its descriptor tells, an engine thread computes; 1: whoever uses it polls */
    uint32_t driver;    /* octavo_driver */
    uint32_t ring_size;
} octavo_section_instance;
/* How many crypto instances the process's section has; 0 without a section. */
OCTAVO_API octavo_status octavo_section_count(size_t* count);
/* The one at `index`, below the count, else OCTAVO_ERR_BAD_ARGUMENT. By endpoint, then by number. */
OCTAVO_API octavo_status octavo_section_get(size_t index, octavo_section_instance* instance);
/*
 * Binds the calling thread to that instance of the section: octavo_thread_instance() is then of that one, until the section is given
 * back. OCTAVO_ERR_BAD_ARGUMENT where there is none at `index`, and while the thread's instance has requests.
 */
OCTAVO_API octavo_status octavo_section_bind(size_t index);
/* Which instance of the section the calling thread's belongs to; SIZE_MAX: none. */
OCTAVO_API octavo_status octavo_section_binding(size_t* index);

/* ---- polling ---- */

/*
 * Who drives the device behind the threads' own instances (octavo_thread_instance()), and who tells a waiter, a paused job above all, that
 * its request is done. All modes give the same results. In all of them a thread outside of jobs computes in place, and a full ring
 * is an operation computed in place in the end. Instances made with octavo_instance_create() or octavo_thread_instance_configure() are
 * their caller's, whatever the mode.
 *
 * The settings are the process's: from octavo_polling_set(), or the front end that was told (the provider's section of openssl.cnf), else
 * from the endpoint file of the section's instance, else the default. They count from the first octavo_thread_instance(), and can then
 * be changed only after octavo_polling_reset(). A forked child has its parent's settings, and polling threads of its own.
 */
typedef enum octavo_polling_mode {
    /*
     * Nothing to choose: an engine thread computes and wakes each waiter as soon as it is done, and a job that is alone computes in place.
     * Jobs of a thread that may run on one core only, where an engine thread would take turns with it, do without one: as with
     * OCTAVO_POLLING_INLINE, but for those that are told by a callback.
     */
    OCTAVO_POLLING_DEFAULT = 0,
    OCTAVO_POLLING_TIMER = 1, /* an internal thread polls every `interval_ns` while requests are in flight */
    OCTAVO_POLLING_EVENT =
        2, /* an internal thread sleeps on the instances' descriptors (epoll), at most `timeout_ms` */
    OCTAVO_POLLING_EXTERNAL = 3, /* the application calls octavo_polling_poll() */
    /* the same, and the application chooses the moment by the numbers at octavo_polling_in_flight() */
    OCTAVO_POLLING_HEURISTIC = 4,
    /* the waiter itself: a job pauses once, so that others may submit, its waiter is told at once, and resumed it polls until it is done */
    OCTAVO_POLLING_INLINE = 5
} octavo_polling_mode;

/* Zeroed fields are defaults. `size` is sizeof(octavo_polling). */
typedef struct octavo_polling {
    size_t size;
    uint32_t mode; /* octavo_polling_mode; OCTAVO_POLLING_DEFAULT: what the endpoint file says, else the default */
    /*
     * octavo_driver, in all modes but the default: who computes, where an endpoint file does not say. OCTAVO_DRIVER_THREADS: an engine thread
     * for each thread's instance, and polling hands its replies over; otherwise whoever polls computes.
     */
    uint32_t driver;
    uint64_t interval_ns; /* OCTAVO_POLLING_TIMER: 1 to 10,000,000; 0: 10,000 */
    uint32_t timeout_ms;  /* OCTAVO_POLLING_EVENT: 1 to 60,000; 0: 1,000 */
} octavo_polling;

/*
 * Settings for all threads' instances to come. OCTAVO_ERR_BAD_ARGUMENT for a value out of its range, and OCTAVO_ERR_STARTED where
 * an instance has started and the settings are not those that hold: nothing has changed then.
 */
OCTAVO_API octavo_status octavo_polling_set(const octavo_polling* settings);
/* What octavo_polling_set() has set; zeroed fields are filled in with what they stand for. `size` is set by the caller. */
OCTAVO_API octavo_status octavo_polling_get(octavo_polling* settings);
/*
 * Back to the default, and open for another octavo_polling_set(). Each thread's instance is made anew at the next octavo_thread_instance()
 * that finds it without requests; until then it works as it did. Handles of threads' instances are void then.
 */
OCTAVO_API octavo_status octavo_polling_reset(void);
/* The mode in which an instance works: an octavo_polling_mode. OCTAVO_POLLING_DEFAULT for those that are their caller's. */
OCTAVO_API octavo_status octavo_instance_polling(octavo_instance instance, uint32_t* mode);
/*
 * For what pauses jobs, before it submits an operation. *computes is 1 where whoever waits should compute: in the mode inline, and in the
 * default mode (driver auto, an engine thread not yet there nor placed by the configuration) where an engine thread would bring nothing: the
 * thread that asks may run on one core only, or no more is in flight than a batch holds, or a batch of such operations costs no more than waking a
 * thread and handing over. A job then submits without a wake-up, tells its own waiter, pauses, so that others may submit, and calls octavo_wait()
 * when it is resumed. Else 0. The cores of the thread are looked at once, when it first asks, and again in a child after fork().
 * OCTAVO_ERR_BAD_ARGUMENT for an operation that the key cannot do.
 */
OCTAVO_API octavo_status octavo_instance_waiter_computes(octavo_instance instance, octavo_key key, uint32_t operation,
                                                         uint32_t* computes);

/*
 * For polling, the process has as many crypto instances as its section, or one without a section: each stands for the threads' instances
 * that belong to it.
 */
OCTAVO_API octavo_status octavo_polling_count(size_t* count);
/* Binds the calling thread to one, as octavo_section_bind(); without a section, to 0. OCTAVO_ERR_BAD_ARGUMENT from the count on. */
OCTAVO_API octavo_status octavo_polling_bind(size_t index);

#define OCTAVO_POLLING_ALL SIZE_MAX       /* every instance of the process */
#define OCTAVO_POLLING_OWN (SIZE_MAX - 1) /* the calling thread's */
/*
 * Polls instance `index`, or one of the above, once: computes where the poller does, until nothing waits; tells the waiters of what is
 * done, by callback or descriptor, in the calling thread; stores how many in *num_completed (may be null). Any thread, also several
 * at once, which share the work. Does not wait. A callback may resume its job.
 * OCTAVO_ERR_UNSUPPORTED in other modes than external and heuristic; OCTAVO_ERR_BAD_ARGUMENT for an index out of range.
 */
OCTAVO_API octavo_status octavo_polling_poll(size_t index, size_t* num_completed);
/*
 * A descriptor for the application's event loop, readable when octavo_polling_poll() of that instance (0 up to the count) has
 * something to do; that call drains it. It stays the library's: never read, write or close it. After fork() the child must ask again.
 * OCTAVO_ERR_UNSUPPORTED, OCTAVO_ERR_BAD_ARGUMENT as above, OCTAVO_ERR_SYSTEM.
 */
OCTAVO_API octavo_status octavo_polling_fd(size_t index, int* fd);

typedef enum octavo_in_flight {
    OCTAVO_IN_FLIGHT_ASYMMETRIC = 1,
    OCTAVO_IN_FLIGHT_KDF = 2,
    OCTAVO_IN_FLIGHT_CIPHER = 3
} octavo_in_flight;
/*
 * Where the number of requests of a kind (octavo_in_flight) can be read that are in flight in the threads' instances of all modes but the
 * default: submitted, and not seen done or cancelled by their thread. The address is valid and the same as long as the process lives; read it
 * without a lock (an aligned 32-bit load). A child starts with 0. OCTAVO_ERR_BAD_ARGUMENT for another kind.
 */
OCTAVO_API octavo_status octavo_polling_in_flight(uint32_t kind, const volatile int32_t** count);

/*
 * How often a front end tries again to submit an operation that found the ring full, each time after a pause of its job, before it
 * computes it in place: 0 to 100,000, or -1 for without limit; 8 at first. May be set at any time. OCTAVO_ERR_BAD_ARGUMENT.
 */
OCTAVO_API octavo_status octavo_retry_limit_set(int32_t limit);
OCTAVO_API octavo_status octavo_retry_limit_get(int32_t* limit);
/* How often octavo_submit() has answered OCTAVO_RETRY in this process, all instances together; a child starts with 0. */
OCTAVO_API octavo_status octavo_retry_count(uint64_t* count);

/* ---- health ---- */

/*
 * Every instance belongs to an endpoint: 0, or what the endpoint files say. In each process by itself, an endpoint is up, restarting or down. While
 * it is not up, requests in flight on its instances are completed on the portable row, each exactly once, whatever its device still does
 * with them; new ones are computed there, too: inside octavo_submit() where there is an engine thread, else by whoever polls. Requests
 * are counted under OCTAVO_FALLBACK_ENDPOINT then. It comes back without anybody's help.
 *
 * An endpoint restarts when one of its engine threads has been at the same batch for a second (the hang timeout, octavo.conf(5); where
 * a busy machine leaves it without a processor, that does not count), until that goes
 * on; and when a fault is injected (octavo-fault(1)), which a process must have allowed: by its endpoint file, or by OCTAVO_FAULTS=1 in
 * the environment. A child after fork() begins with all endpoints up and no faults.
 */
typedef enum octavo_endpoint_state {
    OCTAVO_ENDPOINT_UP = 0,
    OCTAVO_ENDPOINT_RESTARTING = 1,
    OCTAVO_ENDPOINT_DOWN = 2
} octavo_endpoint_state;

/* `size` is set by the caller to sizeof(octavo_endpoint). */
typedef struct octavo_endpoint {
    size_t size;
    uint32_t number;
    uint32_t state;    /* octavo_endpoint_state */
    uint32_t is_alive; /* the heartbeat: 1: up, and answers what it is given */
    size_t num_instances;
} octavo_endpoint;
/* On how many endpoints the process has instances now. */
OCTAVO_API octavo_status octavo_endpoint_count(size_t* count);
/* The one at `index`, by number, as it is now; any thread, does not wait for requests. OCTAVO_ERR_BAD_ARGUMENT from the count on. */
OCTAVO_API octavo_status octavo_endpoint_get(size_t index, octavo_endpoint* endpoint);
/* The state of an instance's endpoint: an octavo_endpoint_state. */
OCTAVO_API octavo_status octavo_instance_state(octavo_instance instance, uint32_t* state);

typedef enum octavo_event {
    OCTAVO_EVENT_RESTARTING = 1,
    OCTAVO_EVENT_RESTARTED = 2, /* up again, also from down */
    OCTAVO_EVENT_DOWN = 3
} octavo_event;
/*
 * Called on a thread of the library's, one event after the other, once requests in flight have been completed elsewhere. It must be quick: while it
 * runs, no endpoint's state changes in this process. It may call everything but octavo_event_subscribe() and octavo_event_unsubscribe()
 * (OCTAVO_ERR_BAD_ARGUMENT); it must not fork, nor wait for a thread that calls one of these two. Other threads may fork meanwhile.
 */
typedef void octavo_event_callback(void* argument, uint32_t endpoint, uint32_t event);
/* Any thread. *subscription is never 0. A forked child has its parent's subscriptions. OCTAVO_ERR_NO_MEMORY. */
OCTAVO_API octavo_status octavo_event_subscribe(octavo_event_callback* callback, void* argument,
                                                uint64_t* subscription);
/* When it returns, the callback does not run and will not run. OCTAVO_ERR_BAD_HANDLE for one that was ended or never was. */
OCTAVO_API octavo_status octavo_event_unsubscribe(uint64_t subscription);

/*
 * The software fallback, of the whole process, at any time: 1, at first, is as above; 0: what an endpoint cannot do fails with
 * OCTAVO_ERR_DEVICE, at submission, or as the request's result where it was in flight. OCTAVO_ERR_BAD_ARGUMENT for other values.
 */
OCTAVO_API octavo_status octavo_software_fallback_set(int is_on);
OCTAVO_API octavo_status octavo_software_fallback_get(int* is_on);

/* ---- requests ---- */

typedef enum octavo_operation {
    OCTAVO_RSA_PRIVATE = 1, /* m = c^d mod n (RSADP, RSASP1): input and output of the modulus length, raw, no padding */
    OCTAVO_RSA_PUBLIC = 2,  /* c = m^e mod n (RSAEP, RSAVP1) */
    /* ECDSA (FIPS 186-5, 6.4): input a digest of 1 to 64 bytes, of which the leftmost bits count; output r || s, n bytes each */
    OCTAVO_ECDSA_SIGN = 3,
    OCTAVO_ECDSA_VERIFY = 4, /* input r || s || digest; no output: OCTAVO_OK or OCTAVO_ERR_BAD_SIGNATURE */
    /*
     * Diffie-Hellman (SP 800-56A, 5.7.1.2; RFC 7748): input the peer's public key, as in octavo_ec_key; output the x coordinate, p bytes,
     * or 32 or 56 bytes. OCTAVO_ERR_BAD_POINT.
     */
    OCTAVO_ECDH_DERIVE = 5,
    /* A new key pair on the key's curve: no input; output private || public, the public key uncompressed. For every curve */
    OCTAVO_EC_GENERATE = 6,
    OCTAVO_EDDSA_SIGN = 7,   /* Ed25519, Ed448 (RFC 8032, pure, no context): input the message; output the signature */
    OCTAVO_EDDSA_VERIFY = 8, /* input signature || message; no output: OCTAVO_OK or OCTAVO_ERR_BAD_SIGNATURE */
    /*
     * base^exponent mod n (SP 800-56A, 5.7.1.1; FIPS 186-4, 4.6), for keys of octavo_key_create_modulus(): input base || exponent, big-endian,
     * of the modulus length (base < n) and of the key's exponent_len; output of the modulus length. Constant time in both but for their lengths
     */
    OCTAVO_MOD_EXP = 9
} octavo_operation;

/*
 * Runs on the thread that polls, once, for a request that was submitted with it: `status` is OCTAVO_OK, OCTAVO_CANCELLED or an
 * error; `output` has `output_len` bytes until the callback returns (null and 0 unless OCTAVO_OK). The request's handle is void
 * when it returns. It may submit and cancel; it must not poll, wait on or destroy the instance.
 */
typedef void octavo_callback(void* argument, octavo_request request, octavo_status status, const uint8_t* output,
                             size_t output_len);

/*
 * How to tell a waiter that its request is done and octavo_poll() will reap it. For instances with an engine thread; it happens
 * there. Never while octavo_submit() runs, and not when octavo_submit() answers OCTAVO_OK (done in place).
 */
typedef struct octavo_wakeup {
    int fd; /* where >= 0: an eventfd, to which 1 is added. It must stay open until the request completes or is cancelled */
    void (*call)(void* argument); /* where not null: called from the engine thread; must be quick and must not block */
    void* argument;
} octavo_wakeup;

#define OCTAVO_MAX_INPUT 2048
/* `size` is sizeof(octavo_submission). Zeroed fields: no callback, no wake-up (set wakeup.fd to -1, or use the macro). */
typedef struct octavo_submission {
    size_t size;
    octavo_key key;
    uint32_t operation; /* octavo_operation */
    const uint8_t* input;
    size_t input_len;
    octavo_callback* callback; /* null: fetch the result with octavo_result() */
    void* callback_argument;
    octavo_wakeup wakeup;
} octavo_submission;
#define OCTAVO_SUBMISSION_INIT                                                     \
    {                                                                              \
        sizeof(octavo_submission), {0}, 0, NULL, 0, NULL, NULL, { -1, NULL, NULL } \
    }

/*
 * Submits a request. Its input has at most OCTAVO_MAX_INPUT bytes (octavo_execute() takes longer messages).
 *   OCTAVO_PENDING  accepted; *request is its handle until it is reaped (callback), fetched, released by a cancel, or destroyed
 *   OCTAVO_OK       accepted and already done in place; reap or fetch it in the same way (a callback runs at the next poll)
 *   OCTAVO_RETRY    the ring is full; nothing was taken
 *   an error        nothing was taken
 * Never blocks, but for an operation done in place. `request` may be null where there is a callback.
 */
OCTAVO_API octavo_status octavo_submit(octavo_instance instance, const octavo_submission* submission,
                                       octavo_request* request);
/*
 * Reaps at most `quota` (1 or more) completed requests, runs their callbacks, and stores the number in *num_reaped (may be
 * null). With the inline driver it first computes, until `quota` are done or nothing waits; not in the polling modes timer, event,
 * external and heuristic, where others do. Never blocks otherwise.
 * A waiter whose wake-up came must reap until its own request is seen, which other replies may be ahead of: SIZE_MAX is the
 * quota for that. A quota of 0 is OCTAVO_ERR_BAD_ARGUMENT.
 */
OCTAVO_API octavo_status octavo_poll(octavo_instance instance, size_t quota, size_t* num_reaped);
/*
 * Reaps all that is done. With the inline driver, where nothing is, it first computes one batch: for an event loop that looks at its
 * other events between two batches, so that whoever was served can submit again and fill the next.
 */
OCTAVO_API octavo_status octavo_poll_batch(octavo_instance instance, size_t* num_reaped);
/*
 * Waits until the request is done, at most `timeout_ns` nanoseconds (UINT64_MAX: for ever): OCTAVO_OK when it is,
 * OCTAVO_TIMEOUT when not. Reaps nothing and runs no callback. The inline driver computes what waits, and looks at the time
 * between batches.
 */
OCTAVO_API octavo_status octavo_wait(octavo_instance instance, octavo_request request, uint64_t timeout_ns);
/*
 * Fetches the result of a request without a callback, and voids the handle: OCTAVO_OK with *output_len bytes in `output`,
 * OCTAVO_CANCELLED, or the request's error. OCTAVO_PENDING while it is not done (for an engine thread's request, after
 * octavo_poll() or octavo_wait() has seen it): nothing changes. OCTAVO_ERR_BAD_LENGTH when `capacity` is too small: nothing
 * changes. OCTAVO_ERR_BAD_ARGUMENT for a request with a callback.
 * After any answer but OCTAVO_PENDING and the two last the wake-up will never be used again: its descriptor may be closed.
 */
OCTAVO_API octavo_status octavo_result(octavo_instance instance, octavo_request request, uint8_t* output,
                                       size_t capacity, size_t* output_len);
/*
 * Cancels: at any moment, any number of times. When it returns, neither the callback nor the wake-up of the request will ever be
 * used again, and the handle is void. It may wait while the engine thread is in the middle of this request's wake-up, never for
 * an operation. OCTAVO_OK the first time, also for a request that is done; OCTAVO_CANCELLED for a handle that is void.
 */
OCTAVO_API octavo_status octavo_cancel(octavo_instance instance, octavo_request request);
/*
 * One operation, synchronously: the same as submit, wait and result, without the ring where nothing waits. `output` has
 * `capacity` bytes and may be `input`.
 */
OCTAVO_API octavo_status octavo_execute(octavo_instance instance, octavo_key key, uint32_t operation,
                                        const uint8_t* input, size_t input_len, uint8_t* output, size_t capacity,
                                        size_t* output_len);

/*
 * For a front end that can do an operation as the portable row does, and has it in a form that costs time to convert: asks whether to give it
 * to the instance. The key may be any of the curve, also one that only names it; nothing is kept.
 *   OCTAVO_OK        submit it, or execute it; always so for signatures to be checked (EcdsaCheck in octavo.conf(5)), and for OCTAVO_ERR_DEVICE
 *   OCTAVO_PORTABLE  do it yourself: the instance would run it on the portable row, here and now. It is counted as submitted, completed and in place,
 *                    under OCTAVO_FALLBACK_ALONE or the reason for which there is no lane row
 *   an error         of the handles, or of an operation that is none of the key's
 * `will_wait`: not 0 where it would be submitted with a wake-up, so that others can join it. A submitter that proves to be alone is told
 * OCTAVO_PORTABLE then, and OCTAVO_OK now and then, which shows whether company has come. 0: for octavo_execute().
 * Time: some tens of nanoseconds.
 */
OCTAVO_API octavo_status octavo_consult(octavo_instance instance, octavo_key key, uint32_t operation, int will_wait);

/* ---- statistics ---- */

#define OCTAVO_BATCH_BUCKETS 16 /* bucket i: batches of i + 1 requests; the last: 16 and more */
#define OCTAVO_TIME_BUCKETS 32  /* bucket i: times below 2^(i+1) ns, at least 2^i ns */

/* Why a request took the portable row although a lane row was wanted. Append-only. */
typedef enum octavo_fallback {
    OCTAVO_FALLBACK_CPU = 0,      /* no lane row on this CPU, or an override took it away */
    OCTAVO_FALLBACK_SIZE = 1,     /* a modulus that the lane row does not take */
    OCTAVO_FALLBACK_NO_CRT = 2,   /* a private key without CRT values */
    OCTAVO_FALLBACK_PRIMES = 3,   /* a multi-prime key, or primes of unequal size */
    OCTAVO_FALLBACK_EXPONENT = 4, /* a public exponent that the lane row does not take */
    OCTAVO_FALLBACK_CHECK = 5,    /* a lane result failed its check and was computed again */
    OCTAVO_FALLBACK_FORK = 6,     /* cancelled in a child because in flight at the fork */
    OCTAVO_FALLBACK_CURVE = 7,    /* a curve, or an operation on it, that no lane row takes */
    OCTAVO_FALLBACK_SECTION =
        8,                     /* the process was denied a section, or its section has no instance for the operation */
    OCTAVO_FALLBACK_ALONE = 9, /* octavo_consult() answered OCTAVO_PORTABLE: nobody to share lanes with */
    OCTAVO_FALLBACK_ENDPOINT = 10, /* the endpoint restarted or was down */
    OCTAVO_FALLBACK_DEVICE = 11,   /* the endpoint answered with an error */
    OCTAVO_FALLBACK_REASONS = 16
} octavo_fallback;

/* Counters since the instance was created; all but in_flight 0 with OCTAVO_STATISTICS=off in the environment. `size` is set by the caller to sizeof(octavo_statistics). */
typedef struct octavo_statistics {
    size_t size;
    uint64_t submitted, completed, failed, cancelled, retried;
    uint64_t in_flight;       /* accepted and not yet reaped */
    uint64_t in_place;        /* done by the submitter itself: by octavo_execute(), or because it was alone */
    uint64_t lane_requests;   /* done by a lane row */
    uint64_t scalar_requests; /* done by the portable row, because that was the cheaper plan */
    uint64_t fallback[OCTAVO_FALLBACK_REASONS]; /* done by the portable row, for want of another */
    uint64_t batch_size[OCTAVO_BATCH_BUCKETS];
    uint64_t queue_time[OCTAVO_TIME_BUCKETS];   /* from submission to the start of the batch */
    uint64_t service_time[OCTAVO_TIME_BUCKETS]; /* a batch's own time, once per request in it */
} octavo_statistics;
OCTAVO_API octavo_status octavo_instance_statistics(octavo_instance instance, octavo_statistics* statistics);

#ifdef __cplusplus
}
#endif

#endif
