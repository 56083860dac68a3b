/* Writes a result with the same members as connectd's, and so of about the same size. */
#define _GNU_SOURCE
#include "service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct writer {
    char *out;
    size_t length, capacity;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t room = writer->capacity - writer->length;
    int written = vsnprintf(writer->out + writer->length, room, format, arguments);
    va_end(arguments);
    if (written > 0) writer->length += (size_t)written < room ? (size_t)written : room - 1;
}

struct failure {
    int number;
    const char *name, *class, *fault, *hint;
    bool retryable;
};

static const struct failure failures[] = {
    {ECONNREFUSED, "ECONNREFUSED", "refused", "target", "Nothing listens there: start the service or correct the port.", true},
    {ECONNRESET, "ECONNRESET", "reset", "target", "The peer reset the connection while it was made.", true},
    {ETIMEDOUT, "ETIMEDOUT", "timeout", "network", "No answer: packets are dropped on the way, or the host is down.", true},
    {EHOSTUNREACH, "EHOSTUNREACH", "unreachable", "network", "No route to the host; check the routes and neighbors.", true},
    {ENETUNREACH, "ENETUNREACH", "unreachable", "network", "No route to the network; check the routing table.", true},
    {EACCES, "EACCES", "not_permitted", "prober", "A local rule forbids the connect.", false},
    {EPERM, "EPERM", "not_permitted", "prober", "A local firewall rule forbids the connect.", false},
    {EADDRNOTAVAIL, "EADDRNOTAVAIL", "prober_exhausted", "prober", "No ephemeral port is left for this target.", true},
    {EMFILE, "EMFILE", "prober_exhausted", "prober", "The process has no descriptor left; raise its limit.", true},
    {ECANCELED, "CANCELLED", "cancelled", "request", "The client disconnected or the service stopped.", true},
    {0, "UNKNOWN", "unclassified", "prober", "Look the number up in errno(3).", false},
};

static const struct failure deadline_failure = {
    0, "DEADLINE", "timeout", "network", "No answer within timeout_ms; packets are dropped or the host is down.", true};

static const struct failure *failure_of(const struct attempt *attempt) {
    if (attempt->deadline) return &deadline_failure;
    const struct failure *failure = failures;
    while (failure->number != 0 && failure->number != attempt->error_number) failure++;
    return failure;
}

static const char *outcome_of(const struct attempt *attempt) {
    return attempt->error_number == 0 ? "connected" : failure_of(attempt)->class;
}

static void put_error(struct writer *writer, const struct attempt *attempt) {
    if (attempt->error_number == 0) return;
    const struct failure *failure = failure_of(attempt);
    put(writer, "\"error\":{\"errno\":");
    if (attempt->deadline) put(writer, "null");
    else put(writer, "%d", attempt->error_number);
    put(writer,
        ",\"name\":\"%s\",\"class\":\"%s\",\"fault\":\"%s\",\"source\":\"%s\",\"message\":\"%s\",\"hint\":\"%s\","
        "\"retryable\":%s},",
        failure->name, failure->class, failure->fault, attempt->deadline ? "deadline" : "kernel",
        attempt->deadline ? "Deadline exceeded" : strerrordesc_np(attempt->error_number), failure->hint,
        failure->retryable ? "true" : "false");
}

static void put_name(struct writer *writer, const char *member, bool known, const struct sockaddr_in *name) {
    char text[INET_ADDRSTRLEN];
    if (!known) put(writer, "\"%s\":null,", member);
    else
        put(writer, "\"%s\":{\"address\":\"%s\",\"port\":%u},", member,
            inet_ntop(AF_INET, &name->sin_addr, text, sizeof text), ntohs(name->sin_port));
}

static void put_milliseconds(struct writer *writer, const char *member, uint64_t duration_ns) {
    put(writer, "\"%s\":%" PRIu64 ".%03u", member, duration_ns / 1000000, (unsigned)(duration_ns / 1000 % 1000));
}

