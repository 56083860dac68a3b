/* The lower bound of a TLS check: connect, full handshake with a verified chain and name, close_notify, close.
 * Each thread runs one after another. All share one context, as in the manual pages of OpenSSL.
 *
 * usage: tls_loop --port P --ca CA.pem --name NAME [--threads N] [--hosts N] [--seconds S]     prints one line of JSON */
#define _GNU_SOURCE
#include "../load/destinations.h"

#include <getopt.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static SSL_CTX *context;
static const char *name;
static unsigned hosts = 1;
static uint16_t port;
static double end_seconds;
static atomic_uint next_host, handshakes, failures;

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool shake_hands(int descriptor) {
    SSL *connection = SSL_new(context);
    bool done = connection != NULL && SSL_set_fd(connection, descriptor) == 1
        && SSL_set_tlsext_host_name(connection, name) == 1 && SSL_set1_host(connection, name) == 1
        && SSL_connect(connection) == 1 && SSL_get_verify_result(connection) == X509_V_OK;
    if (done) SSL_shutdown(connection);
    SSL_free(connection);
    return done;
}

static bool attempt(const struct sockaddr_in *address) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    if (descriptor < 0) return false;
    bool done = connect(descriptor, (const struct sockaddr *)address, sizeof *address) == 0 && shake_hands(descriptor);
    close(descriptor);
    return done;
}

static void *work(void *unused) {
    (void)unused;
    while (seconds_of(CLOCK_MONOTONIC) < end_seconds) {
        struct sockaddr_in address = destination(next_host++ % hosts, port);
        handshakes++;
        if (!attempt(&address)) failures++;
    }
    return NULL;
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},    {"ca", required_argument, NULL, 'a'},
        {"name", required_argument, NULL, 'n'},    {"threads", required_argument, NULL, 't'},
        {"hosts", required_argument, NULL, 'h'},   {"seconds", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0}};
    const char *authorities = NULL;
    unsigned threads = 1;
    double seconds = 5;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') port = (uint16_t)atoi(optarg);
        else if (option == 'a') authorities = optarg;
        else if (option == 'n') name = optarg;
        else if (option == 't') threads = (unsigned)atoi(optarg);
        else if (option == 'h') hosts = (unsigned)atoi(optarg);
        else if (option == 's') seconds = atof(optarg);
        else return 2;
    }
    if (port == 0 || authorities == NULL || name == NULL || threads == 0 || threads > 64 || hosts == 0
        || hosts > DESTINATION_LIMIT)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (SSL_CTX_load_verify_locations(context, authorities, NULL) != 1) return 1;

    pthread_t workers[64];
    double begun = seconds_of(CLOCK_MONOTONIC);
    end_seconds = begun + seconds;
    for (unsigned index = 0; index < threads; index++)
        if (pthread_create(&workers[index], NULL, work, NULL) != 0) return 1;
    for (unsigned index = 0; index < threads; index++) pthread_join(workers[index], NULL);
    double taken = seconds_of(CLOCK_MONOTONIC) - begun, cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    printf("{\"handshakes\":%u,\"failures\":%u,\"seconds\":%.6f,\"rate\":%.1f,\"cpu_us\":%.3f}\n", handshakes, failures,
           taken, handshakes / taken, cpu_seconds * 1e6 / handshakes);
    return failures == 0 ? 0 : 1;
}
