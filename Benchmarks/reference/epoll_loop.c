/* What the kernel takes of many connects: socket, connect, epoll, SO_ERROR and close, on some threads.
 *
 * Each thread has its own epoll set and keeps some connects in flight.
 *
 * usage: epoll_loop --port P [--hosts N] [--count N] [--threads N] [--in-flight N]     prints one line of JSON */
#define _GNU_SOURCE
#include "../load/destinations.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static unsigned port = 0, hosts = 1, count = 10000, threads = 2, in_flight = 64;
static atomic_uint next_index = 0, failures = 0;

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Starts the next connect; false if there is none left. */
static int start(int epoll, unsigned *open) {
    unsigned index = atomic_fetch_add(&next_index, 1);
    if (index >= count) return 0;
    struct sockaddr_in address = destination(index % hosts, (uint16_t)port);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET, .data.fd = descriptor};
    if (descriptor < 0
        || (connect(descriptor, (const struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        || epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) {
        atomic_fetch_add(&failures, 1);
        if (descriptor >= 0) close(descriptor);
        return 1;
    }
    ++*open;
    return 1;
}

static void *run(void *unused) {
    struct epoll_event events[256];
    unsigned open = 0, has_more = 1;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    (void)unused;
    while (has_more || open > 0) {
        while (has_more && open < in_flight) has_more = (unsigned)start(epoll, &open);
        if (open == 0) continue;
        int ready = epoll_wait(epoll, events, 256, 5000);
        for (int place = 0; place < ready; place++) {
            int error_number = 0;
            socklen_t length = sizeof error_number;
            if (getsockopt(events[place].data.fd, SOL_SOCKET, SO_ERROR, &error_number, &length) < 0 || error_number != 0)
                atomic_fetch_add(&failures, 1);
            close(events[place].data.fd);
            open--;
        }
    }
    close(epoll);
    return NULL;
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},    {"hosts", required_argument, NULL, 'h'},
        {"count", required_argument, NULL, 'n'},   {"threads", required_argument, NULL, 't'},
        {"in-flight", required_argument, NULL, 'f'}, {NULL, 0, NULL, 0}};
    pthread_t handles[64];
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        unsigned value = (unsigned)atoi(optarg ? optarg : "0");
        if (option == 'p') port = value;
        else if (option == 'h') hosts = value;
        else if (option == 'n') count = value;
        else if (option == 't') threads = value;
        else if (option == 'f') in_flight = value;
        else return 2;
    }
    if (port == 0 || port > 65535 || hosts == 0 || hosts > DESTINATION_LIMIT || threads == 0 || threads > 64
        || in_flight == 0)
        return 2;

    double begun = seconds_of(CLOCK_MONOTONIC);
    for (unsigned thread = 0; thread < threads; thread++) pthread_create(&handles[thread], NULL, run, NULL);
    for (unsigned thread = 0; thread < threads; thread++) pthread_join(handles[thread], NULL);
    double seconds = seconds_of(CLOCK_MONOTONIC) - begun, cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    printf("{\"connects\":%u,\"failures\":%u,\"seconds\":%.6f,\"rate\":%.1f,\"cpu_us\":%.3f}\n", count,
           atomic_load(&failures), seconds, count / seconds, cpu_seconds * 1e6 / count);
    return failures == 0 ? 0 : 1;
}
