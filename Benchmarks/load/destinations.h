/* The destinations of the checks: 127.1.0.1, 127.1.0.2 … so that no single one runs out of ephemeral ports. */
#ifndef DESTINATIONS_H
#define DESTINATIONS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>

enum { DESTINATION_LIMIT = 62500 };

static inline struct sockaddr_in destination(unsigned index, uint16_t port) {
    uint32_t address = (127u << 24) | (1u << 16) | (index / 250 << 8) | (index % 250 + 1);
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
}

#endif
