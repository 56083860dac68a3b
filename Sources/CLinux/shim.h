// Parts of Linux that Swift's import of the C library lacks: epoll, the socket error queue, TCP_INFO, and macros that
// are not plain constants. The comment at each inline function says why it is needed.
#ifndef CONNECTD_CLINUX_H
#define CONNECTD_CLINUX_H
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

// For a function that fills an array on its stack. Inlined into Swift code, it would lose its stack protector.
#define CONNECTD_STACK_PROTECTED __attribute__((noinline))

// epoll's flags are enumerators of an enum with the top bit set. Swift imports them as a separate type.
static const uint32_t connectd_epoll_in = EPOLLIN;
static const uint32_t connectd_epoll_out = EPOLLOUT;
static const uint32_t connectd_epoll_err = EPOLLERR;
static const uint32_t connectd_epoll_hup = EPOLLHUP;
static const uint32_t connectd_epoll_rdhup = EPOLLRDHUP;
static const uint32_t connectd_epoll_edge = EPOLLET;

// SOCK_STREAM and the others are enumerators of a C enum, but socket(2) takes plain integers.
static const int32_t connectd_sock_stream = SOCK_STREAM;
static const int32_t connectd_sock_dgram = SOCK_DGRAM;
static const int32_t connectd_sock_seqpacket = SOCK_SEQPACKET;
static const int32_t connectd_sock_nonblock = SOCK_NONBLOCK;
static const int32_t connectd_sock_cloexec = SOCK_CLOEXEC;

// struct epoll_event is packed and ends in a union. This keeps its layout on the C side.
static inline int connectd_epoll_ctl(int epoll, int operation, int descriptor, uint32_t events, uint64_t token)
{
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

static inline uint64_t connectd_epoll_token(const struct epoll_event *event) { return event->data.u64; }

// epoll_pwait2(2) with a timeout in nanoseconds; a negative one waits without a limit. Kernels before 5.11 know only
// milliseconds, so the timeout is rounded up. A system call filter that is older than the call refuses it with EPERM.
// Without the fallback, the event loop would spin.
static inline int connectd_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds)
{
    if (nanoseconds < 0)
        return epoll_wait(epoll, events, capacity, -1);
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int count = (int)syscall(SYS_epoll_pwait2, epoll, events, capacity, &timeout, NULL, (size_t)0);
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) {
        int64_t milliseconds = (nanoseconds + 999999) / 1000000;
        count = epoll_wait(epoll, events, capacity, milliseconds > INT32_MAX ? INT32_MAX : (int)milliseconds);
    }
    return count;
}

// accept4(2) is declared only under _GNU_SOURCE. The new descriptor is non-blocking and close-on-exec.
static inline int connectd_accept(int listener, struct sockaddr_storage *peer, socklen_t *length)
{
    *length = sizeof *peer;
    return (int)syscall(SYS_accept4, listener, peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// setpriority(2) for the calling thread: on Linux each thread has its own nice value.
static inline void connectd_lower_priority(int nice) { setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice); }

// Declared only under _GNU_SOURCE. poll(2) and epoll(7) use the same bit.
static const short connectd_poll_rdhup = EPOLLRDHUP;

// ioctl(2) is variadic.
static inline int connectd_unread_bytes(int descriptor)
{
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : 0;
}

// Whether the client of a TCP connection is on this machine and has closed its socket: sock_diag(7). A FIN alone does
// not prove that, because a client that has called shutdown(2) still reads.
// Returns 1: closed, 0: open, -1: unknown, as for every client on another machine.
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
static inline int connectd_diagnosed_address(const struct sockaddr_storage *name, uint32_t address[4], uint16_t *port)
{
    if (name->ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)name;
        address[0] = ipv4->sin_addr.s_addr;
        *port = ipv4->sin_port;
        return AF_INET;
    }
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)name;
    *port = ipv6->sin6_port;
    if (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr)) {
        memcpy(address, &ipv6->sin6_addr.s6_addr[12], 4);
        return AF_INET;
    }
    memcpy(address, &ipv6->sin6_addr, 16);
    return AF_INET6;
}

// The first answer of the kernel to a netlink message.
union connectd_netlink_answer {
    struct nlmsghdr header;
    char bytes[4096];
};

