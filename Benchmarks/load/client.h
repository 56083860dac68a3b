/* Shared by both load generators: prepared requests, connections, and a reader of responses. */
#ifndef CLIENT_H
#define CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESPONSE_LIMIT_BYTES = 8192 };

/* From the command line. `{host}` in path and body is replaced by the destination of each request. */
struct options {
    uint16_t port; /* of the service, on 127.0.0.1 */
    unsigned connections, hosts;
    double seconds;      /* rate: how long */
    unsigned timeout_ms; /* burst: what the body asks for */
    unsigned spread_ms;  /* burst: the time over which the requests are sent; 0 for at once */
    const char *method, *path, *body, *expect;
};

struct options options_parse(int argc, char **argv);

/* Requests rendered before the clock runs, one a destination. */
struct requests {
    char **bytes;
    size_t *lengths;
    unsigned count, next;
};

struct requests requests_render(const struct options *options);

struct connection {
    int descriptor;
    size_t received;
    uint64_t sent_ns;
    char *buffer; /* RESPONSE_LIMIT_BYTES */
};

/* A connected, non-blocking socket in `epoll`, with `connection` as its data. */
void connection_open(struct connection *connection, const struct options *options, int epoll);
/* Sends the next request in one write and notes the time. */
bool connection_send(struct connection *connection, struct requests *requests);

enum progress { PROGRESS_PARTIAL, PROGRESS_COMPLETE, PROGRESS_BROKEN };

struct response {
    unsigned status;
    bool closes, expected; /* `expected`: the body holds the bytes that --expect asks for */
    double total_ms;       /* `timings_ms.total` of the result; 0 if it has none */
};

/* Reads the available bytes. A complete response is consumed. */
enum progress connection_receive(struct connection *connection, const char *expect, struct response *response);

uint64_t clock_ns(void);
double process_cpu_seconds(void);
/* The value at `share` (0 … 1) of `count` values; sorts them. */
double percentile(double *values, size_t count, double share);
_Noreturn void die(const char *what);

#endif
