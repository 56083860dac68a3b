/* libmicrohttpd: routes, bodies, responses. */
#define _GNU_SOURCE
#include "service.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

/* 4 KiB are enough for a request and the head of its response. The default of 32 KiB would cost memory in a flood. */
enum { CONNECTION_MEMORY_BYTES = 4096, CONNECTION_LIMIT = 65536 };

enum MHD_Result http_answer(struct check *check, unsigned status, const char *body, size_t body_bytes) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body_bytes, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) return MHD_NO;
    MHD_add_response_header(response, "Content-Type", status < 400 ? "application/json" : "application/problem+json");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result result = MHD_queue_response(check->connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_problem(struct check *check, unsigned status, const char *detail) {
    char body[512];
    return http_answer(check, status, body, problem_write(body, sizeof body, status, detail));
}

static enum MHD_Result begin(struct worker *worker, struct MHD_Connection *connection, void **request_state) {
    struct check *check = calloc(1, sizeof *check);
    if (check == NULL) return MHD_NO;
    check->source.kind = SOURCE_CHECK;
    check->descriptor = -1;
    check->worker = worker;
    check->connection = connection;
    check->client = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    check->timer_index = NO_TIMER;
    *request_state = check;
    return check->client != NULL ? MHD_YES : MHD_NO;
}

/* Bytes over the limit are read and discarded, so that the client can read the 413. */
static enum MHD_Result take_body(struct check *check, const char *bytes, size_t *count) {
    if (check->body_bytes + *count <= BODY_LIMIT_BYTES) {
        char *body = realloc(check->body, check->body_bytes + *count);
        if (body == NULL) return MHD_NO;
        memcpy(body + check->body_bytes, bytes, *count);
        check->body = body;
        check->body_bytes += *count;
    } else {
        check->body_bytes = BODY_LIMIT_BYTES + 1;
    }
    *count = 0;
    return MHD_YES;
}

static enum MHD_Result run_check(struct check *check) {
    const char *type = MHD_lookup_connection_value(check->connection, MHD_HEADER_KIND, "Content-Type");
    if (type == NULL || strncasecmp(type, "application/json", 16) != 0)
        return answer_problem(check, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "the body must be application/json");
    if (check->body_bytes > BODY_LIMIT_BYTES)
        return answer_problem(check, MHD_HTTP_CONTENT_TOO_LARGE, "the body is over 64 KiB");
    check->begun_ns = monotonic_ns();
    const char *wrong = request_parse(check->body, check->body_bytes, &check->request);
    free(check->body);
    check->body = NULL;
    return wrong == NULL ? check_start(check) : answer_problem(check, MHD_HTTP_BAD_REQUEST, wrong);
}

static enum MHD_Result route(struct check *check, const char *path, const char *method) {
    static const char alive[] = "{\"status\":\"alive\"}\n";
    if (strcmp(path, "/v1/checks") == 0) {
        if (strcmp(method, "POST") == 0) return run_check(check);
        return answer_problem(check, MHD_HTTP_METHOD_NOT_ALLOWED, "use POST");
    }
    if (strcmp(path, "/livez") == 0) return http_answer(check, MHD_HTTP_OK, alive, sizeof alive - 1);
    return answer_problem(check, MHD_HTTP_NOT_FOUND, "no such resource");
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload, size_t *upload_bytes,
                                  void **request_state) {
    (void)version;
    struct check *check = *request_state;
    if (check == NULL) return begin(context, connection, request_state);
    if (*upload_bytes > 0) return take_body(check, upload, upload_bytes);
    return route(check, path, method);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_state,
                         enum MHD_RequestTerminationCode code) {
    (void)context, (void)connection, (void)code;
    struct check *check = *request_state;
    if (check == NULL) return;
    free(check->body);
    free(check);
    *request_state = NULL;
}

/* libmicrohttpd does not notice when a suspended connection is closed, so our own epoll set watches each connection. */
static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    struct worker *worker = context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        atomic_fetch_sub(&worker->connections, 1);
        free(*socket_context);
        return;
    }
    struct client *client = calloc(1, sizeof *client);
    *socket_context = client;
    if (client == NULL) return;
    client->source.kind = SOURCE_CLIENT;
    int descriptor = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = client};
    if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) die("epoll_ctl");
}

struct MHD_Daemon *http_start(struct worker *worker) {
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, worker,                              //
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,   //
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTION_LIMIT,               //
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,                       //
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, worker, MHD_OPTION_END);
}
