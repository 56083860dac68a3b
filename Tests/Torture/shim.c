// A preloaded library that makes chosen calls of connectd fail: each call of the C library, OpenSSL, libmicrohttpd, c-ares,
// PCRE2, libidn2 and libyaml that can fail. The driver arms one call at a time through a shared page, while connectd runs.
//
// A call is counted for its function and for the object that it comes from: a failing recv(2) of libmicrohttpd is another
// case than one of connectd. Calls of the Swift runtime and of the C library itself are never counted.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// The objects whose calls are counted. `PROGRAM` is connectd, with Swift's wrappers of variadic C functions.
#define CALLERS(X) X(PROGRAM, "connectd") X(MICROHTTPD, "libmicrohttpd.so") X(SSL, "libssl.so") X(CRYPTO, "libcrypto.so") \
    X(CARES, "libcares.so") X(PCRE2, "libpcre2-8.so") X(IDN2, "libidn2.so") X(YAML, "libyaml-0.so")
#define CALLER_ID(id, object) id,
enum caller { CALLERS(CALLER_ID) CALLER_COUNT };

// Functions that return -1 and set errno. A second list has those with their own rules.
#define FAIL_MINUS_ONE(X) X(socket) X(socketpair) X(bind) X(listen) X(connect) X(getsockname) X(getpeername) X(getsockopt) \
    X(setsockopt) X(shutdown) X(send) X(sendto) X(sendmsg) X(recv) X(recvfrom) X(recvmsg) X(writev) \
    X(pread) X(pread64) X(pwrite) X(poll) X(select) X(sendfile64) X(epoll_create1) X(epoll_wait) X(fcntl) \
    X(ioctl) X(open) X(openat) X(stat) X(lstat) X(fstat) X(fstatfs) X(access) X(chmod) X(fchmod) X(unlink) X(rename) \
    X(mkstemp) X(readlink) X(readlinkat) X(fsync) X(flock) X(signalfd) X(sigqueue) X(gethostname) X(getrlimit) X(setrlimit) \
    X(setpriority) X(getentropy) X(getifaddrs) X(mmap)
#define FAIL_NULL(X) X(fopen) X(opendir) X(readdir) X(if_indextoname) X(if_nametoindex)
// OpenSSL: with the error that a failed allocation leaves in its queue.
#define OPENSSL_NULL(X) X(BIO_new) X(BIO_new_mem_buf) X(SSL_new) X(SSL_CTX_new) X(SSL_get1_peer_certificate) X(X509_STORE_new) \
    X(X509_STORE_CTX_new) X(OPENSSL_sk_new_null) X(OPENSSL_sk_dup) X(PEM_read_bio_X509_AUX) X(PEM_read_bio_PrivateKey) \
    X(X509_chain_up_ref) X(X509_STORE_CTX_get1_chain) X(X509_STORE_CTX_get1_certs) X(X509_get_ext_d2i) X(X509_get0_pubkey) \
    X(d2i_OCSP_RESPONSE) X(OCSP_cert_to_id) X(OCSP_response_get1_basic) X(SHA256)
#define OPENSSL_ZERO(X) X(SSL_CTX_set_cipher_list) X(SSL_CTX_set_ciphersuites) X(SSL_CTX_use_certificate) \
    X(SSL_CTX_use_PrivateKey) X(X509_STORE_set_default_paths) X(X509_STORE_add_cert) X(SSL_CTX_add_client_CA) \
    X(X509_STORE_CTX_init) X(X509_STORE_CTX_set_default) X(X509_VERIFY_PARAM_set1_host) X(X509_VERIFY_PARAM_set1_ip) \
    X(X509_digest) X(EVP_Digest) X(ASN1_TIME_to_tm) X(X509_up_ref) X(OPENSSL_sk_push) X(OPENSSL_sk_insert) X(SSL_set_ex_data) \
    X(X509_check_private_key) X(OCSP_resp_find_status)
#define OPENSSL_MINUS_ONE(X) X(BIO_write) X(SSL_do_handshake) X(SSL_read) X(SSL_peek) X(SSL_write) X(SSL_shutdown) \
    X(i2d_X509) X(i2d_X509_PUBKEY) X(ASN1_STRING_to_UTF8) X(X509_NAME_print_ex) X(OBJ_obj2txt) X(X509_STORE_CTX_get1_issuer) \
    X(X509_verify) X(OCSP_basic_verify)
