/*
 * Octavo's jobs: functions that can pause in the middle. The C interface.
 *
 * A *job* runs a function on a stack of its own. The function may pause, which returns control to whoever started or last
 * resumed the job, and go on later. A *wait context* goes with a job and says when to resume it: by descriptors to watch, or by a
 * callback. Code that waits for an operation deep inside a library pauses; code that owns the event loop resumes.
 *
 *   state     octavo_job_start()   octavo_job_pause()   the function     octavo_job_cancel()   octavo_job_discard()
 *             (its handle given)   (by the job)         returns          or its wait context
 *                                                                        is freed (discard)
 *   none      ERROR: void handle   -                    -                BAD_HANDLE            BAD_HANDLE
 *   running   ERROR: it runs       -> pausing           -> stopping      BAD_ARGUMENT          BAD_ARGUMENT
 *   pausing   ERROR: it runs       -                    -                BAD_ARGUMENT          BAD_ARGUMENT
 *   paused    -> running           -                    -                -> cancelled          -> none
 *   cancelled ERROR: it runs       CANCELLED at once,   -> stopping      BAD_ARGUMENT          BAD_ARGUMENT
 *                                  stays cancelled
 *   stopping  ERROR: it runs       -                    -                BAD_ARGUMENT          BAD_ARGUMENT
 *
 * octavo_job_start() without a handle: none -> running. `pausing` becomes `paused` and `stopping` becomes `none` when the starter
 * has control again, with OCTAVO_JOB_PAUSE and OCTAVO_JOB_FINISH for an answer. A job that was cancelled and pauses
 * OCTAVO_JOB_CANCELLED_PAUSES times all the same is discarded.
 *
 * Threads. A job belongs to the thread that started it: that one resumes, cancels and discards it, others get
 * OCTAVO_ERR_BAD_ARGUMENT. Jobs may start and resume other jobs; a pause goes back to whoever entered the job last. A wait context
 * belongs to its job's thread, but for octavo_wait_free(), octavo_wait_set_status(), octavo_wait_get_status() and
 * octavo_wait_notify(), which any thread may call.
 * When a thread ends, its idle jobs are freed and its paused jobs discarded.
 *
 * Stacks. A mapping of its own, with an inaccessible area below that ends a process whose job overflows, and says so in one
 * line. Memory is committed as it is touched. Jobs are kept for re-use, the last one used first; stacks that have
 * long been idle, beyond those that octavo_job_init_thread() asked for, give their memory back to the system.
 * The line needs a handler for SIGSEGV: it is installed with the first job, only where the program has none; a program may
 * install its own before or after.
 *
 * What a thread has besides its stack: errno and the C++ runtime's exception state are kept apart for each job, so that a job
 * may pause in a catch block. Anything else (OpenSSL's error queue) is for octavo_job_set_hooks(). Thread-local variables are
 * the thread's, also for jobs.
 *
 * Fork. The child goes on with the jobs of the thread that called fork(). Those of other threads exist no more there.
 *
 * Handles are numbers: a void one is recognised (see octavo.h). A process can have 2^20 jobs and 2^20 wait contexts at a time; the
 * system's limit on mappings (vm.max_map_count, two for each job) usually comes first, at some 32,000 jobs.
 */
#ifndef OCTAVO_JOB_H
#define OCTAVO_JOB_H

#include <octavo/octavo.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct octavo_job {
    uint64_t id; /* 0 is never a job */
} octavo_job;
typedef struct octavo_wait_context {
    uint64_t id; /* 0 is never a wait context */
} octavo_wait_context;

/* What octavo_job_start() answers. The numbers are those of OpenSSL's ASYNC_start_job(). */
typedef enum octavo_job_result {
    OCTAVO_JOB_ERROR = 0, /* nothing ran; octavo_error_text() says why */
    OCTAVO_JOB_NO_JOBS =
        1, /* the thread has as many jobs as it may, or as memory allows: try again when one has finished */
    OCTAVO_JOB_PAUSE = 2, /* the job has paused */
    OCTAVO_JOB_FINISH = 3 /* the function has returned */
} octavo_job_result;

typedef enum octavo_job_state {
    OCTAVO_JOB_STATE_NONE = 0, /* a void handle, or another thread's job */
    OCTAVO_JOB_STATE_RUNNING = 1,
    OCTAVO_JOB_STATE_PAUSING = 2,
    OCTAVO_JOB_STATE_PAUSED = 3,
    OCTAVO_JOB_STATE_CANCELLED = 4,
    OCTAVO_JOB_STATE_STOPPING = 5
} octavo_job_state;

#define OCTAVO_JOB_STACK_DEFAULT (256u * 1024u)
#define OCTAVO_JOB_STACK_MIN (16u * 1024u)
#define OCTAVO_JOB_STACK_MAX (1024u * 1024u * 1024u)
#define OCTAVO_JOB_CANCELLED_PAUSES 1000

/* ---- the thread's jobs ---- */

/*
 * Sets how many jobs the calling thread may have at once, `max_jobs` (0: any number), and makes `init_jobs` of them now, whose stacks
 * keep their memory. Not needed: without it, (0, 0). May be called again; jobs beyond a lower limit end in their time.
 * OCTAVO_ERR_BAD_ARGUMENT where init_jobs is over max_jobs (and max_jobs is not 0), OCTAVO_ERR_NO_MEMORY, OCTAVO_ERR_SYSTEM.
 */
OCTAVO_API octavo_status octavo_job_init_thread(size_t max_jobs, size_t init_jobs);
/*
 * Frees the calling thread's idle jobs, and forgets what octavo_job_init_thread() set. Paused jobs go on, and can be resumed.
 * Cannot fail. The end of a thread does this and more by itself.
 */
OCTAVO_API void octavo_job_cleanup_thread(void);
/* Gives the memory of all idle stacks of the calling thread back to the system now: for an event loop that has nothing to do. */
OCTAVO_API void octavo_job_trim_thread(void);
/*
 * The stack size, in bytes, of jobs that any thread makes from now on; rounded up to whole pages. OCTAVO_JOB_STACK_DEFAULT until then, or
 * what the environment's OCTAVO_JOB_STACK says (bytes; not in set-user-id programs). Idle jobs of another size are not used again.
 * OCTAVO_ERR_BAD_ARGUMENT outside OCTAVO_JOB_STACK_MIN to OCTAVO_JOB_STACK_MAX.
 */
OCTAVO_API octavo_status octavo_job_set_stack_size(size_t size);

/* ---- jobs ---- */

/*
 * With job->id 0: starts function(argument) as a new job. The `argument_len` bytes at `argument` are copied, and the function gets a
 * pointer to the copy, aligned for any type and valid until it returns (null where `argument` is). `wait` is a wait context
 * that lives as long as the job and serves one job at a time, or {0}.
 * With job->id of a paused job: resumes it; the other arguments but `result` are ignored.
 *   OCTAVO_JOB_FINISH   *result (where not null) has what the function returned; *job is {0}
 *   OCTAVO_JOB_PAUSE    *job is the job's handle
 *   OCTAVO_JOB_NO_JOBS  nothing happened
 *   OCTAVO_JOB_ERROR    nothing happened: a null or void argument, a job that is not paused or another thread's, no memory
 * The function must return: an exception that leaves it ends the program, and so does a longjmp() out of it. The caller's
 * errno is not kept.
 */
OCTAVO_API octavo_job_result octavo_job_start(octavo_job* job, octavo_wait_context wait, int* result,
                                              int (*function)(void*), const void* argument, size_t argument_len);
/*
 * Runs when a paused job is cancelled or discarded, once, on the thread of the job, before anything else happens to it: makes sure
 * that what the job waits for does not touch it any more. `discarded` is 1 where the function will not go on: then the hook also
 * frees what nobody but the paused code could. It must not pause, nor start, resume or cancel jobs.
 */
typedef void octavo_job_cancel_hook(void* argument, int discarded);
/*
 * Pauses the current job: returns to whoever entered it last. `hook` (may be null) counts for this pause alone.
 *   OCTAVO_OK         paused and resumed
 *   OCTAVO_CANCELLED  the job is cancelled: clean up and return. The hook, if this pause began before the cancel, has run
 *   OCTAVO_RETRY      nothing happened: there is no current job, or pausing is blocked. Wait in place
 * A job may be resumed for any reason: look again at what it waits for. When it returns, the wait context's changed
 * descriptors are reset.
 */
OCTAVO_API octavo_status octavo_job_pause(octavo_job_cancel_hook* hook, void* argument);
/* The job that the caller runs in, {0} where it runs in none. */
OCTAVO_API octavo_job octavo_job_current(void);
/*
 * Makes octavo_job_pause() in the current job answer OCTAVO_RETRY until as many octavo_job_unblock_pause() have followed: for code that
 * holds a lock. Without a current job nothing happens. Jobs started by this one are not affected. Ends with the job.
 */
OCTAVO_API void octavo_job_block_pause(void);
OCTAVO_API void octavo_job_unblock_pause(void);
/*
 * Ends a paused job in good order: runs the hook of its pause, then resumes the job with OCTAVO_CANCELLED from octavo_job_pause(), so that
 * its function cleans up and returns (its result is dropped). The handle is void afterwards. What the function uses
 * must still be there; where it is not, discard.
 *   OCTAVO_OK                    the function has returned
 *   OCTAVO_ERR_OPERATION_FAILED  it paused OCTAVO_JOB_CANCELLED_PAUSES times more, and was discarded
 *   OCTAVO_ERR_BAD_ARGUMENT, OCTAVO_ERR_BAD_HANDLE  as in the table above
 */
OCTAVO_API octavo_status octavo_job_cancel(octavo_job job);
/*
 * Ends a paused job without running it: runs the hook of its pause and takes the stack back. Nothing of the function runs any
 * more, no destructor either: memory that only its variables know is lost, unless the hook frees it. For jobs whose surroundings are gone.
 * OCTAVO_OK, OCTAVO_ERR_BAD_ARGUMENT, OCTAVO_ERR_BAD_HANDLE.
 */
OCTAVO_API octavo_status octavo_job_discard(octavo_job job);
OCTAVO_API octavo_job_state octavo_job_get_state(octavo_job job);
/* The wait context that the job was started with; {0} for none, and for a void handle. */
OCTAVO_API octavo_wait_context octavo_job_get_wait(octavo_job job);

/*
 * What else belongs to a job and not to its thread. All run on the job's thread: `leave` in the job just before it pauses, its
 * answer is kept; `enter` in the job just after it was resumed, with that answer; `drop` instead of `enter` where the job is discarded. `drop`
 * may be null. They must not pause. Memory of the structure and what it points to: the caller's, until the job ends.
 */
typedef struct octavo_job_hooks {
    void* (*leave)(void* argument);
    void (*enter)(void* argument, void* kept);
    void (*drop)(void* argument, void* kept);
    void* argument;
} octavo_job_hooks;
/* Sets the hooks of the current job, null for none: what was set before, for the caller to put back. Null without a current job. */
OCTAVO_API const octavo_job_hooks* octavo_job_set_hooks(const octavo_job_hooks* hooks);

/* ---- wait contexts ---- */

/* On error (no memory, no place) the answer is {0}. */
OCTAVO_API octavo_wait_context octavo_wait_new(void);
/*
 * Discards the job that is paused with this context, if any; then runs the cleanup function of each descriptor that was not
 * cleared, and frees. From another thread than the job's: that thread discards the job when it next starts or trims jobs, or ends.
 * Must not be called from the job itself. OCTAVO_ERR_BAD_HANDLE for a void handle; {0} is OCTAVO_OK.
 */
OCTAVO_API octavo_status octavo_wait_free(octavo_wait_context wait);

/* Runs when the context is freed, for a descriptor that is still set: closes it, or frees `data`. */
typedef void octavo_wait_cleanup(octavo_wait_context wait, const void* key, int fd, void* data);
/*
 * Adds a descriptor that becomes readable when the job should be resumed. `key` tells its owner apart from others: any address of his.
 * `cleanup` may be null. The descriptor remains the caller's. A second one under the same key hides the first.
 * OCTAVO_ERR_BAD_HANDLE, OCTAVO_ERR_NO_MEMORY.
 */