// Asks the kernel once, on a socket that is closed again. Returns the length of the answer; -1 if there is none.
static inline ssize_t connectd_ask_netlink(
    int protocol, const void *question, size_t length, union connectd_netlink_answer *answer)
{
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    if (netlink < 0)
        return -1;
    ssize_t count = -1;
    if (send(netlink, question, length, MSG_NOSIGNAL) == (ssize_t)length)
        count = recv(netlink, answer, sizeof *answer, MSG_DONTWAIT);
    close(netlink);
    return count;
}

static inline CONNECTD_STACK_PROTECTED int connectd_peer_has_closed(int descriptor)
{
    struct sockaddr_storage own, peer;
    socklen_t own_length = sizeof own, peer_length = sizeof peer;
    if (getsockname(descriptor, (struct sockaddr *)&own, &own_length) != 0
        || getpeername(descriptor, (struct sockaddr *)&peer, &peer_length) != 0
        || (own.ss_family != AF_INET && own.ss_family != AF_INET6))
        return -1;
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } question = {
        .header = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
        .request = {.sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u},
    };
    struct inet_diag_sockid *identity = &question.request.id;
    question.request.sdiag_family =
        (uint8_t)connectd_diagnosed_address(&peer, identity->idiag_src, &identity->idiag_sport);
    connectd_diagnosed_address(&own, identity->idiag_dst, &identity->idiag_dport);
    identity->idiag_cookie[0] = identity->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    union connectd_netlink_answer answer;
    ssize_t count = connectd_ask_netlink(NETLINK_SOCK_DIAG, &question, sizeof question, &answer);
    if (count < (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg)) || answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return -1;
    return ((struct inet_diag_msg *)NLMSG_DATA(&answer.header))->idiag_inode == 0;
}

// Whether the route to an address has the type local: rtnetlink(7). A connect(2) of a datagram socket would show it too,
// but a policy asks this before it allows the address. Returns 1: yes, 0: no, -1: unknown.
static inline CONNECTD_STACK_PROTECTED int connectd_route_is_local(int family, const void *address)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        uint8_t destination[16];
    } question = {
        .header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST},
        .route = {.rtm_family = (unsigned char)family},
        .attribute = {.rta_type = RTA_DST},
    };
    size_t size = family == AF_INET ? 4 : 16;
    question.route.rtm_dst_len = (unsigned char)(8 * size);
    question.attribute.rta_len = (unsigned short)RTA_LENGTH(size);
    question.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof question.route) + RTA_LENGTH(size));
    memcpy(question.destination, address, size);
    union connectd_netlink_answer answer;
    ssize_t count = connectd_ask_netlink(NETLINK_ROUTE, &question, question.header.nlmsg_len, &answer);
    if (count >= (ssize_t)NLMSG_LENGTH(sizeof(struct rtmsg)) && answer.header.nlmsg_type == RTM_NEWROUTE)
        return ((struct rtmsg *)NLMSG_DATA(&answer.header))->rtm_type == RTN_LOCAL;
    // ENETUNREACH and its like: there is no route.
    if (count >= (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) && answer.header.nlmsg_type == NLMSG_ERROR)
        return 0;
    return -1;
}

// Drops a listener's packets that are SYNs without ACK (byte 13 of the TCP header has the flags), as a full backlog
// does. The ACKs that complete handshakes in progress are accepted. SO_ATTACH_FILTER, socket(7), needs no privilege.
static inline int connectd_ignore_new_clients(int listener)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

// SIG_IGN is a macro with a cast.
static inline void connectd_ignore_sigpipe(void) { signal(SIGPIPE, SIG_IGN); }
static inline void connectd_ignore_sigxfsz(void) { signal(SIGXFSZ, SIG_IGN); }

// A handler that ends the process as a shell would report it.
static inline void connectd_end_by(int number) { _exit(128 + number); }
static inline void connectd_end_on(int number) { signal(number, connectd_end_by); }

// dup(2) without a moment in which a child process could inherit the copy. fcntl(2) is variadic.
static inline int connectd_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 0); }

