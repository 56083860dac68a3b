/* Reads the only kind of body that the benchmarks send: a flat object of plain strings and integers. */
#define _GNU_SOURCE
#include "service.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

struct reader {
    const char *at, *end;
};

static char peek(struct reader *reader) {
    while (reader->at < reader->end && isspace((unsigned char)*reader->at)) reader->at++;
    return reader->at < reader->end ? *reader->at : '\0';
}

static bool take(struct reader *reader, char expected) {
    if (peek(reader) != expected) return false;
    reader->at++;
    return true;
}

static bool take_string(struct reader *reader, const char **text, size_t *length) {
    if (!take(reader, '"')) return false;
    const char *close = memchr(reader->at, '"', (size_t)(reader->end - reader->at));
    if (close == NULL || memchr(reader->at, '\\', (size_t)(close - reader->at)) != NULL) return false;
    *text = reader->at;
    *length = (size_t)(close - reader->at);
    reader->at = close + 1;
    return true;
}

static bool take_number(struct reader *reader, uint32_t limit, uint32_t *number) {
    uint64_t value = 0;
    if (!isdigit((unsigned char)peek(reader))) return false;
    while (reader->at < reader->end && isdigit((unsigned char)*reader->at)) {
        value = value * 10 + (uint64_t)(*reader->at++ - '0');
        if (value > limit) return false;
    }
    *number = (uint32_t)value;
    return true;
}

static bool is(const char *text, size_t length, const char *name) {
    return length == strlen(name) && memcmp(text, name, length) == 0;
}

/* tcp://A.B.C.D:PORT */
static bool parse_target(struct request *request) {
    static const char scheme[] = "tcp://";
    if (strncmp(request->target, scheme, sizeof scheme - 1) != 0) return false;
    const char *host = request->target + sizeof scheme - 1, *colon = strrchr(host, ':');
    char literal[INET_ADDRSTRLEN];
    if (colon == NULL || (size_t)(colon - host) >= sizeof literal) return false;
    memcpy(literal, host, (size_t)(colon - host));
    literal[colon - host] = '\0';
    struct reader reader = {.at = colon + 1, .end = colon + strlen(colon)};
    uint32_t port;
    if (!take_number(&reader, 65535, &port) || reader.at != reader.end || port == 0) return false;
    request->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return inet_pton(AF_INET, literal, &request->address.sin_addr) == 1;
}

static const char *parse_member(struct reader *reader, struct request *request) {
    const char *name, *text;
    size_t name_length, length;
    if (!take_string(reader, &name, &name_length) || !take(reader, ':')) return "not a JSON object";
    if (is(name, name_length, "target")) {
        if (!take_string(reader, &text, &length) || length >= sizeof request->target) return "target is not a tcp URL";
        memcpy(request->target, text, length);
        request->target[length] = '\0';
        return parse_target(request) ? NULL : "target is not a tcp URL";
    }
    if (is(name, name_length, "timeout_ms")) {
        bool valid = take_number(reader, 60000, &request->timeout_ms) && request->timeout_ms > 0;
        return valid ? NULL : "timeout_ms is not an integer of 1 to 60000";
    }
    return "unknown member";
}

const char *request_parse(const char *body, size_t body_bytes, struct request *request) {
    struct reader reader = {.at = body, .end = body + body_bytes};
    *request = (struct request){.timeout_ms = 5000};
    if (!take(&reader, '{')) return "not a JSON object";
    do {
        const char *wrong = parse_member(&reader, request);
        if (wrong != NULL) return wrong;
    } while (take(&reader, ','));
    if (!take(&reader, '}') || peek(&reader) != '\0' || reader.at != reader.end) return "not a JSON object";
    return request->target[0] != '\0' ? NULL : "target is required";
}
