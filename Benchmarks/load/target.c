/* The target: accepts on every local address, and closes a little later.
 *
 * A connection is closed after RING_SIZE newer ones have been accepted. So the prober always closes first, as with a
 * server that waits for a request, and no single connection needs to be watched.
 *
 * usage: target --port P     prints `listening` when it does */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RING_SIZE = 512 };

static int listen_everywhere(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0
        || listen(listener, 65535) < 0) {
        perror("target");
        exit(1);
    }
    return listener;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
    uint16_t port = 0;
    int option, ring[RING_SIZE];
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'p') return 2;
        port = (uint16_t)atoi(optarg);
    }
    if (port == 0) return 2;
    int listener = listen_everywhere(port);
    puts("listening");
    fflush(stdout);
    for (size_t slot = 0; slot < RING_SIZE; slot++) ring[slot] = -1;
    for (size_t next = 0;;) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (descriptor < 0) return 1;
        if (ring[next] >= 0) close(ring[next]);
        ring[next] = descriptor;
        next = (next + 1) % RING_SIZE;
    }
}
