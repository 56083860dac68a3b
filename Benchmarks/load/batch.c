/* Posts a batch, reads its response to the end, and counts the results with a text.
 *
 * usage: batch --port P --body FILE --expect TEXT     prints one line of JSON */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void send_all(int descriptor, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = write(descriptor, bytes, length);
        if (sent <= 0) exit(1);
        bytes += sent;
        length -= (size_t)sent;
    }
}

static char *contents(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (!file || fstat(fileno(file), &status) < 0) exit(2);
    *length = (size_t)status.st_size;
    char *bytes = malloc(*length + 1);
    if (fread(bytes, 1, *length, file) != *length) exit(2);
    fclose(file);
    return bytes;
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"body", required_argument, NULL, 'b'},
                                            {"expect", required_argument, NULL, 'e'},
                                            {NULL, 0, NULL, 0}};
    static char buffer[1 << 20];
    const char *path = NULL, *expected = NULL;
    uint16_t port = 0;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') port = (uint16_t)atoi(optarg);
        else if (option == 'b') path = optarg;
        else if (option == 'e') expected = optarg;
        else return 2;
    }
    if (port == 0 || !path || !expected) return 2;
    size_t length, kept = 0, expected_length = strlen(expected), bytes = 0;
    char *body = contents(path, &length), head[256];
    int head_length = snprintf(head, sizeof head,
                               "POST /v1/checks/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                               "Accept: application/x-ndjson\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", length);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) return 1;
    double begun = now();
    send_all(descriptor, head, (size_t)head_length);
    send_all(descriptor, body, length);
    double first = 0;
    unsigned found = 0, is_complete = 0;
    for (ssize_t count; (count = read(descriptor, buffer + kept, sizeof buffer - kept)) > 0;) {
        if (first == 0) first = now();
        bytes += (size_t)count;
        char *end = buffer + kept + count, *place = buffer;
        for (char *hit; (hit = memmem(place, (size_t)(end - place), expected, expected_length)); place = hit + expected_length)
            found++;
        /* The part that may be the beginning of the next one. */
        kept = (size_t)(end - place) < expected_length - 1 ? (size_t)(end - place) : expected_length - 1;
        is_complete = end - buffer >= 5 && memcmp(end - 5, "0\r\n\r\n", 5) == 0;
        memmove(buffer, end - kept, kept);
    }
    printf("{\"found\":%u,\"complete\":%u,\"bytes\":%zu,\"first_seconds\":%.6f,\"seconds\":%.6f}\n", found, is_complete, bytes,
           first - begun, now() - begun);
    return 0;
}
