/* The lower bound: connect, SO_ERROR and close only, one check after another on one thread.
 *
 * usage: connect_loop --port P [--hosts N] [--count N]     prints one line of JSON */
#define _GNU_SOURCE
#include "../load/destinations.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* 0 or the errno of the attempt. */
static int attempt(const struct sockaddr_in *address) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP), error_number = 0;
    socklen_t length = sizeof error_number;
    if (descriptor < 0) return errno;
    if (connect(descriptor, (const struct sockaddr *)address, sizeof *address) < 0 && errno != EINPROGRESS) {
        error_number = errno;
    } else {
        struct pollfd writable = {.fd = descriptor, .events = POLLOUT};
        if (poll(&writable, 1, 5000) != 1) error_number = ETIMEDOUT;
        else if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error_number, &length) < 0) error_number = errno;
    }
    close(descriptor);
    return error_number;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"hosts", required_argument, NULL, 'h'},
                                            {"count", required_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    unsigned port = 0, hosts = 1, count = 100000, failures = 0;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') port = (unsigned)atoi(optarg);
        else if (option == 'h') hosts = (unsigned)atoi(optarg);
        else if (option == 'n') count = (unsigned)atoi(optarg);
        else return 2;
    }
    if (port == 0 || port > 65535 || hosts == 0 || hosts > DESTINATION_LIMIT || count == 0) return 2;

    double begun = seconds_of(CLOCK_MONOTONIC);
    for (unsigned index = 0; index < count; index++) {
        struct sockaddr_in address = destination(index % hosts, (uint16_t)port);
        if (attempt(&address) != 0) failures++;
    }
    double seconds = seconds_of(CLOCK_MONOTONIC) - begun, cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    printf("{\"connects\":%u,\"failures\":%u,\"seconds\":%.6f,\"rate\":%.1f,\"cpu_us_per_connect\":%.3f}\n", count,
           failures, seconds, count / seconds, cpu_seconds * 1e6 / count);
    return failures == 0 ? 0 : 1;
}
