// What libmicrohttpd offers through "..." only, which Swift does not import.
#ifndef CONNECTD_CMICROHTTPD_H
#define CONNECTD_CMICROHTTPD_H
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Macros with casts, which Swift does not import.
static const uint64_t connectd_mhd_size_unknown = MHD_SIZE_UNKNOWN;
static const ssize_t connectd_mhd_end_of_stream = MHD_CONTENT_READER_END_OF_STREAM;
static const ssize_t connectd_mhd_end_with_error = MHD_CONTENT_READER_END_WITH_ERROR;

// MHD_set_response_options(3) is variadic. After a head that announces chunks and has no body (HEAD, 304), the library sends
// the last chunk all the same, up to 0.9 at least: such a response has to end with its connection.
static inline enum MHD_Result connectd_mhd_end_with_connection(struct MHD_Response *response)
{
    return MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
}

// What the library logs, as a line of text. Its call-back takes a va_list, which is a pointer on amd64 and a structure on
// arm64, and reaches Swift as two different types. HTTPServer defines what takes the line.
void connectd_mhd_line(void *context, const char *line);

static inline void connectd_mhd_log(void *context, const char *format, va_list arguments)
{
    char line[256];
    if (vsnprintf(line, sizeof line, format, arguments) > 0)
        connectd_mhd_line(context, line);
}

// Whether the library parses heads as RFC 9112 asks for, if it is told to: from 1.0 on. Asked of the library that is there,
// which need not be the one whose header this was built with: they share a name. Strict before that, it misses the most and
// sends the head of what it answers itself twice.
static inline int connectd_mhd_can_be_strict(void)
{
    return MHD_get_version()[0] != '0';
}

// MHD_start_daemon(3) takes its options as variable arguments; typed here, the call-backs need no casts in Swift.
//
// There is no thread, no listening socket and no timeout of the library's own: the caller polls its epoll descriptor,
// hands connections over, and keeps the deadlines. `limit` is out of the way of the caller's own.
static inline struct MHD_Daemon *connectd_mhd_start(
    void *context, MHD_AccessHandlerCallback access, MHD_RequestCompletedCallback completed,
    MHD_NotifyConnectionCallback connection, void *(*target)(void *, const char *, struct MHD_Connection *),
    unsigned int limit, size_t memory)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, access,
        context, MHD_OPTION_EXTERNAL_LOGGER, connectd_mhd_log, context, MHD_OPTION_NOTIFY_COMPLETED, completed, context,
        MHD_OPTION_NOTIFY_CONNECTION, connection, context, MHD_OPTION_URI_LOG_CALLBACK, target, context,
        MHD_OPTION_CONNECTION_LIMIT, limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory, MHD_OPTION_CONNECTION_TIMEOUT,
        0u, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_STRICT_FOR_CLIENT, connectd_mhd_can_be_strict(),
        MHD_OPTION_END);
}

// dup3(2) is declared only under _GNU_SOURCE: `other` takes the place of a descriptor that the library closes later.
static inline int connectd_mhd_replace(int descriptor, int other)
{
    return (int)syscall(SYS_dup3, other, descriptor, O_CLOEXEC);
}

// MHD_get_daemon_info(3) is variadic. -1 where there is none.
static inline int connectd_mhd_epoll_descriptor(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

// MHD_get_connection_info(3) is variadic.
static inline int connectd_mhd_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

// The bytes from the method to the end of the empty line; 0 as long as the head is not complete.
static inline size_t connectd_mhd_head_length(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

// Whether the library looks at the connection at the start of each of its runs, as it does with those that have a timeout of
// their own. Without that, it reads from the socket of a connection that is resumed before it sees the response. The timeout
// is longer than any of the caller's own. MHD_set_connection_option(3) is variadic.
static inline void connectd_mhd_look_first(struct MHD_Connection *connection, int is_wanted)
{
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, is_wanted ? 86400u : 0u);
}

// What the NOTIFY_CONNECTION call-back stored for this connection.
static inline void *connectd_mhd_socket_context(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

#endif
