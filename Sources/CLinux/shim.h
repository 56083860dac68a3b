#ifndef CONNECTD_CLINUX_H
#define CONNECTD_CLINUX_H
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif
