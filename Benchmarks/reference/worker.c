/* A worker: one thread, one epoll set, and its event loop. */
#define _GNU_SOURCE
#include "service.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_A_TURN = 256 };

static void watch(struct worker *worker, int descriptor, struct source *source) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) die("epoll_ctl");
}

/* On any thread: passes an accepted connection to the worker, because a daemon belongs to the thread that runs it. */
void worker_give(struct worker *worker, int descriptor) {
    struct inbox *inbox = &worker->inbox;
    atomic_fetch_add(&worker->connections, 1);
    pthread_mutex_lock(&inbox->lock);
    if (inbox->count == inbox->capacity) {
        inbox->capacity = inbox->capacity ? inbox->capacity * 2 : 64;
        inbox->descriptors = realloc(inbox->descriptors, inbox->capacity * sizeof *inbox->descriptors);
        if (inbox->descriptors == NULL) die("realloc");
    }
    inbox->descriptors[inbox->count++] = descriptor;
    bool first = inbox->count == 1;
    pthread_mutex_unlock(&inbox->lock);
    if (first) eventfd_write(worker->wake, 1);
}

static void take_inbox(struct worker *worker) {
    struct inbox *inbox = &worker->inbox;
    eventfd_t ignored;
    eventfd_read(worker->wake, &ignored);
    pthread_mutex_lock(&inbox->lock);
    int *descriptors = inbox->descriptors;
    size_t count = inbox->count;
    inbox->descriptors = NULL;
    inbox->count = inbox->capacity = 0;
    pthread_mutex_unlock(&inbox->lock);
    for (size_t index = 0; index < count; index++) {
        struct sockaddr_in peer = {.sin_family = AF_INET};
        if (MHD_add_connection(worker->daemon, descriptors[index], (struct sockaddr *)&peer, sizeof peer) != MHD_YES)
            atomic_fetch_sub(&worker->connections, 1);
    }
    free(descriptors);
}

static void dispatch(struct worker *worker, struct source *source) {
    switch (source->kind) {
    case SOURCE_HTTP: break; /* every turn runs the daemon */
    case SOURCE_INBOX: take_inbox(worker); break;
    case SOURCE_CHECK: check_ready((struct check *)source); break;
    case SOURCE_CLIENT:
        if (((struct client *)source)->check != NULL) check_cancel(((struct client *)source)->check);
        break;
    }
}

/* At most as long as libmicrohttpd allows, and at most until the earliest deadline. */
static const struct timespec *wait_limit(struct worker *worker, struct timespec *wait) {
    unsigned long long http_ms;
    uint64_t limit_ns = UINT64_MAX;
    if (MHD_get_timeout(worker->daemon, &http_ms) == MHD_YES) limit_ns = http_ms * 1000000u;
    if (worker->timers.count > 0 && limit_ns > 0) {
        uint64_t deadline_ns = worker->timers.checks[0]->deadline_ns, now_ns = monotonic_ns();
        uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        if (left_ns < limit_ns) limit_ns = left_ns;
    }
    if (limit_ns == UINT64_MAX) return NULL;
    *wait = (struct timespec){.tv_sec = (time_t)(limit_ns / 1000000000u), .tv_nsec = (long)(limit_ns % 1000000000u)};
    return wait;
}

static int milliseconds(const struct timespec *limit) {
    return limit == NULL ? -1 : (int)(limit->tv_sec * 1000 + (limit->tv_nsec + 999999) / 1000000);
}

static void expire(struct worker *worker) {
    if (worker->timers.count == 0) return;
    uint64_t now_ns = monotonic_ns();
    while (worker->timers.count > 0 && worker->timers.checks[0]->deadline_ns <= now_ns)
        check_expire(worker->timers.checks[0]);
}

/* Checks and clients are freed only inside MHD_run, which is called last: no event of this turn points to a freed one. */
static void turn(struct worker *worker) {
    struct epoll_event events[EVENTS_A_TURN];
    struct timespec wait;
    const struct timespec *limit = wait_limit(worker, &wait);
    int count = epoll_pwait2(worker->epoll, events, EVENTS_A_TURN, limit, NULL);
    /* valgrind 3.19 does not support it. */
    if (count < 0 && errno == ENOSYS) count = epoll_wait(worker->epoll, events, EVENTS_A_TURN, milliseconds(limit));
    if (count < 0 && errno != EINTR) die("epoll_pwait2");
    for (int index = 0; index < count; index++) dispatch(worker, events[index].data.ptr);
    expire(worker);
    MHD_run(worker->daemon);
}

/* MHD_stop_daemon aborts the process if a connection is suspended, so every check is ended first. */
static void finish(struct worker *worker) {
    while (worker->timers.count > 0) check_cancel(worker->timers.checks[0]);
    MHD_run(worker->daemon);
    MHD_stop_daemon(worker->daemon);
}

static void *run(void *argument) {
    struct worker *worker = argument;
    while (!atomic_load(&worker->stopping)) turn(worker);
    finish(worker);
    return NULL;
}

void worker_start(struct worker *worker) {
    worker->http.kind = SOURCE_HTTP;
    worker->inbox_source.kind = SOURCE_INBOX;
    worker->epoll = epoll_create1(EPOLL_CLOEXEC);
    worker->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (worker->epoll < 0 || worker->wake < 0) die("epoll");
    pthread_mutex_init(&worker->inbox.lock, NULL);
    worker->daemon = http_start(worker);
    if (worker->daemon == NULL) die("MHD_start_daemon");
    watch(worker, worker->wake, &worker->inbox_source);
    watch(worker, MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, &worker->http);
    if (pthread_create(&worker->thread, NULL, run, worker) != 0) die("pthread_create");
}

/* On another thread: stops the worker and waits for it. */
void worker_stop(struct worker *worker) {
    atomic_store(&worker->stopping, true);
    eventfd_write(worker->wake, 1);
    pthread_join(worker->thread, NULL);
    close(worker->epoll);
    close(worker->wake);
    free(worker->timers.checks);
    free(worker->inbox.descriptors);
}