#define OPENSSL_ONE(X) X(SSL_set_alpn_protos)
#define LIBRARY_ZERO(X) X(MHD_create_response_from_buffer) X(MHD_create_response_from_buffer_with_free_callback_cls) \
    X(MHD_create_response_from_callback) X(MHD_add_response_header) X(MHD_queue_response) X(MHD_set_response_options) \
    X(MHD_set_connection_option) X(yaml_parser_initialize) \
    X(pcre2_compile_context_create_8) X(pcre2_match_context_create_8) X(pcre2_match_data_create_from_pattern_8)
#define CARES_NO_MEMORY(X) X(ares_library_init) X(ares_init_options) X(ares_set_servers_ports)
#define SPECIAL(X) X(read) X(write) X(eventfd) X(close) X(epoll_ctl) X(accept4) X(epoll_pwait2) X(openat2) X(statx) X(dup3) X(pthread_create) \
    X(pthread_attr_init) X(getnameinfo) X(SSL_CTX_ctrl) X(SSL_ctrl) X(X509_verify_cert) X(MHD_start_daemon) \
    X(MHD_add_connection) X(ares_query) X(idn2_lookup_u8) X(pcre2_compile_8) X(pcre2_match_8) X(yaml_parser_parse) \
    X(malloc) X(calloc) X(realloc) X(strdup) X(CRYPTO_malloc) X(CRYPTO_realloc)
#define FUNCTIONS(X) FAIL_MINUS_ONE(X) FAIL_NULL(X) OPENSSL_NULL(X) OPENSSL_ZERO(X) OPENSSL_MINUS_ONE(X) OPENSSL_ONE(X) \
    LIBRARY_ZERO(X) CARES_NO_MEMORY(X) SPECIAL(X)
#define FUNCTION_ID(name) ID_##name,
enum function { FUNCTIONS(FUNCTION_ID) FUNCTION_COUNT };
// The functions of OpenSSL are contiguous. Its own calls of them are not counted: they fail when an allocation does.
static int is_of_openssl(int function) { return function >= ID_BIO_new && function <= ID_SSL_set_alpn_protos; }
#define NAME(name) #name,
static const char *const names[] = {FUNCTIONS(NAME)};
#define OBJECT(id, object) object,
static const char *const objects[] = {CALLERS(OBJECT)};

// The page that the driver shares with connectd; shared_page.py has the same layout.
struct control {
    uint32_t function_count, caller_count;
    int32_t function, caller; // the armed call; -1: none
    int64_t ordinal;          // which call fails, from 1
    int32_t error;            // its errno
    int32_t is_persistent;    // whether the later calls fail too
    _Atomic int64_t injected; // how many calls failed
    int32_t descriptor;       // the first argument of the failed call
    char site[180];           // where it was called
    _Atomic int64_t live[CALLER_COUNT]; // allocations that were not freed
    _Atomic int64_t calls[FUNCTION_COUNT][CALLER_COUNT];
    char names[FUNCTION_COUNT][48];
    char objects[CALLER_COUNT][48];
};
static struct control *control;

static struct { uintptr_t start, end; int caller; } ranges[64];
static int range_count;

static int note_object(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    int caller = info->dlpi_name[0] == 0 || strstr(info->dlpi_name, "libswiftGlibc.so") ? PROGRAM : -1;
    for (int index = MICROHTTPD; index < CALLER_COUNT; index++)
        if (strstr(info->dlpi_name, objects[index]))
            caller = index;
    for (int index = 0; caller >= 0 && index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_X) == 0 || range_count == 64)
            continue;
        ranges[range_count].start = info->dlpi_addr + segment->p_vaddr;
        ranges[range_count].end = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        ranges[range_count++].caller = caller;
    }
    return 0;
}

static int caller_of(void *site)
{
    for (int index = 0; index < range_count; index++)
        if ((uintptr_t)site >= ranges[index].start && (uintptr_t)site < ranges[index].end)
            return ranges[index].caller;
    return -1;
}

static void note_site(void *site, const char *file, int line)
{
    Dl_info found;
    if (file)
        snprintf(control->site, sizeof control->site, "%s:%d", file, line);
    else if (dladdr(site, &found) && found.dli_fname) {
        const char *slash = strrchr(found.dli_fname, '/');
        snprintf(control->site, sizeof control->site, "%s+0x%lx", slash ? slash + 1 : found.dli_fname,
            (unsigned long)((uintptr_t)site - (uintptr_t)found.dli_fbase - 1));
    }
}