// struct tcp_info of linux/tcp.h up to segs_in. The C library's struct of Debian 12 ends before segs_out, and its bit
// fields are not imported by Swift. The kernel fills in as much as it has; the rest stays 0.
struct connectd_tcp_info {
    uint8_t state, ca_state, retransmits, probes, backoff, options, window_scales, flags;
    uint32_t rto, ato, snd_mss, rcv_mss, unacked, sacked, lost, retrans, fackets;
    uint32_t last_data_sent, last_ack_sent, last_data_received, last_ack_received;
    uint32_t pmtu, rcv_ssthresh, rtt_us, rttvar_us, snd_ssthresh, snd_cwnd, advmss, reordering, rcv_rtt, rcv_space;
    uint32_t total_retransmits;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out, segs_in;
};

static inline int connectd_get_tcp_info(int descriptor, struct connectd_tcp_info *result)
{
    socklen_t length = sizeof *result;
    memset(result, 0, sizeof *result);
    return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, result, &length);
}
static const uint8_t connectd_tcp_established = TCP_ESTABLISHED;
static const uint8_t connectd_tcp_close_wait = TCP_CLOSE_WAIT;

// SO_MEMINFO, SK_MEMINFO_WMEM_ALLOC: the bytes of packets of the socket that wait in this machine, for the address of a
// neighbor or in the queue of an interface; 0 also if the kernel does not say. The option is a macro of newer headers.
static inline uint32_t connectd_waiting_bytes(int descriptor)
{
#ifdef SO_MEMINFO
    uint32_t values[9] = {0};
    socklen_t length = sizeof values;
    return getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, values, &length) == 0 ? values[2] : 0;
#else
    (void)descriptor;
    return 0;
#endif
}

// One message of the socket's error queue (ip(7), IP_RECVERR). The iteration over control messages consists of macros.
struct connectd_icmp {
    uint32_t error;  // the errno that the message causes
    uint8_t origin;  // SO_EE_ORIGIN_ICMP or SO_EE_ORIGIN_ICMP6
    uint8_t type, code;
    uint32_t mtu;  // of a message that the packet was too large; otherwise 0
    struct sockaddr_storage from;
};

// Returns 1 if it is filled in; 0 if the queue has no ICMP message. Messages from other origins are skipped.
static inline CONNECTD_STACK_PROTECTED int connectd_read_icmp(int descriptor, struct connectd_icmp *result)
{
    for (int budget = 16; budget > 0; budget--) {
        char control[512];
        char data[64];
        struct iovec vector = {.iov_base = data, .iov_len = sizeof data};
        struct msghdr message = {
            .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return 0;
        for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
            int is_v4 = header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR;
            int is_v6 = header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR;
            if (!is_v4 && !is_v6)
                continue;
            const struct sock_extended_err *error = (const struct sock_extended_err *)CMSG_DATA(header);
            if (error->ee_origin != SO_EE_ORIGIN_ICMP && error->ee_origin != SO_EE_ORIGIN_ICMP6)
                continue;
            const struct sockaddr *offender = SO_EE_OFFENDER(error);
            memset(result, 0, sizeof *result);
            result->error = error->ee_errno;
            result->origin = error->ee_origin;
            result->type = error->ee_type;
            result->code = error->ee_code;
            if (error->ee_errno == EMSGSIZE)
                result->mtu = error->ee_info;
            if (offender->sa_family == AF_INET)
                memcpy(&result->from, offender, sizeof(struct sockaddr_in));
            else if (offender->sa_family == AF_INET6)
                memcpy(&result->from, offender, sizeof(struct sockaddr_in6));
            return 1;
        }
    }
    return 0;
}
static const uint8_t connectd_origin_icmp6 = SO_EE_ORIGIN_ICMP6;

// After EMSGSIZE of send(2): the MTU of the route's device, from the error queue. Returns 0 if the queue does not have
// it.
static inline CONNECTD_STACK_PROTECTED uint32_t connectd_device_mtu(int descriptor)
{
    for (int budget = 16; budget > 0; budget--) {
        char control[512];
        struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
        if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return 0;
        for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
            if (!(header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR)
                && !(header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR))
                continue;
            const struct sock_extended_err *error = (const struct sock_extended_err *)CMSG_DATA(header);
            if (error->ee_origin == SO_EE_ORIGIN_LOCAL && error->ee_errno == EMSGSIZE)
                return error->ee_info;
        }
    }
    return 0;
}

