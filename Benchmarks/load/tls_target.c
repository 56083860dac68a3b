/* A TLS server for handshakes only. Its threads accept, complete the handshake, and wait for the client to close.
 *
 * usage: tls_target --port P --certificate CHAIN.pem --key KEY.pem     prints `listening` when it does */
#define _GNU_SOURCE
#include <getopt.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* More than cores: each thread waits for its client most of the time. */
enum { THREADS = 96 };

static int listener;
static SSL_CTX *context;

static void serve(int descriptor) {
    struct timeval limit = {.tv_sec = 5};
    char byte;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    SSL *connection = SSL_new(context);
    SSL_set_fd(connection, descriptor);
    if (SSL_accept(connection) == 1) SSL_read(connection, &byte, 1);
    SSL_free(connection);
    close(descriptor);
}

static void *accept_all(void *unused) {
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) serve(descriptor);
    return unused;
}

static void listen_everywhere(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0
        || listen(listener, 65535) < 0) {
        perror("tls_target");
        exit(1);
    }
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"certificate", required_argument, NULL, 'c'},
                                            {"key", required_argument, NULL, 'k'},
                                            {NULL, 0, NULL, 0}};
    const char *certificate = NULL, *key = NULL;
    uint16_t port = 0;
    int option;
    pthread_t thread;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') port = (uint16_t)atoi(optarg);
        else if (option == 'c') certificate = optarg;
        else if (option == 'k') key = optarg;
        else return 2;
    }
    if (port == 0 || certificate == NULL || key == NULL) return 2;
    signal(SIGPIPE, SIG_IGN);
    context = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1
        || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return 1;
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    listen_everywhere(port);
    puts("listening");
    fflush(stdout);
    for (int count = 1; count < THREADS; count++)
        if (pthread_create(&thread, NULL, accept_all, NULL) != 0) return 1;
    accept_all(NULL);
    return 1;
}
