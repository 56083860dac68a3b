#ifndef CONNECTD_COPENSSL_H
#define CONNECTD_COPENSSL_H
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// Certificates, their reports, and stapled OCSP responses.

// STACK_OF(…) and what works on it are macros.
static inline int connectd_certificate_count(const STACK_OF(X509) *chain)
{
    return sk_X509_num(chain);
}

static inline X509 *connectd_certificate_at(const STACK_OF(X509) *chain, int index)
{
    return sk_X509_value(chain, index);
}

static inline int connectd_general_name_count(const GENERAL_NAMES *names)
{
    return sk_GENERAL_NAME_num(names);
}

static inline const GENERAL_NAME *connectd_general_name_at(const GENERAL_NAMES *names, int index)
{
    return sk_GENERAL_NAME_value(names, index);
}

// SSL_CTX_add1_chain_cert is a macro over SSL_CTX_ctrl, which takes the certificate as a void pointer.
static inline long connectd_add_chain_certificate(SSL_CTX *context, X509 *certificate)
{
    return SSL_CTX_add1_chain_cert(context, certificate);
}

// BIO_get_mem_data is a macro over BIO_ctrl.
static inline long connectd_memory_of(BIO *bio, char **start)
{
    return BIO_get_mem_data(bio, start);
}

// These flags are macros over macros, which do not arrive in Swift. What is left out of RFC 2253: characters that are not
// ASCII stand as UTF-8.
static const unsigned long connectd_name_readable = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
static const unsigned long connectd_name_ascii = XN_FLAG_RFC2253;
#endif
