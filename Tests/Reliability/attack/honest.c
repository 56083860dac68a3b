/* Honest clients: each thread keeps one HTTPS connection, and sends its next check when the last is answered.
 *
 * usage: honest PORT TARGET_PORT CONNECTIONS SECONDS TOKEN
 * prints one line of JSON; `failed` counts responses that are not 200 with "ok":true, and connections that ended. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTION_LIMIT = 256, LATENCY_LIMIT = 1 << 20, RESPONSE_LIMIT = 16384 };

struct client {
    pthread_t thread;
    unsigned index;
    SSL *tls;
    int descriptor;
    float *latencies_ms;
    size_t count;
    unsigned long failed;
};

static struct {
    uint16_t port, target_port;
    unsigned connections;
    double seconds;
    const char *token;
    SSL_CTX *context;
    uint64_t end_ns;
} options;

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool open_connection(struct client *client) {
    struct sockaddr_in service = {
        .sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    int on = 1;
    client->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(client->descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(client->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(client->descriptor, (struct sockaddr *)&service, sizeof service) != 0) return false;
    client->tls = SSL_new(options.context);
    SSL_set_fd(client->tls, client->descriptor);
    return SSL_connect(client->tls) == 1;
}

static void close_connection(struct client *client) {
    SSL_free(client->tls);
    client->tls = NULL;
    if (client->descriptor >= 0) close(client->descriptor);
    client->descriptor = -1;
}

/* Reads one response with a Content-Length. */
static bool read_response(SSL *tls, char *buffer) {
    size_t count = 0;
    while (count < RESPONSE_LIMIT - 1) {
        int part = SSL_read(tls, buffer + count, (int)(RESPONSE_LIMIT - 1 - count));
        if (part <= 0) return false;
        count += (size_t)part;
        buffer[count] = '\0';
        const char *head_end = strstr(buffer, "\r\n\r\n"), *length = strcasestr(buffer, "content-length:");
        if (head_end == NULL || length == NULL || length > head_end) continue;
        if (count >= (size_t)(head_end + 4 - buffer) + strtoul(length + 15, NULL, 10)) return true;
    }
    return false;
}

static bool ask(struct client *client, const char *request, size_t length) {
    char buffer[RESPONSE_LIMIT];
    return SSL_write(client->tls, request, (int)length) == (int)length && read_response(client->tls, buffer)
        && strncmp(buffer, "HTTP/1.1 200", 12) == 0 && strstr(buffer, "\"ok\":true") != NULL;
}

static void *run(void *argument) {
    struct client *client = argument;
    char body[128], request[512];
    /* A destination of its own, so that its ports last. */
    int length = snprintf(body, sizeof body, "{\"target\":\"tcp://127.77.%u.%u:%u\"}", client->index / 200,
                          client->index % 200 + 1, options.target_port);
    length = snprintf(request, sizeof request,
                      "POST /v1/checks HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAuthorization: Bearer %s\r\n"
                      "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                      options.port, options.token, length, body);
    while (clock_ns(CLOCK_MONOTONIC) < options.end_ns) {
        if (client->tls == NULL && !open_connection(client)) {
            client->failed++;
            close_connection(client);
            usleep(10000);
            continue;
        }
        uint64_t begun = clock_ns(CLOCK_MONOTONIC);
        if (ask(client, request, (size_t)length)) {
            if (client->count < LATENCY_LIMIT)
                client->latencies_ms[client->count++] = (float)(clock_ns(CLOCK_MONOTONIC) - begun) / 1e6f;
        } else {
            client->failed++;
            close_connection(client);
        }
    }
    close_connection(client);
    return NULL;
}

static int compare(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static double share(const float *sorted, size_t count, double part) {
    if (count == 0) return 0;
    size_t index = (size_t)(part * (double)count);
    return sorted[index < count ? index : count - 1];
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    signal(SIGPIPE, SIG_IGN);
    options.port = (uint16_t)atoi(argv[1]);
    options.target_port = (uint16_t)atoi(argv[2]);
    options.connections = (unsigned)atoi(argv[3]);
    options.seconds = atof(argv[4]);
    options.token = argv[5];
    options.context = SSL_CTX_new(TLS_client_method());
    if (options.connections > CONNECTION_LIMIT || options.context == NULL) return 2;
    static struct client clients[CONNECTION_LIMIT];
    for (unsigned index = 0; index < options.connections; index++) {
        clients[index] = (struct client){.index = index, .descriptor = -1};
        clients[index].latencies_ms = malloc(LATENCY_LIMIT * sizeof(float));
        /* All are connected before the time begins. */
        if (!open_connection(&clients[index])) close_connection(&clients[index]);
    }
    uint64_t begun = clock_ns(CLOCK_MONOTONIC);
    options.end_ns = begun + (uint64_t)(options.seconds * 1e9);
    for (unsigned index = 0; index < options.connections; index++)
        pthread_create(&clients[index].thread, NULL, run, &clients[index]);
    float *all = NULL;
    size_t count = 0;
    unsigned long failed = 0;
    for (unsigned index = 0; index < options.connections; index++) {
        pthread_join(clients[index].thread, NULL);
        all = realloc(all, (count + clients[index].count) * sizeof *all + 1);
        memcpy(all + count, clients[index].latencies_ms, clients[index].count * sizeof *all);
        count += clients[index].count;
        failed += clients[index].failed;
    }
    double seconds = (double)(clock_ns(CLOCK_MONOTONIC) - begun) / 1e9;
    if (count > 0) qsort(all, count, sizeof *all, compare);
    printf("{\"checks\":%zu,\"failed\":%lu,\"rate\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,"
           "\"cpu_seconds\":%.2f}\n",
           count, failed, (double)count / seconds, share(all, count, 0.5), share(all, count, 0.99),
           share(all, count, 1), (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9);
    return 0;
}