// Counts a call, and returns whether it must fail. Sets errno then.
static int fails_from(int function, int caller, void *site, long first, const char *file, int line)
{
    int64_t number = atomic_fetch_add(&control->calls[function][caller], 1) + 1;
    if (control->function != function || control->caller != caller)
        return 0;
    if (control->is_persistent ? number < control->ordinal : number != control->ordinal)
        return 0;
    if (atomic_fetch_add(&control->injected, 1) == 0) {
        control->descriptor = (int32_t)first;
        note_site(site, file, line);
    }
    errno = control->error;
    return 1;
}

static int fails(int function, void *site, long first)
{
    int caller = control ? caller_of(site) : -1;
    if (caller < 0 || ((caller == SSL || caller == CRYPTO) && is_of_openssl(function)))
        return 0;
    return fails_from(function, caller, site, first, NULL, 0);
}

typedef long generic(long, long, long, long, long, long, long, long);
static generic *reals[FUNCTION_COUNT];

static generic *real(int function)
{
    if (!reals[function])
        reals[function] = (generic *)dlsym(RTLD_NEXT, names[function]);
    return reals[function];
}

// What OpenSSL leaves in its error queue when an allocation fails: ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE).
static void leave_openssl_error(void)
{
    static void (*make)(void), (*debug)(const char *, int, const char *), (*set)(int, int, const char *, ...);
    if (!make) {
        make = (void (*)(void))dlsym(RTLD_DEFAULT, "ERR_new");
        debug = (void (*)(const char *, int, const char *))dlsym(RTLD_DEFAULT, "ERR_set_debug");
        set = (void (*)(int, int, const char *, ...))dlsym(RTLD_DEFAULT, "ERR_set_error");
    }
    make();
    debug("shim.c", __LINE__, "leave_openssl_error");
    set(20, 256 | (0x1 << 18) | (0x2 << 18), NULL);
}

