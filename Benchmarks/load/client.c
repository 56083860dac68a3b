#define _GNU_SOURCE
#include "client.h"
#include "destinations.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_ns(void) { return read_clock(CLOCK_MONOTONIC); }

double process_cpu_seconds(void) { return (double)read_clock(CLOCK_PROCESS_CPUTIME_ID) / 1e9; }

struct options options_parse(int argc, char **argv) {
    static const struct option table[] = {
        {"port", required_argument, NULL, 'p'},    {"connections", required_argument, NULL, 'c'},
        {"hosts", required_argument, NULL, 'h'},   {"seconds", required_argument, NULL, 's'},
        {"timeout-ms", required_argument, NULL, 't'}, {"method", required_argument, NULL, 'm'},
        {"path", required_argument, NULL, 'u'},    {"body", required_argument, NULL, 'b'},
        {"expect", required_argument, NULL, 'e'},  {"spread-ms", required_argument, NULL, 'd'},
        {NULL, 0, NULL, 0}};
    struct options options = {.connections = 64, .hosts = 1, .seconds = 5, .timeout_ms = 5000,
                              .method = "GET", .path = "/", .body = "", .expect = ""};
    int option;
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (option) {
        case 'p': options.port = (uint16_t)atoi(optarg); break;
        case 'c': options.connections = (unsigned)atoi(optarg); break;
        case 'h': options.hosts = (unsigned)atoi(optarg); break;
        case 's': options.seconds = atof(optarg); break;
        case 't': options.timeout_ms = (unsigned)atoi(optarg); break;
        case 'd': options.spread_ms = (unsigned)atoi(optarg); break;
        case 'm': options.method = optarg; break;
        case 'u': options.path = optarg; break;
        case 'b': options.body = optarg; break;
        case 'e': options.expect = optarg; break;
        default: exit(2);
        }
    }
    if (options.port == 0 || options.connections == 0 || options.hosts == 0 || options.hosts > DESTINATION_LIMIT) {
        fprintf(stderr, "--port, and at least one connection and one host, are needed\n");
        exit(2);
    }
    return options;
}

/* `template` with its first `{host}` replaced. */
static char *expand(const char *template, const char *host) {
    static const char mark[] = "{host}";
    const char *found = strstr(template, mark);
    char *text;
    int length = found == NULL ? asprintf(&text, "%s", template)
                               : asprintf(&text, "%.*s%s%s", (int)(found - template), template, host,
                                          found + sizeof mark - 1);
    if (length < 0) die("asprintf");
    return text;
}

static int render(const struct options *options, unsigned index, char **bytes) {
    struct sockaddr_in address = destination(index, 0);
    char host[INET_ADDRSTRLEN], entity[96] = "";
    inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
    char *path = expand(options->path, host), *body = expand(options->body, host);
    if (body[0] != '\0')
        snprintf(entity, sizeof entity, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    int length = asprintf(bytes, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s\r\n%s", options->method, path,
                          options->port, entity, body);
    if (length < 0) die("asprintf");
    free(path);
    free(body);
    return length;
}

struct requests requests_render(const struct options *options) {
    struct requests requests = {.count = options->hosts,
                                .bytes = calloc(options->hosts, sizeof *requests.bytes),
                                .lengths = calloc(options->hosts, sizeof *requests.lengths)};
    if (requests.bytes == NULL || requests.lengths == NULL) die("calloc");
    for (unsigned index = 0; index < options->hosts; index++)
        requests.lengths[index] = (size_t)render(options, index, &requests.bytes[index]);
    return requests;
}

void connection_open(struct connection *connection, const struct options *options, int epoll) {
    struct sockaddr_in service = {.sin_family = AF_INET, .sin_port = htons(options->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->descriptor < 0) die("socket");
    if (connect(connection->descriptor, (struct sockaddr *)&service, sizeof service) < 0) die("connect");
    connection->received = 0;
    if (connection->buffer == NULL) connection->buffer = malloc(RESPONSE_LIMIT_BYTES);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (connection->buffer == NULL || epoll_ctl(epoll, EPOLL_CTL_ADD, connection->descriptor, &event) < 0) die("epoll");
}

bool connection_send(struct connection *connection, struct requests *requests) {
    unsigned index = requests->next++ % requests->count;
    connection->sent_ns = clock_ns();
    ssize_t sent = send(connection->descriptor, requests->bytes[index], requests->lengths[index], MSG_NOSIGNAL);
    return sent == (ssize_t)requests->lengths[index];
}

/* The value of a header in the block that ends at `end`, or NULL. */
static const char *header(const char *head, const char *end, const char *name) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL && line < end; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
            return line + 3 + length + strspn(line + 3 + length, " \t");
    }
    return NULL;
}

/* The byte after the last chunk, or NULL if the last chunk has not arrived. */
static const char *end_of_chunks(const char *at, const char *end) {
    for (;;) {
        char *digits_end;
        const char *line_end = memmem(at, (size_t)(end - at), "\r\n", 2);
        if (line_end == NULL) return NULL;
        unsigned long size = strtoul(at, &digits_end, 16);
        at = line_end + 2 + size + 2; /* no trailers are expected */
        if (at > end) return NULL;
        if (size == 0) return at;
    }
}

static double total_ms(const char *body, size_t length) {
    static const char member[] = "\"total\":";
    const char *found = memmem(body, length, member, sizeof member - 1);
    return found == NULL ? 0 : strtod(found + sizeof member - 1, NULL);
}

static enum progress parse(const char *buffer, size_t length, const char *expect, struct response *response) {
    const char *end = buffer + length, *head_end = strstr(buffer, "\r\n\r\n"), *value;
    if (head_end == NULL) return PROGRESS_PARTIAL;
    const char *body = head_end + 4, *body_end = NULL;
    if ((value = header(buffer, head_end, "Content-Length")) != NULL) {
        body_end = body + strtoul(value, NULL, 10);
        if (body_end > end) return PROGRESS_PARTIAL;
    } else if (header(buffer, head_end, "Transfer-Encoding") != NULL) {
        if ((body_end = end_of_chunks(body, end)) == NULL) return PROGRESS_PARTIAL;
    } else {
        return PROGRESS_BROKEN;
    }
    value = header(buffer, head_end, "Connection");
    response->status = length > 12 ? (unsigned)atoi(buffer + 9) : 0;
    response->closes = value != NULL && strncasecmp(value, "close", 5) == 0;
    response->expected = memmem(body, (size_t)(body_end - body), expect, strlen(expect)) != NULL;
    response->total_ms = total_ms(body, (size_t)(body_end - body));
    return PROGRESS_COMPLETE;
}

enum progress connection_receive(struct connection *connection, const char *expect, struct response *response) {
    size_t room = RESPONSE_LIMIT_BYTES - 1 - connection->received;
    ssize_t count = recv(connection->descriptor, connection->buffer + connection->received, room, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return PROGRESS_PARTIAL;
    if (count <= 0) return PROGRESS_BROKEN;
    connection->received += (size_t)count;
    connection->buffer[connection->received] = '\0';
    enum progress progress = parse(connection->buffer, connection->received, expect, response);
    if (progress == PROGRESS_COMPLETE) connection->received = 0;
    return progress;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double percentile(double *values, size_t count, double share) {
    if (count == 0) return 0;
    qsort(values, count, sizeof *values, compare);
    size_t index = (size_t)(share * (double)count);
    return values[index < count ? index : count - 1];
}
