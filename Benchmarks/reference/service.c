/* The reference service's command line, acceptor and shutdown: `service [serve] --listen 127.0.0.1:8080 [--workers N]`.
 *
 * It accepts connectd's flags, so that one can replace the other. `--config FILE` is accepted but not read. */
#define _GNU_SOURCE
#include "service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stopping;

static void on_signal(int number) {
    (void)number;
    stopping = 1;
}

uint64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void die(const char *what) {
    perror(what);
    exit(1);
}

static int cores(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static int listen_on(const char *text) {
    char host[INET_ADDRSTRLEN];
    unsigned port;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (sscanf(text, "%15[0-9.]:%u", host, &port) != 2 || port > 65535 || inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        fprintf(stderr, "service: --listen takes ADDRESS:PORT\n");
        exit(2);
    }
    address.sin_port = htons((uint16_t)port);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) die("socket");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (listen(listener, SOMAXCONN) < 0) die("listen");
    return listener;
}

static struct worker *least_loaded(struct worker *workers, int count) {
    struct worker *least = &workers[0];
    for (int index = 1; index < count; index++)
        if (atomic_load(&workers[index].connections) < atomic_load(&least->connections)) least = &workers[index];
    return least;
}

static void accept_until_stopped(int listener, struct worker *workers, int count) {
    while (!stopping) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            worker_give(least_loaded(workers, count), descriptor);
        } else if (errno == EMFILE || errno == ENFILE) {
            usleep(10000); /* the connection waits in the backlog until one ends */
        }
    }
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"workers", required_argument, NULL, 'w'},
                                            {"config", required_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    const char *address = "127.0.0.1:8080";
    int count = cores(), option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l') address = optarg;
        else if (option == 'w') count = atoi(optarg);
        else if (option != 'c') return 2;
    }
    if (count < 1) return 2;

    /* No SA_RESTART: a signal ends the acceptor's accept4. Workers leave both signals to this thread. */
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);

    int listener = listen_on(address);
    struct worker *workers = calloc((size_t)count, sizeof *workers);
    if (workers == NULL) die("calloc");
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    for (int index = 0; index < count; index++) worker_start(&workers[index]);
    pthread_sigmask(SIG_UNBLOCK, &ends, NULL);
    accept_until_stopped(listener, workers, count);
    close(listener);
    for (int index = 0; index < count; index++) worker_stop(&workers[index]);
    free(workers);
    return 0;
}
