/* A steady load: each connection sends its next request when the last is answered.
 *
 * usage: rate --port P [--connections 64] [--seconds 5] [--method M --path U --body B] [--hosts N] [--expect TEXT]
 * prints one line of JSON; `unexpected` counts answers of status 200 without TEXT in them. */
#define _GNU_SOURCE
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct tally {
    double *latencies_us;
    size_t count, capacity;
    unsigned long non_200, unexpected, reconnects;
};

static void note(struct tally *tally, const struct connection *connection, const struct response *response) {
    if (tally->count == tally->capacity) {
        tally->capacity = tally->capacity ? tally->capacity * 2 : 1 << 20;
        tally->latencies_us = realloc(tally->latencies_us, tally->capacity * sizeof *tally->latencies_us);
        if (tally->latencies_us == NULL) die("realloc");
    }
    tally->latencies_us[tally->count++] = (double)(clock_ns() - connection->sent_ns) / 1e3;
    if (response->status != 200) tally->non_200++;
    else if (!response->expected) tally->unexpected++;
}

static void reopen(struct connection *connection, const struct options *options, int epoll, struct tally *tally) {
    tally->reconnects++;
    close(connection->descriptor);
    connection_open(connection, options, epoll);
}

static void step(struct connection *connection, const struct options *options, struct requests *requests, int epoll,
                 struct tally *tally) {
    struct response response = {0};
    switch (connection_receive(connection, options->expect, &response)) {
    case PROGRESS_PARTIAL: return;
    case PROGRESS_BROKEN: reopen(connection, options, epoll, tally); break;
    case PROGRESS_COMPLETE:
        note(tally, connection, &response);
        if (response.closes) reopen(connection, options, epoll, tally);
        break;
    }
    if (!connection_send(connection, requests)) die("send");
}

static void print(struct tally *tally, double seconds) {
    double *latencies_us = tally->latencies_us;
    size_t count = tally->count;
    printf("{\"requests\":%zu,\"seconds\":%.6f,\"rate\":%.1f,\"non_200\":%lu,\"unexpected\":%lu,\"reconnects\":%lu,"
           "\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"load_cpu_seconds\":%.3f}\n",
           count, seconds, (double)count / seconds, tally->non_200, tally->unexpected, tally->reconnects,
           percentile(latencies_us, count, 0.5), percentile(latencies_us, count, 0.9),
           percentile(latencies_us, count, 0.99), percentile(latencies_us, count, 1), process_cpu_seconds());
}

int main(int argc, char **argv) {
    struct options options = options_parse(argc, argv);
    struct requests requests = requests_render(&options);
    struct connection *connections = calloc(options.connections, sizeof *connections);
    struct epoll_event events[256];
    struct tally tally = {0};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (connections == NULL || epoll < 0) die("start");
    for (unsigned index = 0; index < options.connections; index++) connection_open(&connections[index], &options, epoll);

    uint64_t begun_ns = clock_ns(), end_ns = begun_ns + (uint64_t)(options.seconds * 1e9);
    for (unsigned index = 0; index < options.connections; index++)
        if (!connection_send(&connections[index], &requests)) die("send");
    while (clock_ns() < end_ns) {
        int count = epoll_wait(epoll, events, 256, 100);
        for (int index = 0; index < count; index++)
            step(events[index].data.ptr, &options, &requests, epoll, &tally);
    }
    print(&tally, (double)(clock_ns() - begun_ns) / 1e9);
    return 0;
}
