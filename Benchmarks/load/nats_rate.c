/* Requests and replies over NATS, of the size of checks.
 *
 *     nats_rate answer URL SUBJECT BYTES           answers each message with BYTES bytes until it is killed
 *     nats_rate ask URL SUBJECT BYTES WINDOW SECONDS   keeps WINDOW questions in flight; prints JSON
 */
#include <nats/nats.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct peer {
    natsConnection *connection;
    const char *subject;
    char *payload;
    int bytes;
    char reply[64];
    atomic_long answers;
    atomic_bool ends;
};

static void check(natsStatus status, const char *what) {
    if (status != NATS_OK) {
        fprintf(stderr, "%s: %s\n", what, natsStatus_GetText(status));
        exit(1);
    }
}

static void answer(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *context) {
    (void)subscription;
    struct peer *peer = context;
    if (natsMsg_GetReply(message) != NULL)
        check(natsConnection_Publish(connection, natsMsg_GetReply(message), peer->payload, peer->bytes), "publish");
    natsMsg_Destroy(message);
}

static void ask(struct peer *peer) {
    check(natsConnection_PublishRequest(peer->connection, peer->subject, peer->reply, peer->payload, peer->bytes), "publish");
}

static void next(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *context) {
    (void)connection;
    (void)subscription;
    struct peer *peer = context;
    natsMsg_Destroy(message);
    atomic_fetch_add(&peer->answers, 1);
    if (!atomic_load(&peer->ends)) ask(peer);
}

int main(int count, char **words) {
    if (count < 5) return 2;
    struct peer peer = {.subject = words[3], .bytes = atoi(words[4])};
    peer.payload = malloc((size_t)peer.bytes);
    memset(peer.payload, 'x', (size_t)peer.bytes);
    check(natsConnection_ConnectTo(&peer.connection, words[2]), "connect");
    natsSubscription *subscription = NULL;
    if (strcmp(words[1], "answer") == 0) {
        check(natsConnection_QueueSubscribe(&subscription, peer.connection, peer.subject, "connectd", answer, &peer), "subscribe");
        check(natsConnection_Flush(peer.connection), "flush");
        puts("listening");
        fflush(stdout);
        for (;;) pause();
    }
    if (count < 7) return 2;
    snprintf(peer.reply, sizeof peer.reply, "_INBOX.bench.%d", (int)getpid());
    check(natsConnection_Subscribe(&subscription, peer.connection, peer.reply, next, &peer), "subscribe");
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int number = 0; number < atoi(words[5]); number++) ask(&peer);
    sleep((unsigned)atoi(words[6]));
    atomic_store(&peer.ends, true);
    long answers = atomic_load(&peer.answers);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    printf("{\"answers\": %ld, \"rate\": %.0f}\n", answers, (double)answers / seconds);
    return 0;
}
