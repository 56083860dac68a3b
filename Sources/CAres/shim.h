// c-ares, and the parts of its API that Swift cannot use directly. The comment at each inline function says why it is
// needed.
#ifndef CONNECTD_CARES_H
#define CONNECTD_CARES_H
// c-ares 1.34 deprecates functions for which 1.18 has no replacement.
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <netdb.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

// Macros in c-ares 1.18. Later versions have an enumeration, but their functions still return int.
static const int connectd_ares_success = ARES_SUCCESS;
static const int connectd_ares_not_found = ARES_ENOTFOUND;
static const int connectd_ares_bad_name = ARES_EBADNAME;
static const int connectd_ares_timed_out = ARES_ETIMEOUT;
static const int connectd_ares_no_memory = ARES_ENOMEM;
static const int connectd_ares_refused = ARES_ECONNREFUSED;
static const int connectd_ares_cancelled = ARES_ECANCELLED;
static const int connectd_ares_destroyed = ARES_EDESTRUCTION;

// From 1.31 on, c-ares caches answers unless it is told not to. Each check must send its own query.
// Returns the bit for ares_init_options' mask; 0 if c-ares has no cache.
static inline int connectd_ares_without_cache(struct ares_options *options)
{
#ifdef ARES_OPT_QUERY_CACHE
    options->qcache_max_ttl = 0;
    return ARES_OPT_QUERY_CACHE;
#else
    (void)options;
    return 0;
#endif
}

// struct ares_addr_port_node holds the address in an anonymous union. The address is 4 or 16 bytes in network order.
static inline int connectd_ares_set_server(ares_channel channel, const uint8_t *address, size_t length, uint16_t port)
{
    struct ares_addr_port_node node = {.udp_port = port, .tcp_port = port};
    node.family = length == 4 ? AF_INET : AF_INET6;
    if (length != 4 && length != 16)
        return ARES_EBADFAMILY;
    memcpy(&node.addr, address, length);
    return ares_set_servers_ports(channel, &node);
}

// The members of struct timeval have types that differ between platforms. -1: no time limit.
static inline int64_t connectd_ares_timeout_microseconds(ares_channel channel)
{
    struct timeval wait;
    if (!ares_timeout(channel, NULL, &wait))
        return -1;
    return (int64_t)wait.tv_sec * 1000000 + wait.tv_usec;
}
#endif
