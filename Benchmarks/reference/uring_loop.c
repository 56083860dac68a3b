/* Many connects in flight on one thread: an epoll loop and an io_uring loop, with and without the evidence of a check.
 *
 * epoll:        socket, connect, epoll, SO_ERROR, close.
 * uring:        socket, connect and close as three linked requests on a direct descriptor.
 * --evidence:   IP_RECVERR before the connect; both names and TCP_INFO after it, as a check reports them. These need a
 *               real descriptor, so in `uring` the socket comes from socket(2), and only connect and close are requests.
 *
 * usage: uring_loop --port P --mode epoll|uring [--evidence] [--hosts N] [--count N] [--in-flight N]
 *        prints one line of JSON */
#define _GNU_SOURCE
#include "../load/destinations.h"

#include <errno.h>
#include <getopt.h>
#include <linux/io_uring.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static unsigned port, hosts = 1000, count = 100000, in_flight = 256;
static bool has_evidence;
static unsigned failures;

static double seconds_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(3);
}

static int new_socket(void) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP), on = 1;
    if (descriptor < 0) fail("socket");
    if (has_evidence) setsockopt(descriptor, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    return descriptor;
}

static void read_evidence(int descriptor) {
    struct sockaddr_storage name;
    struct tcp_info information;
    socklen_t length = sizeof name;
    getsockname(descriptor, (struct sockaddr *)&name, &length);
    length = sizeof name;
    getpeername(descriptor, (struct sockaddr *)&name, &length);
    length = sizeof information;
    getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &information, &length);
}

/* epoll */

static void run_epoll(void) {
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[256];
    unsigned started = 0, ended = 0;
    while (ended < count) {
        while (started < count && started - ended < in_flight) {
            struct sockaddr_in address = destination(started++ % hosts, (uint16_t)port);
            int descriptor = new_socket();
            if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect");
            struct epoll_event event = {.events = EPOLLOUT, .data.fd = descriptor};
            epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event);
        }
        int ready = epoll_wait(set, events, 256, -1);
        for (int index = 0; index < ready; index++) {
            int descriptor = events[index].data.fd, error_number = 0;
            socklen_t length = sizeof error_number;
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error_number, &length);
            if (error_number != 0) failures++;
            if (has_evidence) read_evidence(descriptor);
            close(descriptor);
            ended++;
        }
    }
}

/* io_uring, by its system calls: a library would hide nothing that matters here */

enum { ENTRIES = 4096 };
static int ring;
static unsigned *submission_tail, *submission_mask, *submission_array, *completion_head, *completion_tail, *completion_mask;
static struct io_uring_sqe *entries;
static struct io_uring_cqe *completions;
static unsigned unsubmitted;

static void open_ring(void) {
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE, .cq_entries = 4 * ENTRIES};
    ring = (int)syscall(SYS_io_uring_setup, ENTRIES, &parameters);
    if (ring < 0) fail("io_uring_setup");
    size_t size = parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe);
    size_t array_end = parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned);
    if (array_end > size) size = array_end;
    char *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
    entries = mmap(NULL, parameters.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                   IORING_OFF_SQES);
    if (shared == MAP_FAILED || entries == MAP_FAILED) fail("mmap");
    submission_tail = (unsigned *)(shared + parameters.sq_off.tail);
    submission_mask = (unsigned *)(shared + parameters.sq_off.ring_mask);
    submission_array = (unsigned *)(shared + parameters.sq_off.array);
    completion_head = (unsigned *)(shared + parameters.cq_off.head);
    completion_tail = (unsigned *)(shared + parameters.cq_off.tail);
    completion_mask = (unsigned *)(shared + parameters.cq_off.ring_mask);
    completions = (struct io_uring_cqe *)(shared + parameters.cq_off.cqes);
}

static struct io_uring_sqe *next_entry(void) {
    unsigned tail = *submission_tail, index = tail & *submission_mask;
    struct io_uring_sqe *entry = &entries[index];
    memset(entry, 0, sizeof *entry);
    submission_array[index] = index;
    __atomic_store_n(submission_tail, tail + 1, __ATOMIC_RELEASE);
    unsubmitted++;
    return entry;
}

static void enter(unsigned wanted) {
    long done = syscall(SYS_io_uring_enter, ring, unsubmitted, wanted, IORING_ENTER_GETEVENTS, NULL, 0);
    if (done < 0 && errno != EINTR) fail("io_uring_enter");
    if (done > 0) unsubmitted -= (unsigned)done;
}

enum { SOCKET = 0, CONNECT = 1, CLOSE = 2 };
static uint64_t tag(unsigned slot, unsigned kind) { return (uint64_t)slot << 2 | kind; }

