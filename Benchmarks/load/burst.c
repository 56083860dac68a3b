/* One burst: opens all connections, waits for a line on stdin, posts on all of them, and reads each response.
 * It posts at once, or evenly over `spread-ms`, which must be less than `timeout-ms`.
 *
 * usage: burst --port P --connections N --timeout-ms T --method POST --path U --body B [--hosts N] [--expect TEXT]
 *              [--spread-ms S]
 * prints `connected`, then `sent`, then one line of JSON. Lateness (`late`) is from this program's own write of a request
 * to its own read of the answer, less `timeout_ms`: what a client would see, its own queueing included. `own` is the
 * service's: `timings_ms.total` of the result less `timeout_ms`. */
#define _GNU_SOURCE
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

/* Responses later than this are counted as missing. */
enum { PATIENCE_MS = 20000 };

struct tally {
    double *latenesses_ms, *own_ms;
    size_t count;
    unsigned long non_200, unexpected, broken;
};

static void say(const char *word) {
    puts(word);
    fflush(stdout);
}

static void step(struct connection *connection, const struct options *options, int epoll, struct tally *tally) {
    struct response response = {0};
    enum progress progress = connection_receive(connection, options->expect, &response);
    if (progress == PROGRESS_PARTIAL) return;
    epoll_ctl(epoll, EPOLL_CTL_DEL, connection->descriptor, NULL);
    if (progress == PROGRESS_BROKEN) {
        tally->broken++;
        return;
    }
    double elapsed_ms = (double)(clock_ns() - connection->sent_ns) / 1e6;
    tally->own_ms[tally->count] = response.total_ms - options->timeout_ms;
    tally->latenesses_ms[tally->count++] = elapsed_ms - options->timeout_ms;
    if (response.status != 200) tally->non_200++;
    else if (!response.expected) tally->unexpected++;
}

static void print(struct tally *tally, unsigned connections, double burst_ms) {
    double *latenesses_ms = tally->latenesses_ms;
    size_t count = tally->count;
    printf("{\"answers\":%zu,\"missing\":%zu,\"broken\":%lu,\"non_200\":%lu,\"unexpected\":%lu,\"burst_ms\":%.1f,"
           "\"late_min_ms\":%.2f,\"late_p50_ms\":%.2f,\"late_p90_ms\":%.2f,\"late_p99_ms\":%.2f,\"late_max_ms\":%.2f,"
           "\"own_min_ms\":%.2f,\"own_p50_ms\":%.2f,\"own_p99_ms\":%.2f,\"own_max_ms\":%.2f}\n",
           count, connections - count - tally->broken, tally->broken, tally->non_200, tally->unexpected, burst_ms,
           percentile(latenesses_ms, count, 0), percentile(latenesses_ms, count, 0.5),
           percentile(latenesses_ms, count, 0.9), percentile(latenesses_ms, count, 0.99),
           percentile(latenesses_ms, count, 1), percentile(tally->own_ms, count, 0),
           percentile(tally->own_ms, count, 0.5), percentile(tally->own_ms, count, 0.99),
           percentile(tally->own_ms, count, 1));
}

static void sleep_until(uint64_t time_ns) {
    struct timespec time = {.tv_sec = (time_t)(time_ns / 1000000000u), .tv_nsec = (long)(time_ns % 1000000000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) != 0) continue;
}

int main(int argc, char **argv) {
    struct options options = options_parse(argc, argv);
    struct requests requests = requests_render(&options);
    struct connection *connections = calloc(options.connections, sizeof *connections);
    struct tally tally = {.latenesses_ms = calloc(options.connections, sizeof *tally.latenesses_ms),
                          .own_ms = calloc(options.connections, sizeof *tally.own_ms)};
    struct epoll_event events[256];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (connections == NULL || tally.latenesses_ms == NULL || tally.own_ms == NULL || epoll < 0) die("start");
    for (unsigned index = 0; index < options.connections; index++) connection_open(&connections[index], &options, epoll);
    say("connected");
    if (getchar() == EOF) return 1;

    uint64_t begun_ns = clock_ns();
    uint64_t interval_ns = options.spread_ms * UINT64_C(1000000) / options.connections;
    for (unsigned index = 0; index < options.connections; index++) {
        if (interval_ns > 0) sleep_until(begun_ns + index * interval_ns);
        if (!connection_send(&connections[index], &requests)) die("send");
    }
    double burst_ms = (double)(clock_ns() - begun_ns) / 1e6;
    say("sent");
    uint64_t end_ns = begun_ns + (options.timeout_ms + PATIENCE_MS) * UINT64_C(1000000);
    while (tally.count + tally.broken < options.connections && clock_ns() < end_ns) {
        int count = epoll_wait(epoll, events, 256, 100);
        for (int index = 0; index < count; index++) step(events[index].data.ptr, &options, epoll, &tally);
    }
    print(&tally, options.connections, burst_ms);
    return 0;
}
