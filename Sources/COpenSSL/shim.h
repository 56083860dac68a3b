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

// Whether the TLS feature extension (RFC 7633) has status_request: 5, or 17 for RFC 6961.
static inline int connectd_must_staple(const X509 *certificate)
{
    TLS_FEATURE *features = (TLS_FEATURE *)X509_get_ext_d2i(certificate, NID_tlsfeature, NULL, NULL);
    int found = 0;
    for (int index = 0; index < sk_ASN1_INTEGER_num(features); index++) {
        long feature = ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, index));
        if (feature == TLSEXT_TYPE_status_request || feature == 17) found = 1;
    }
    sk_ASN1_INTEGER_pop_free(features, ASN1_INTEGER_free);
    return found;
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

// These flags are macros over macros, which Swift does not import. They are those of RFC 2253, without the escaping of
// characters that are not ASCII: these are printed as UTF-8.
static const unsigned long connectd_name_readable = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
static const unsigned long connectd_name_ascii = XN_FLAG_RFC2253;

// Connections: functions that configure or query an SSL_CTX or SSL are often macros over SSL_ctrl(3).

static inline int connectd_ssl_ctx_set_versions(SSL_CTX *context, int minimum, int maximum)
{
    return SSL_CTX_set_min_proto_version(context, minimum) && SSL_CTX_set_max_proto_version(context, maximum);
}

static inline void connectd_ssl_ctx_set_no_session_cache(SSL_CTX *context)
{
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline void connectd_ssl_ctx_set_mode(SSL_CTX *context, long mode)
{
    SSL_CTX_set_mode(context, mode);
}

// SSL_OP_… are macros with a cast, which Swift does not import.
static inline void connectd_ssl_ctx_set_client_options(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

static inline void connectd_ssl_ctx_allow_legacy_renegotiation(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT);
}

static inline void connectd_ssl_ctx_set_server_options(SSL_CTX *context)
{
    SSL_CTX_set_options(
        context,
        SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(context, 0);
}

static inline int connectd_ssl_set_server_name(SSL *ssl, const char *name)
{
    return SSL_set_tlsext_host_name(ssl, name) == 1;
}

static inline void connectd_ssl_ask_for_ocsp(SSL *ssl)
{
    SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}

// The stapled response in DER, owned by the SSL. Returns -1 if there is none.
static inline long connectd_ssl_get_ocsp(SSL *ssl, const unsigned char **response)
{
    return SSL_get_tlsext_status_ocsp_resp(ssl, response);
}

static inline int connectd_ssl_get_group(SSL *ssl)
{
    return (int)SSL_get_negotiated_group(ssl);
}

static inline int connectd_ssl_get_peer_key(SSL *ssl, EVP_PKEY **key)
{
    return SSL_get_peer_tmp_key(ssl, key) == 1;
}

// Index 0 belongs to the application in every SSL.
// Returns 0 if memory is short.
static inline int connectd_ssl_set_owner(SSL *ssl, void *owner)
{
    return SSL_set_app_data(ssl, owner);
}

static inline void *connectd_ssl_get_owner(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

static inline STACK_OF(X509) *connectd_x509_stack_new(void)
{
    return sk_X509_new_null();
}

// Takes its own reference. Returns 1, or 0 if memory is short.
static inline int connectd_x509_stack_push(STACK_OF(X509) *stack, X509 *certificate)
{
    if (!X509_up_ref(certificate))
        return 0;
    if (sk_X509_push(stack, certificate) > 0)
        return 1;
    X509_free(certificate);
    return 0;
}

static inline void connectd_x509_stack_free(STACK_OF(X509) *stack)
{
    sk_X509_pop_free(stack, X509_free);
}

// ERR_GET_REASON and ERR_GET_LIB are inline functions on Debian 12, and macros elsewhere.
static inline int connectd_err_reason(unsigned long error)
{
    return ERR_GET_REASON(error);
}

static inline int connectd_err_is_ssl(unsigned long error)
{
    return ERR_GET_LIB(error) == ERR_LIB_SSL;
}

// Whether an error is a lack of memory or of descriptors, or a failed read of a file: ours, whatever a peer has sent.
// ERR_R_MALLOC_FAILURE is a macro over macros. For a system error the reason is the errno.
static inline int connectd_err_is_shortage(unsigned long error)
{
    int reason = ERR_GET_REASON(error);
    if (ERR_GET_LIB(error) == ERR_LIB_SYS)
        return reason == ENOMEM || reason == EMFILE || reason == ENFILE || reason == EIO;
    return reason == ERR_R_MALLOC_FAILURE;
}

// X509_STORE_set_default_paths(3), which ignores every failure, and so may leave a store without authorities. A file or
// folder that does not exist is not a failure, nor is one without certificates. Returns 0 if memory or descriptors are short.
static inline int connectd_x509_store_add_system(X509_STORE *store)
{
    X509_LOOKUP *file = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (file == NULL)
        return 0;
    ERR_clear_error();
    X509_LOOKUP_load_file(file, NULL, X509_FILETYPE_DEFAULT);
    for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error())
        if (connectd_err_is_shortage(error))
            return 0;
    X509_LOOKUP *folder = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
    if (folder == NULL || X509_LOOKUP_add_dir(folder, NULL, X509_FILETYPE_DEFAULT) != 1)
        return 0;
    X509_LOOKUP *objects = X509_STORE_add_lookup(store, X509_LOOKUP_store());
    return objects != NULL && X509_LOOKUP_add_store(objects, NULL) == 1;
}
#endif
