// c-ares, and what Swift cannot fill in by itself. Each inline says why it is here.
#ifndef CONNECTD_CARES_H
#define CONNECTD_CARES_H
#include <ares.h>
#include <netdb.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

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

// struct timeval's parts have types that differ between platforms; -1: nothing to wait for.
static inline int64_t connectd_ares_timeout_microseconds(ares_channel channel)
{
    struct timeval wait;
    if (!ares_timeout(channel, NULL, &wait))
        return -1;
    return (int64_t)wait.tv_sec * 1000000 + wait.tv_usec;
}
#endif