// TCP_MD5SIG: struct tcp_md5sig has an array of 80 bytes, which Swift imports as a tuple of 80 members.
static inline CONNECTD_STACK_PROTECTED int connectd_set_md5(
    int descriptor, const struct sockaddr *peer, socklen_t peer_length, const uint8_t *key, size_t key_length)
{
    struct tcp_md5sig signature;
    memset(&signature, 0, sizeof signature);
    if (peer_length > sizeof signature.tcpm_addr || key_length > TCP_MD5SIG_MAXKEYLEN) {
        errno = EINVAL;
        return -1;
    }
    memcpy(&signature.tcpm_addr, peer, peer_length);
    signature.tcpm_keylen = (uint16_t)key_length;
    memcpy(signature.tcpm_key, key, key_length);
    int result = setsockopt(descriptor, IPPROTO_TCP, TCP_MD5SIG, &signature, sizeof signature);
    explicit_bzero(&signature, sizeof signature);
    return result;
}

// struct ucred is declared only under _GNU_SOURCE, which would make the headers contradict Swift's own import of them.
struct connectd_credentials {
    int32_t pid;
    uint32_t uid, gid;
};

static inline int connectd_get_peer_credentials(int descriptor, struct connectd_credentials *result)
{
    socklen_t length = sizeof *result;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, result, &length);
}

// sun_path is an array, which Swift imports as a tuple. The length that connect(2) takes depends on its contents. An
// abstract name is passed without its leading NUL. Returns 0 if the name does not fit into 107 bytes.
static inline socklen_t connectd_fill_unix(
    struct sockaddr_un *address, const uint8_t *name, size_t length, int is_abstract)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (length > sizeof address->sun_path - 1)
        return 0;
    memcpy(address->sun_path + (is_abstract ? 1 : 0), name, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

// open(2) is variadic. O_PATH opens a file without permission to read it.
static inline int connectd_open_path(const char *path) { return open(path, __O_PATH | O_CLOEXEC); }
static inline int connectd_open_read(const char *path) { return open(path, O_RDONLY | O_CLOEXEC); }
// Creates or truncates a file, as `>` of a shell does.
static inline int connectd_open_write(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
}

// statx(2), which glibc declares only with _GNU_SOURCE: 1 for a file or folder that something is mounted on, 0 for any other, and before Linux 5.8.
static inline int connectd_is_mount_point(const char *path)
{
    struct statx status;
    return syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &status) == 0
        && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

// openat2(2), Linux 5.6, has no function in the C library. It opens with O_PATH, relative to a directory.
static inline int connectd_open_path_at(int folder, const char *path, int flags, uint64_t resolve)
{
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = (uint64_t)(__O_PATH | O_CLOEXEC | flags);
    how.resolve = resolve;
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}
// The names are macros with casts, or are not declared without _GNU_SOURCE.
static const int32_t connectd_at_cwd = AT_FDCWD;
static const int32_t connectd_no_follow = O_NOFOLLOW;
static const uint64_t connectd_resolve_no_magic_links = RESOLVE_NO_MAGICLINKS;
static const uint64_t connectd_resolve_no_crossing = RESOLVE_NO_XDEV;

// fstatfs(2): whether a directory is on procfs. The text of a link there is not the path of its target.
static inline int connectd_is_procfs(int descriptor)
{
    struct statfs status;
    return fstatfs(descriptor, &status) != 0 || status.f_type == PROC_SUPER_MAGIC;
}

// The same, without waiting for a writer of a FIFO.
static inline int connectd_open_read_at_once(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

// open(2) returns the lowest free number. This takes 0, 1 and 2, so that no socket gets one of them.
static inline void connectd_fill_standard_descriptors(void)
{
    int descriptor;
    do
        descriptor = open("/dev/null", O_RDWR);
    while (descriptor >= 0 && descriptor <= 2);
    if (descriptor > 2)
        close(descriptor);
}

// fcntl(2) is variadic.
static inline int connectd_is_open(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }

// The width of a terminal in columns; 0 if it is unknown. ioctl(2) is variadic.
static inline int connectd_terminal_columns(int descriptor)
{
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// SIG_IGN is a macro with a cast, and the handler is in a union.
static inline int connectd_is_ignored(int number)
{
    struct sigaction found;
    return sigaction(number, NULL, &found) == 0 && found.sa_handler == SIG_IGN;
}

// SIG_DFL is a macro with a cast.
static inline void connectd_restore_default(int number) { signal(number, SIG_DFL); }

// fcntl(2) is variadic.
static inline int connectd_set_nonblocking(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}

static inline int connectd_set_close_on_exec(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFD);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
}

// sigqueue(3), sigwaitinfo(2), sigtimedwait(2): the value of a signal is in a union.
struct connectd_signal {
    int number; // negative if none arrived
    int value;  // of a queued signal, otherwise 0
    pid_t sender;
};

static inline int connectd_queue_signal(pid_t process, int number, int value)
{
    return sigqueue(process, number, (union sigval){.sival_int = value});
}

// Without a timeout it waits forever.
static inline struct connectd_signal connectd_wait_for_signal(const sigset_t *set, const struct timespec *timeout)
{
    siginfo_t info;
    struct connectd_signal found = {0};
    found.number = timeout ? sigtimedwait(set, &info, timeout) : sigwaitinfo(set, &info);
    if (found.number > 0 && info.si_code == SI_QUEUE) {
        found.value = info.si_value.sival_int;
        found.sender = info.si_pid;
    }
    return found;
}

#include <malloc.h>
// mallopt(3): each worker's memory grows and shrinks with every burst. Returning it to the kernel in between and
// requesting it again would cost more than the check itself.
//
// A small container cannot keep much memory. Long bodies get their own pages, which are returned at once. Among
// short-lived small blocks, they would cause fragmentation.
static inline void connectd_keep_memory(size_t available)
{
    size_t kept = available / 32;
    mallopt(M_TRIM_THRESHOLD, kept < (32u << 20) ? (int)kept : 32 << 20);
    mallopt(M_TOP_PAD, 256 << 10);
    mallopt(M_MMAP_THRESHOLD, 64 << 10);
}

// malloc_trim(3) on a separate thread, after a second. After a flood, free memory is in the middle of the heaps, where
// free(3) alone never returns it. The thread blocks every signal.
static inline void *connectd_trim_memory(void *unused)
{
    struct timespec second = {.tv_sec = 1, .tv_nsec = 0};
    nanosleep(&second, NULL);
    malloc_trim(0);
    return unused;
}

static inline void connectd_trim_memory_soon(void)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0)
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 128 << 10);
    pthread_create(&thread, &attributes, connectd_trim_memory, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}

