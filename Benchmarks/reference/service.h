/* The same service as connectd's `POST /v1/checks` of a TCP literal, in plain C: the reference of the benchmarks.
 *
 * Each worker has one thread and one epoll set, which contains that of the worker's libmicrohttpd daemon. A check stays
 * on its thread. connectd could do everything that is done here. */
#ifndef SERVICE_H
#define SERVICE_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TARGET_BYTES = 64, BODY_LIMIT_BYTES = 64 * 1024, RESULT_LIMIT_BYTES = 2048 };

/* The type of an epoll event's owner: the first member of each structure that `epoll_event.data.ptr` points at. */
enum source_kind { SOURCE_HTTP, SOURCE_INBOX, SOURCE_CLIENT, SOURCE_CHECK };

struct source {
    enum source_kind kind;
};

struct worker;

/* One HTTP connection, watched for a disconnect of the client. */
struct client {
    struct source source;
    struct check *check; /* the one in flight, or NULL */
};

/* The members of a request. */
struct request {
    char target[TARGET_BYTES];
    struct sockaddr_in address;
    uint32_t timeout_ms;
};

/* One request and its check: allocated in the first callback, freed after libmicrohttpd has sent the response. */
struct check {
    struct source source;
    int descriptor; /* -1 if no attempt is in progress */
    struct worker *worker;
    struct client *client;
    struct MHD_Connection *connection;
    char *body;
    size_t body_bytes;
    struct request request;
    uint64_t begun_ns, connect_begun_ns, deadline_ns;
    size_t timer_index; /* in the worker's heap; NO_TIMER when not in it */
};

#define NO_TIMER SIZE_MAX

/* A heap of the suspended checks, with the earliest deadline first. Each check stores its index. */
struct timers {
    struct check **checks;
    size_t count, capacity;
};

/* Accepted connections on their way from the acceptor to a worker. */
struct inbox {
    pthread_mutex_t lock;
    int *descriptors;
    size_t count, capacity;
};

struct worker {
    struct source http, inbox_source;
    pthread_t thread;
    int epoll, wake;
    struct MHD_Daemon *daemon;
    struct inbox inbox;
    struct timers timers;
    atomic_size_t connections;
    atomic_bool stopping;
};

/* worker.c */
void worker_start(struct worker *worker);
void worker_give(struct worker *worker, int descriptor);
void worker_stop(struct worker *worker);

/* http.c */
struct MHD_Daemon *http_start(struct worker *worker);
enum MHD_Result http_answer(struct check *check, unsigned status, const char *body, size_t body_bytes);

/* check.c */
enum MHD_Result check_start(struct check *check);
void check_ready(struct check *check);
void check_expire(struct check *check);
void check_cancel(struct check *check);

/* timers.c */
bool timers_add(struct timers *timers, struct check *check);
void timers_remove(struct timers *timers, struct check *check);

/* request.c: NULL, or the error message about the body */
const char *request_parse(const char *body, size_t body_bytes, struct request *request);

/* The result of an attempt, as result.c writes it. */
struct attempt {
    int error_number; /* 0: connected */
    bool deadline;    /* our own deadline, not the kernel's */
    struct sockaddr_in local, peer;
    bool has_local, has_peer, has_info, has_icmp;
    uint8_t icmp_type, icmp_code;
    struct in_addr icmp_from;
    uint32_t syn_retransmits, rtt_us, rttvar_us, retransmits, snd_mss, pmtu;
    uint64_t duration_ns;
};

/* result.c: the number of bytes written, at most `capacity` */
size_t result_write(char *out, size_t capacity, const struct check *check, const struct attempt *attempt);
size_t problem_write(char *out, size_t capacity, unsigned status, const char *detail);

uint64_t monotonic_ns(void);
_Noreturn void die(const char *what);

#endif
