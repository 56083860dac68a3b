/* One check: socket, non-blocking connect, readiness, SO_ERROR, names, TCP_INFO, close. */
#define _GNU_SOURCE
#include "service.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The ICMP message that caused an error, from the socket's error queue (ip(7), IP_RECVERR). */
static void read_icmp(int descriptor, struct attempt *attempt) {
    char control[256];
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(descriptor, &message, MSG_ERRQUEUE) < 0) return;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != IPPROTO_IP || header->cmsg_type != IP_RECVERR) continue;
        const struct sock_extended_err *error = (const void *)CMSG_DATA(header);
        if (error->ee_origin != SO_EE_ORIGIN_ICMP) continue;
        attempt->has_icmp = true;
        attempt->icmp_type = error->ee_type;
        attempt->icmp_code = error->ee_code;
        attempt->icmp_from = ((const struct sockaddr_in *)SO_EE_OFFENDER(error))->sin_addr;
    }
}

static void read_names(int descriptor, struct attempt *attempt) {
    socklen_t length = sizeof attempt->local;
    attempt->has_local = getsockname(descriptor, (struct sockaddr *)&attempt->local, &length) == 0;
    length = sizeof attempt->peer;
    attempt->has_peer = attempt->error_number == 0
                        && getpeername(descriptor, (struct sockaddr *)&attempt->peer, &length) == 0;
}

static void read_tcp_info(int descriptor, struct attempt *attempt) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) < 0) return;
    attempt->has_info = true;
    attempt->syn_retransmits = attempt->error_number ? info.tcpi_retransmits : info.tcpi_total_retrans;
    attempt->rtt_us = info.tcpi_rtt;
    attempt->rttvar_us = info.tcpi_rttvar;
    attempt->retransmits = info.tcpi_total_retrans;
    attempt->snd_mss = info.tcpi_snd_mss;
    attempt->pmtu = info.tcpi_pmtu;
}

static enum MHD_Result answer(struct check *check, struct attempt *attempt) {
    attempt->duration_ns = monotonic_ns() - check->connect_begun_ns;
    if (check->descriptor >= 0) {
        read_names(check->descriptor, attempt);
        read_tcp_info(check->descriptor, attempt);
        if (attempt->error_number != 0 && !attempt->deadline) read_icmp(check->descriptor, attempt);
        close(check->descriptor);
        check->descriptor = -1;
    }
    char body[RESULT_LIMIT_BYTES];
    return http_answer(check, MHD_HTTP_OK, body, result_write(body, sizeof body, check, attempt));
}

/* The answer is queued while the connection is still suspended, which saves a callback. */
static void end(struct check *check, struct attempt *attempt) {
    timers_remove(&check->worker->timers, check);
    check->client->check = NULL;
    answer(check, attempt);
    MHD_resume_connection(check->connection);
}

static int begin_connect(struct check *check) {
    int on = 1;
    check->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (check->descriptor < 0) return errno;
    if (setsockopt(check->descriptor, IPPROTO_IP, IP_RECVERR, &on, sizeof on) < 0) return errno;
    const struct sockaddr_in *address = &check->request.address;
    return connect(check->descriptor, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
}

static int await_writable(struct check *check) {
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET, .data.ptr = &check->source};
    if (!timers_add(&check->worker->timers, check)) return ENOMEM;
    if (epoll_ctl(check->worker->epoll, EPOLL_CTL_ADD, check->descriptor, &event) == 0) return 0;
    int error_number = errno;
    timers_remove(&check->worker->timers, check);
    return error_number;
}

/* Called in the last callback of the request: responds at once, or suspends the connection. */
enum MHD_Result check_start(struct check *check) {
    check->connect_begun_ns = monotonic_ns();
    check->deadline_ns = check->begun_ns + check->request.timeout_ms * UINT64_C(1000000);
    struct attempt attempt = {.error_number = begin_connect(check)};
    if (attempt.error_number == EINPROGRESS) {
        attempt.error_number = await_writable(check);
        if (attempt.error_number == 0) {
            check->client->check = check;
            MHD_suspend_connection(check->connection);
            return MHD_YES;
        }
    }
    return answer(check, &attempt);
}

void check_ready(struct check *check) {
    struct attempt attempt = {0};
    socklen_t length = sizeof attempt.error_number;
    if (getsockopt(check->descriptor, SOL_SOCKET, SO_ERROR, &attempt.error_number, &length) < 0)
        attempt.error_number = errno;
    end(check, &attempt);
}

void check_expire(struct check *check) {
    struct attempt attempt = {.error_number = ETIMEDOUT, .deadline = true};
    end(check, &attempt);
}

/* The client has disconnected or the service stops. The response is sent in case the client still reads. */
void check_cancel(struct check *check) {
    struct attempt attempt = {.error_number = ECANCELED};
    end(check, &attempt);
}