static void put_attempt(struct writer *writer, const struct check *check, const struct attempt *attempt,
                        const char *address) {
    put(writer, "\"attempts\":[{\"address\":\"%s\",\"port\":%u,\"family\":\"ipv4\",\"outcome\":\"%s\",", address,
        ntohs(check->request.address.sin_port), outcome_of(attempt));
    put_error(writer, attempt);
    put_name(writer, "local", attempt->has_local, &attempt->local);
    put_name(writer, "peer", attempt->has_peer, &attempt->peer);
    put_milliseconds(writer, "start_ms", check->connect_begun_ns - check->begun_ns);
    put(writer, ",");
    put_milliseconds(writer, "duration_ms", attempt->duration_ns);
    if (attempt->has_icmp) {
        char from[INET_ADDRSTRLEN];
        put(writer, ",\"icmp\":{\"type\":%u,\"code\":%u,\"from\":\"%s\"}", attempt->icmp_type, attempt->icmp_code,
            inet_ntop(AF_INET, &attempt->icmp_from, from, sizeof from));
    }
    if (attempt->has_info)
        put(writer,
            ",\"tcp_info\":{\"syn_retransmits\":%u,\"rtt_us\":%u,\"rttvar_us\":%u,\"retransmits\":%u,\"snd_mss\":%u,"
            "\"pmtu\":%u}",
            attempt->syn_retransmits, attempt->rtt_us, attempt->rttvar_us, attempt->retransmits, attempt->snd_mss,
            attempt->pmtu);
    put(writer, "}],");
}

static void put_timings(struct writer *writer, const struct check *check, const struct attempt *attempt) {
    put(writer, "\"timings_ms\":{\"queue\":0.000,\"resolve\":0.000,");
    put_milliseconds(writer, "connect", attempt->duration_ns);
    put(writer, ",\"tls\":0,\"dialog\":0,");
    put_milliseconds(writer, "total", check->connect_begun_ns - check->begun_ns + attempt->duration_ns);
    put(writer, "},");
}

static void put_started_at(struct writer *writer, const struct check *check) {
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t begun_ms = ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec
                         - (monotonic_ns() - check->begun_ns)) / 1000000;
    time_t seconds = (time_t)(begun_ms / 1000);
    gmtime_r(&seconds, &utc);
    put(writer, "\"started_at\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03uZ\",", utc.tm_year + 1900, utc.tm_mon + 1,
        utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (unsigned)(begun_ms % 1000));
}

static const char *host_name(void) {
    static _Thread_local char name[65];
    if (name[0] == '\0') gethostname(name, sizeof name - 1);
    return name;
}

size_t result_write(char *out, size_t capacity, const struct check *check, const struct attempt *attempt) {
    struct writer writer = {.out = out, .capacity = capacity};
    char address[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &check->request.address.sin_addr, address, sizeof address);
    put(&writer, "{\"schema\":1,\"target\":\"%s\",\"ok\":%s,\"outcome\":\"%s\",\"phase\":\"%s\",",
        check->request.target, attempt->error_number == 0 ? "true" : "false", outcome_of(attempt),
        attempt->error_number == 0 ? "done" : "connect");
    put_error(&writer, attempt);
    put_attempt(&writer, check, attempt, address);
    put(&writer, "\"resolution\":{\"name\":\"%s\",\"addresses\":[\"%s\"],\"source\":\"literal\"},", address, address);
    put_timings(&writer, check, attempt);
    put_started_at(&writer, check);
    put(&writer, "\"prober\":\"%s\"}\n", host_name());
    return writer.length;
}

size_t problem_write(char *out, size_t capacity, unsigned status, const char *detail) {
    struct writer writer = {.out = out, .capacity = capacity};
    put(&writer, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":\"%s\"}\n",
        MHD_get_reason_phrase_for(status), status, detail);
    return writer.length;
}
