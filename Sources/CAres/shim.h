#ifndef CONNECTD_CARES_H
#define CONNECTD_CARES_H
#include <ares.h>
#include <netdb.h>
#endif