// All arguments are integers or pointers, which the calling conventions of x86-64 and arm64 pass in the same places whether a
// function has them or not. So one type of function fits all, variadic ones with few arguments included.
#define PARAMETERS long a, long b, long c, long d, long e, long f, long g, long h
#define ARGUMENTS a, b, c, d, e, f, g, h
#define SITE __builtin_return_address(0)
#define DEFINE(name, failure) \
    long shim_##name(PARAMETERS) __asm__(#name); \
    __attribute__((visibility("default"))) long shim_##name(PARAMETERS) \
    { \
        if (__builtin_expect(fails(ID_##name, SITE, a), 0)) { failure; } \
        return real(ID_##name)(ARGUMENTS); \
    }
#define MINUS_ONE(name) DEFINE(name, return -1)
#define ZERO(name) DEFINE(name, return 0)
#define SSL_ZERO(name) DEFINE(name, leave_openssl_error(); return 0)
#define SSL_MINUS_ONE(name) DEFINE(name, leave_openssl_error(); return -1)
#define SSL_ONE(name) DEFINE(name, leave_openssl_error(); return 1)
#define ARES_ENOMEM(name) DEFINE(name, return 15)
FAIL_MINUS_ONE(MINUS_ONE)
FAIL_NULL(ZERO)
OPENSSL_NULL(SSL_ZERO)
OPENSSL_ZERO(SSL_ZERO)
OPENSSL_MINUS_ONE(SSL_MINUS_ONE)
OPENSSL_ONE(SSL_ONE)
LIBRARY_ZERO(ZERO)
CARES_NO_MEMORY(ARES_ENOMEM)
DEFINE(pthread_create, return errno)
DEFINE(pthread_attr_init, return errno)
DEFINE(getnameinfo, return -10)     // EAI_MEMORY
DEFINE(idn2_lookup_u8, return -100) // IDN2_MALLOC
DEFINE(pcre2_match_8, return -48)   // PCRE2_ERROR_NOMEMORY

// The descriptors of eventfd(2). A write(2) to one fails only if its counter is full, and then wakes the reader as well.
static _Atomic unsigned char is_event[4096];
long shim_eventfd(PARAMETERS) __asm__("eventfd");
__attribute__((visibility("default"))) long shim_eventfd(PARAMETERS)
{
    if (fails(ID_eventfd, SITE, a))
        return -1;
    int number = (int)real(ID_eventfd)(ARGUMENTS);
    if (number >= 0 && (unsigned)number < sizeof is_event)
        is_event[number] = 1;
    return number;
}
long shim_read(PARAMETERS) __asm__("read");
__attribute__((visibility("default"))) long shim_read(PARAMETERS)
{
    if ((unsigned long)a < sizeof is_event && is_event[a] && control && control->error != EINTR && control->error != EAGAIN)
        return real(ID_read)(ARGUMENTS);
    if (fails(ID_read, SITE, a))
        return -1;
    return real(ID_read)(ARGUMENTS);
}
long shim_write(PARAMETERS) __asm__("write");
__attribute__((visibility("default"))) long shim_write(PARAMETERS)
{
    if (((unsigned long)a >= sizeof is_event || !is_event[a]) && fails(ID_write, SITE, a))
        return -1;
    return real(ID_write)(ARGUMENTS);
}

// A failed close(2) closes the descriptor all the same.
long shim_close(PARAMETERS) __asm__("close");
__attribute__((visibility("default"))) long shim_close(PARAMETERS)
{
    if ((unsigned long)a < sizeof is_event)
        is_event[a] = 0;
    if (!fails(ID_close, SITE, a))
        return real(ID_close)(ARGUMENTS);
    int error = errno;
    real(ID_close)(ARGUMENTS);
    errno = error;
    return -1;
}
// The code of PCRE2's ERROR 121: failed to allocate heap memory. The fourth argument receives it.
DEFINE(pcre2_compile_8, *(int *)d = 121; return 0)
// YAML_MEMORY_ERROR is the first member of yaml_parser_t.
DEFINE(yaml_parser_parse, *(int *)a = 1; return 0)
// The library closes the socket in any case.
DEFINE(MHD_add_connection, real(ID_close)(b, 0, 0, 0, 0, 0, 0, 0); return 0)

// X509_V_ERR_OUT_OF_MEM
DEFINE(X509_verify_cert, {
    void (*set)(long, int) = (void (*)(long, int))dlsym(RTLD_DEFAULT, "X509_STORE_CTX_set_error");
    set(a, 17);
    leave_openssl_error();
    return -1;
})

// Only the commands that can fail: SSL_CTRL_EXTRA_CHAIN_CERT, CHAIN_CERT, SET_TLSEXT_HOSTNAME, SET_GROUPS(_LIST),
// SET_TLSEXT_STATUS_REQ_TYPE, SET_MIN_PROTO_VERSION, SET_MAX_PROTO_VERSION.
static int may_fail(long command)
{
    return command == 14 || command == 89 || command == 55 || command == 91 || command == 92 || command == 65
        || command == 123 || command == 124;
}
#define DEFINE_CONTROL(name) \
    long shim_##name(PARAMETERS) __asm__(#name); \
    __attribute__((visibility("default"))) long shim_##name(PARAMETERS) \
    { \
        if (may_fail(b) && fails(ID_##name, SITE, a)) { \
            leave_openssl_error(); \
            return 0; \
        } \
        return real(ID_##name)(ARGUMENTS); \
    }
DEFINE_CONTROL(SSL_CTX_ctrl)
DEFINE_CONTROL(SSL_ctrl)

// EPOLL_CTL_DEL and EPOLL_CTL_MOD of a registered descriptor cannot fail: they allocate nothing (fs/eventpoll.c of Linux).
long shim_epoll_ctl(PARAMETERS) __asm__("epoll_ctl");
__attribute__((visibility("default"))) long shim_epoll_ctl(PARAMETERS)
{
    if (b == EPOLL_CTL_ADD && fails(ID_epoll_ctl, SITE, c))
        return -1;
    return real(ID_epoll_ctl)(ARGUMENTS);
}

// The system calls that connectd makes without a function of the C library.
static int id_of_system_call(long number)
{
    switch (number) {
    case SYS_accept4: return ID_accept4;
    case SYS_epoll_pwait2: return ID_epoll_pwait2;
    case SYS_openat2: return ID_openat2;
    case SYS_statx: return ID_statx;
    case SYS_dup3: return ID_dup3;
    default: return -1;
    }
}
long shim_syscall(PARAMETERS) __asm__("syscall");
__attribute__((visibility("default"))) long shim_syscall(PARAMETERS)
{
    static generic *forward;
    if (!forward)
        forward = (generic *)dlsym(RTLD_NEXT, "syscall");
    int function = id_of_system_call(a);
    if (function >= 0 && fails(function, SITE, b))
        return -1;
    return forward(ARGUMENTS);
}

// ares_query(channel, name, class, type, callback, argument): a failure is a call of the callback with ARES_ENOMEM.
long shim_ares_query(PARAMETERS) __asm__("ares_query");
__attribute__((visibility("default"))) long shim_ares_query(PARAMETERS)
{
    if (fails(ID_ares_query, SITE, a)) {
        ((void (*)(long, int, int, void *, int))e)(f, 15, 0, NULL, 0);
        return 0;
    }
    return real(ID_ares_query)(ARGUMENTS);
}

// Its many variable arguments are on the stack, so they are copied with GCC's constructing calls.
void *shim_MHD_start_daemon(PARAMETERS) __asm__("MHD_start_daemon");
__attribute__((visibility("default"))) void *shim_MHD_start_daemon(PARAMETERS)
{
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (fails(ID_MHD_start_daemon, SITE, 0))
        return NULL;
    void *given = __builtin_apply_args();
    __builtin_return(__builtin_apply((void (*)())real(ID_MHD_start_daemon), given, 512));
}

// Allocations of the libraries. The program's own are not counted: Swift ends the process if memory runs out.
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

static int library_of(void *site)
{
    int caller = control ? caller_of(site) : -1;
    return caller == PROGRAM ? -1 : caller;
}

// The libraries' live allocations, by address: a function that ends with a jump to free(3) seems to be its caller.
#define TABLE_SIZE (1u << 17)
static struct { void *block; int caller; } table[TABLE_SIZE];
static atomic_flag table_lock = ATOMIC_FLAG_INIT;

static unsigned slot_of(void *block) { return (unsigned)(((uintptr_t)block >> 4) * 2654435761u) % TABLE_SIZE; }

static void lock_table(void)
{
    while (atomic_flag_test_and_set(&table_lock))
        ;
}

static void note_allocation(void *block, int caller)
{
    if (!block)
        return;
    lock_table();
    unsigned slot = slot_of(block);
    while (table[slot].block)
        slot = (slot + 1) % TABLE_SIZE;
    table[slot].block = block;
    table[slot].caller = caller;
    atomic_flag_clear(&table_lock);
    atomic_fetch_add(&control->live[caller], 1);
}

// Returns the library that allocated the block, or -1.
static int forget_allocation(void *block)
{
    int caller = -1;
    lock_table();
    unsigned slot = slot_of(block);
    while (table[slot].block && table[slot].block != block)
        slot = (slot + 1) % TABLE_SIZE;
    if (table[slot].block) {
        caller = table[slot].caller;
        // Later entries of the same chain move up, so that they are still found.
        unsigned hole = slot, next = (slot + 1) % TABLE_SIZE;
        for (; table[next].block; next = (next + 1) % TABLE_SIZE)
            if ((next - slot_of(table[next].block)) % TABLE_SIZE >= (next - hole) % TABLE_SIZE) {
                table[hole] = table[next];
                hole = next;
            }
        table[hole].block = NULL;
    }
    atomic_flag_clear(&table_lock);
    if (caller >= 0)
        atomic_fetch_add(&control->live[caller], -1);
    return caller;
}

#define DEFINE_ALLOCATION(name, type, parameters, call) \
    __attribute__((visibility("default"))) type name parameters \
    { \
        int caller = library_of(SITE); \
        if (caller < 0) \
            return call; \
        if (fails_from(ID_##name, caller, SITE, 0, NULL, 0)) \
            return NULL; \
        type result = call; \
        note_allocation(result, caller); \
        return result; \
    }
static char *copy_of(const char *text)
{
    char *copy = __libc_malloc(strlen(text) + 1);
    return copy ? strcpy(copy, text) : NULL;
}
DEFINE_ALLOCATION(malloc, void *, (size_t size), __libc_malloc(size))
DEFINE_ALLOCATION(calloc, void *, (size_t count, size_t size), __libc_calloc(count, size))
DEFINE_ALLOCATION(strdup, char *, (const char *text), copy_of(text))

__attribute__((visibility("default"))) void *realloc(void *block, size_t size)
{
    int caller = library_of(SITE);
    if (caller >= 0 && fails_from(ID_realloc, caller, SITE, 0, NULL, 0))
        return NULL;
    int former = control && block ? forget_allocation(block) : -1;
    void *result = __libc_realloc(block, size);
    if (former >= 0 || caller >= 0)
        note_allocation(result ? result : block, former >= 0 ? former : caller);
    return result;
}

__attribute__((visibility("default"))) void free(void *block)
{
    if (control && block)
        forget_allocation(block);
    __libc_free(block);
}

// CRYPTO_set_mem_functions(3): every allocation of OpenSSL, with the place in its source. It calls malloc(3) by name, which
// is that of the address sanitizer in a program with it.
// connectd sets its own functions, which count failures: they are called in any case, on failure with a size that is not available.
static void *(*own_malloc)(size_t, const char *, int) = NULL, *(*own_realloc)(void *, size_t, const char *, int) = NULL;
static void (*own_free)(void *, const char *, int) = NULL;

__attribute__((visibility("default"))) int CRYPTO_set_mem_functions(
    void *(*allocate)(size_t, const char *, int), void *(*reallocate)(void *, size_t, const char *, int),
    void (*release)(void *, const char *, int))
{
    own_malloc = allocate;
    own_realloc = reallocate;
    own_free = release;
    return 1;
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
    if (control && fails_from(ID_CRYPTO_malloc, CRYPTO, NULL, 0, file, line))
        return own_malloc ? own_malloc(PTRDIFF_MAX, file, line) : NULL;
    void *result = own_malloc ? own_malloc(size, file, line) : malloc(size);
    if (control && result)
        atomic_fetch_add(&control->live[CRYPTO], 1);
    return result;
}

static void *crypto_realloc(void *block, size_t size, const char *file, int line)
{
    if (control && fails_from(ID_CRYPTO_realloc, CRYPTO, NULL, 0, file, line))
        return own_realloc ? own_realloc(block, PTRDIFF_MAX, file, line) : NULL;
    void *result = own_realloc ? own_realloc(block, size, file, line) : realloc(block, size);
    if (control && !block && result)
        atomic_fetch_add(&control->live[CRYPTO], 1);
    return result;
}

static void crypto_free(void *block, const char *file, int line)
{
    if (control && block)
        atomic_fetch_add(&control->live[CRYPTO], -1);
    if (own_free)
        own_free(block, file, line);
    else
        free(block);
}

static int is_connectd(void)
{
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    const char *slash = strrchr(path, '/');
    return slash && strcmp(slash + 1, "connectd") == 0;
}

// Other programs inherit the variables, such as ip(8), which starts connectd in a namespace.
__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("TORTURE_CONTROL");
    if (!path || !is_connectd())
        return;
    generic *open_file = (generic *)dlsym(RTLD_NEXT, "open");
    generic *map = (generic *)dlsym(RTLD_NEXT, "mmap");
    int file = (int)open_file((long)path, O_RDWR | O_CLOEXEC, 0, 0, 0, 0, 0, 0);
    if (file < 0)
        _exit(99);
    struct control *page = (struct control *)map(0, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0, 0, 0);
    if (page == MAP_FAILED)
        _exit(99);
    ((generic *)dlsym(RTLD_NEXT, "close"))(file, 0, 0, 0, 0, 0, 0, 0);
    for (int index = 0; index < FUNCTION_COUNT; index++) {
        real(index);
        snprintf(page->names[index], sizeof page->names[index], "%s", names[index]);
    }
    for (int index = 0; index < CALLER_COUNT; index++)
        snprintf(page->objects[index], sizeof page->objects[index], "%s", objects[index]);
    page->function_count = FUNCTION_COUNT;
    page->caller_count = CALLER_COUNT;
    memset((void *)page->live, 0, sizeof page->live);
    dl_iterate_phdr(note_object, NULL);
    int (*set)(void *, void *, void *) = (int (*)(void *, void *, void *))dlsym(RTLD_NEXT, "CRYPTO_set_mem_functions");
    if (set && !set((void *)crypto_malloc, (void *)crypto_realloc, (void *)crypto_free))
        fprintf(stderr, "shim: OpenSSL has already allocated memory\n");
    control = page;
}