// Releases the pages of code and constants that only the start needed: madvise(2) on segments that cannot have been
// written to. They are pages of the file, so pages that are needed again come from the page cache. dl_iterate_phdr(3)
// is declared only under _GNU_SOURCE. The structure has its first members; the others are not used.
#include <elf.h>
#include <sys/mman.h>
struct connectd_loaded_object {
    Elf64_Addr base;
    const char *name;
    const Elf64_Phdr *segments;
    Elf64_Half segment_count;
};
extern int dl_iterate_phdr(int (*callback)(struct connectd_loaded_object *, size_t, void *), void *data);

static inline int connectd_drop_segments(struct connectd_loaded_object *object, size_t size, void *data)
{
    (void)size;
    uintptr_t page = *(uintptr_t *)data;
    for (int index = 0; index < object->segment_count; index++) {
        const Elf64_Phdr *segment = &object->segments[index];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
            continue;
        // Whole pages only: the last one may be shared with a segment that is written to.
        uintptr_t start = (object->base + segment->p_vaddr + page - 1) & ~(page - 1);
        uintptr_t end = (object->base + segment->p_vaddr + segment->p_filesz) & ~(page - 1);
        if (end > start && object->base != 0)
            madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

static inline void connectd_drop_startup_pages(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    dl_iterate_phdr(connectd_drop_segments, &page);
}

// environ(7) is a global variable that any code may change. This reads it once, at the start.
extern char **environ;
static inline char **connectd_environment(void) { return environ; }

#endif
