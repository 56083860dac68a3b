#ifndef CONNECTD_COPENSSL_H
#define CONNECTD_COPENSSL_H
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#endif
