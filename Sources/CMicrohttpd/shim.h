// Functions of libmicrohttpd with variable arguments, which Swift does not import.
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

// MHD_set_response_options(3) is variadic. Up to 0.9, after a chunked head without a body (HEAD, 304) the library sends
// the last chunk anyway. Such a response must close its connection.
static inline enum MHD_Result connectd_mhd_end_with_connection(struct MHD_Response *response)
{
    return MHD_set_response_options(response, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
}

// Passes log messages of the library as lines of text. Its callback takes a va_list: a pointer on amd64, a structure on
// arm64, and so two different types in Swift. HTTPServer defines the function that receives the line.
void connectd_mhd_line(void *context, const char *line);

static inline void connectd_mhd_log(void *context, const char *format, va_list arguments)
{
    char line[256];
    if (vsnprintf(line, sizeof line, format, arguments) > 0)
        connectd_mhd_line(context, line);
}

// Whether the library can parse heads as RFC 9112 requires: from 1.0 on. This asks the loaded library, which may be
// newer than the header, because both versions have the same soname. An earlier version in strict mode misses most
// faults, and sends the head of its own responses twice.
static inline int connectd_mhd_can_be_strict(void)
{
    return MHD_get_version()[0] != '0';
}

// MHD_start_daemon(3) takes its options as variable arguments. With types, the callbacks need no casts in Swift.
//
// The library has no thread, no listening socket and no timeout. The caller polls its epoll descriptor, adds
// connections, and enforces deadlines. `limit` is higher than the caller's own limit.
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

// dup3(2) is declared only under _GNU_SOURCE. `other` replaces a descriptor that the library closes later.
static inline int connectd_mhd_replace(int descriptor, int other)
{
    return (int)syscall(SYS_dup3, other, descriptor, O_CLOEXEC);
}

// MHD_get_daemon_info(3) is variadic. Returns -1 if there is none.
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

// The number of bytes from the method to the end of the empty line; 0 until the head is complete.
static inline size_t connectd_mhd_head_length(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

// Sets whether the library visits the connection at the start of each run, as it does for connections with their own
// timeout. Otherwise it reads from the socket of a resumed connection before it sees the response. The timeout is
// longer than any of the caller's. MHD_set_connection_option(3) is variadic.
static inline void connectd_mhd_look_first(struct MHD_Connection *connection, int is_wanted)
{
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, is_wanted ? 86400u : 0u);
}

// The value that the NOTIFY_CONNECTION callback stored for this connection.
static inline void *connectd_mhd_socket_context(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

#endif