static void start_linked(unsigned slot, struct sockaddr_in *address) {
    struct io_uring_sqe *entry = next_entry();
    entry->opcode = IORING_OP_SOCKET;
    entry->fd = AF_INET;
    entry->off = SOCK_STREAM;
    entry->len = IPPROTO_TCP;
    entry->file_index = slot + 1;
    entry->flags = IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    entry->user_data = tag(slot, SOCKET);
    entry = next_entry();
    entry->opcode = IORING_OP_CONNECT;
    entry->fd = (int)slot;
    entry->addr = (uint64_t)(uintptr_t)address;
    entry->off = sizeof *address;
    entry->flags = IOSQE_FIXED_FILE | IOSQE_IO_HARDLINK;
    entry->user_data = tag(slot, CONNECT);
    entry = next_entry();
    entry->opcode = IORING_OP_CLOSE;
    entry->file_index = slot + 1;
    entry->user_data = tag(slot, CLOSE);
}

static void start_connect(unsigned slot, int descriptor, struct sockaddr_in *address) {
    struct io_uring_sqe *entry = next_entry();
    entry->opcode = IORING_OP_CONNECT;
    entry->fd = descriptor;
    entry->addr = (uint64_t)(uintptr_t)address;
    entry->off = sizeof *address;
    entry->user_data = tag(slot, CONNECT);
}

static void start_close(unsigned slot, int descriptor) {
    struct io_uring_sqe *entry = next_entry();
    entry->opcode = IORING_OP_CLOSE;
    entry->fd = descriptor;
    entry->user_data = tag(slot, CLOSE);
}

static void run_uring(void) {
    open_ring();
    struct sockaddr_in *addresses = calloc(in_flight, sizeof *addresses);
    int *descriptors = calloc(in_flight, sizeof *descriptors);
    unsigned *idle = calloc(in_flight, sizeof *idle), idle_count = in_flight;
    for (unsigned slot = 0; slot < in_flight; slot++) idle[slot] = slot;
    if (!has_evidence) {
        struct io_uring_rsrc_register table = {.nr = in_flight, .flags = IORING_RSRC_REGISTER_SPARSE};
        if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES2, &table, sizeof table) < 0) fail("register");
    }
    unsigned started = 0, ended = 0;
    while (ended < count) {
        while (started < count && idle_count > 0 && unsubmitted + 3 <= ENTRIES) {
            unsigned slot = idle[--idle_count];
            addresses[slot] = destination(started++ % hosts, (uint16_t)port);
            if (has_evidence) start_connect(slot, descriptors[slot] = new_socket(), &addresses[slot]);
            else start_linked(slot, &addresses[slot]);
        }
        enter(1);
        unsigned head = *completion_head, tail = __atomic_load_n(completion_tail, __ATOMIC_ACQUIRE);
        for (; head != tail; head++) {
            struct io_uring_cqe *completion = &completions[head & *completion_mask];
            unsigned slot = (unsigned)(completion->user_data >> 2), kind = completion->user_data & 3;
            if (completion->res < 0) failures++;
            if (kind == CONNECT && has_evidence) {
                read_evidence(descriptors[slot]);
                start_close(slot, descriptors[slot]);
            } else if (kind == CLOSE) {
                idle[idle_count++] = slot;
                ended++;
            }
        }
        __atomic_store_n(completion_head, head, __ATOMIC_RELEASE);
    }
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},  {"hosts", required_argument, NULL, 'h'},
        {"count", required_argument, NULL, 'n'}, {"in-flight", required_argument, NULL, 'i'},
        {"mode", required_argument, NULL, 'm'},  {"evidence", no_argument, NULL, 'e'},
        {NULL, 0, NULL, 0}};
    bool uses_ring = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') port = (unsigned)atoi(optarg);
        else if (option == 'h') hosts = (unsigned)atoi(optarg);
        else if (option == 'n') count = (unsigned)atoi(optarg);
        else if (option == 'i') in_flight = (unsigned)atoi(optarg);
        else if (option == 'm') uses_ring = strcmp(optarg, "uring") == 0;
        else if (option == 'e') has_evidence = true;
        else return 2;
    }
    if (port == 0 || port > 65535 || hosts == 0 || hosts > DESTINATION_LIMIT || count == 0 || in_flight == 0) return 2;
    double begun = seconds_of(CLOCK_MONOTONIC);
    if (uses_ring) run_uring();
    else run_epoll();
    double seconds = seconds_of(CLOCK_MONOTONIC) - begun, cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    printf("{\"connects\":%u,\"failures\":%u,\"seconds\":%.6f,\"rate\":%.1f,\"cpu_us_per_connect\":%.3f}\n", count,
           failures, seconds, count / seconds, cpu_seconds * 1e6 / count);
    return failures == 0 ? 0 : 1;
}
