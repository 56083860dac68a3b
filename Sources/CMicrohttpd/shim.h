#ifndef CONNECTD_CMICROHTTPD_H
#define CONNECTD_CMICROHTTPD_H
#include <microhttpd.h>
#endif