OCTAVO_API octavo_status octavo_wait_set_fd(octavo_wait_context wait, const void* key, int fd, void* data,
                                            octavo_wait_cleanup* cleanup);
/* The descriptor and data (each may be null) under a key: OCTAVO_OK, or OCTAVO_RETRY where there is none. */
OCTAVO_API octavo_status octavo_wait_get_fd(octavo_wait_context wait, const void* key, int* fd, void** data);
/*
 * Takes the descriptor under a key away; its cleanup function does not run. OCTAVO_OK, or OCTAVO_RETRY where there is none.
 * The descriptor may be closed after that.
 */
OCTAVO_API octavo_status octavo_wait_clear_fd(octavo_wait_context wait, const void* key);
/* All descriptors: *num_fds is how many there are; they are written to `fds`, if it is not null, which must have room. */
OCTAVO_API octavo_status octavo_wait_get_all_fds(octavo_wait_context wait, int* fds, size_t* num_fds);
/*
 * The descriptors that were added, and those taken away, since the job last returned from a pause (or since the context was
 * made). One that was added and taken away again in between is in neither. `added` and `deleted` may be null, else must have room.
 */
OCTAVO_API octavo_status octavo_wait_get_changed_fds(octavo_wait_context wait, int* added, size_t* num_added,
                                                     int* deleted, size_t* num_deleted);

/* Instead of descriptors. Small, and it must not block: it may run on an engine thread. What it returns is ignored. */
typedef int octavo_wait_callback(void* argument);
/* Sets the callback, null for none. */
OCTAVO_API octavo_status octavo_wait_set_callback(octavo_wait_context wait, octavo_wait_callback* callback,
                                                  void* argument);
/* OCTAVO_OK, or OCTAVO_RETRY where there is none. */
OCTAVO_API octavo_status octavo_wait_get_callback(octavo_wait_context wait, octavo_wait_callback** callback,
                                                  void** argument);

/* What the pauser says of callbacks. The numbers are those of OpenSSL's ASYNC_STATUS_... */
typedef enum octavo_wait_status {
    OCTAVO_WAIT_UNSUPPORTED = 0, /* there will be no callback; how a context begins */
    OCTAVO_WAIT_ERROR = 1,       /* the operation cannot be done: give the job up */
    OCTAVO_WAIT_OK = 2,          /* accepted: the callback will come */
    OCTAVO_WAIT_AGAIN = 3        /* not accepted for now: resume the job soon */
} octavo_wait_status;
OCTAVO_API octavo_status octavo_wait_set_status(octavo_wait_context wait, int status);
/* OCTAVO_WAIT_UNSUPPORTED also for a void handle. */
OCTAVO_API int octavo_wait_get_status(octavo_wait_context wait);

/*
 * How a request tells this context's owner that it is done, for octavo_submission.wakeup: the callback where one is set, else a descriptor
 * (an eventfd) that the context owns; made on first use, made anew after a fork; among the context's descriptors from the next
 * pause of its job on. Valid until the context is freed or, for the callback, another is set; a request in flight must be cancelled before: the
 * hook of octavo_job_pause() is the place.
 * OCTAVO_ERR_BAD_HANDLE, OCTAVO_ERR_NO_MEMORY, OCTAVO_ERR_SYSTEM (no descriptor to be had).
 */
OCTAVO_API octavo_status octavo_wait_get_wakeup(octavo_wait_context wait, octavo_wakeup* wakeup);
/* Does what a wake-up of octavo_wait_get_wakeup() does. OCTAVO_RETRY where there is neither callback nor descriptor. */
OCTAVO_API octavo_status octavo_wait_notify(octavo_wait_context wait);
/* Makes the descriptor of octavo_wait_get_wakeup() unreadable again; for the job, when it was resumed. */
OCTAVO_API octavo_status octavo_wait_drain(octavo_wait_context wait);

#ifdef __cplusplus
}
#endif

#endif
