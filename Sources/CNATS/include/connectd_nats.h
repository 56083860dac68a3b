#ifndef CONNECTD_NATS_H
#define CONNECTD_NATS_H
#include <nats/nats.h>
#include <stdbool.h>

// Only the members of the table say whether they may be null.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-completeness"

// The functions of libnats that connectd calls. The library is loaded when a fleet is configured, so that a service
// without one has none of its pages and threads: X(result, name, parameters).
#define CONNECTD_NATS_FUNCTIONS(X)                                                                                     \
    X(const char *, natsStatus_GetText, (natsStatus status))                                                           \
    X(natsStatus, natsOptions_Create, (natsOptions **options))                                                         \
    X(natsStatus, natsOptions_SetServers, (natsOptions *options, const char **servers, int count))                     \
    X(natsStatus, natsOptions_SetUserInfo, (natsOptions *options, const char *user, const char *password))             \
    X(natsStatus, natsOptions_SetToken, (natsOptions *options, const char *token))                                     \
    X(natsStatus, natsOptions_SetUserCredentialsFromFiles,                                                             \
      (natsOptions *options, const char *credentials, const char *seed))                                               \
    X(natsStatus, natsOptions_SetName, (natsOptions *options, const char *name))                                       \
    X(natsStatus, natsOptions_SetSecure, (natsOptions *options, bool isSecure))                                        \
    X(natsStatus, natsOptions_SetCATrustedCertificates, (natsOptions *options, const char *certificates))              \
    X(natsStatus, natsOptions_LoadCertificatesChain, (natsOptions *options, const char *path, const char *keyPath))   \
    X(natsStatus, natsOptions_SetTimeout, (natsOptions *options, int64_t milliseconds))                                \
    X(natsStatus, natsOptions_SetMaxReconnect, (natsOptions *options, int count))                                      \
    X(natsStatus, natsOptions_SetReconnectWait, (natsOptions *options, int64_t milliseconds))                          \
    X(natsStatus, natsOptions_SetReconnectJitter, (natsOptions *options, int64_t milliseconds, int64_t ofTLS))         \
    X(natsStatus, natsOptions_SetSendAsap, (natsOptions *options, bool isSentAtOnce))                                  \
    X(natsStatus, natsOptions_SetPingInterval, (natsOptions *options, int64_t milliseconds))                           \
    X(natsStatus, natsOptions_SetMaxPingsOut, (natsOptions *options, int count))                                       \
    X(natsStatus, natsOptions_SetWriteDeadline, (natsOptions *options, int64_t milliseconds))                          \
    X(natsStatus, natsOptions_UseGlobalMessageDelivery, (natsOptions *options, bool isGlobal))                         \
    X(natsStatus, natsOptions_SetDisconnectedCB, (natsOptions *options, natsConnectionHandler handler, void *closure)) \
    X(natsStatus, natsOptions_SetReconnectedCB, (natsOptions *options, natsConnectionHandler handler, void *closure))  \
    X(natsStatus, natsOptions_SetClosedCB, (natsOptions *options, natsConnectionHandler handler, void *closure))       \
    X(natsStatus, natsOptions_SetErrorHandler, (natsOptions *options, natsErrHandler handler, void *closure))          \
    X(void, natsOptions_Destroy, (natsOptions *options))                                                               \
    X(natsStatus, natsConnection_Connect, (natsConnection **connection, natsOptions *options))                         \
    X(natsConnStatus, natsConnection_Status, (natsConnection *connection))                                             \
    X(natsStatus, natsConnection_PublishMsg, (natsConnection *connection, natsMsg *message))                           \
    X(natsStatus, natsConnection_GetConnectedUrl, (natsConnection *connection, char *buffer, size_t size))             \
    X(natsStatus, natsConnection_GetLastError, (natsConnection *connection, const char **text))                        \
    X(natsStatus, natsConnection_Subscribe,                                                                            \
      (natsSubscription **subscription, natsConnection *connection, const char *subject, natsMsgHandler handler,       \
       void *closure))                                                                                                 \
    X(natsStatus, natsConnection_QueueSubscribe,                                                                       \
      (natsSubscription **subscription, natsConnection *connection, const char *subject, const char *group,            \
       natsMsgHandler handler, void *closure))                                                                         \
    X(void, natsConnection_Close, (natsConnection *connection))                                                        \
    X(void, natsConnection_Destroy, (natsConnection *connection))                                                      \
    X(natsStatus, natsSubscription_SetPendingLimits, (natsSubscription *subscription, int messages, int bytes))        \
    X(natsStatus, natsSubscription_Drain, (natsSubscription *subscription))                                            \
    X(void, natsSubscription_Destroy, (natsSubscription *subscription))                                                \
    X(const char *, natsSubscription_GetSubject, (natsSubscription *subscription))                                     \
    X(natsStatus, natsMsg_Create,                                                                                      \
      (natsMsg **message, const char *subject, const char *reply, const char *data, int length))                       \
    X(const char *, natsMsg_GetSubject, (const natsMsg *message))                                                      \
    X(const char *, natsMsg_GetReply, (const natsMsg *message))                                                        \
    X(const char *, natsMsg_GetData, (const natsMsg *message))                                                         \
    X(int, natsMsg_GetDataLength, (const natsMsg *message))                                                            \
    X(bool, natsMsg_IsNoResponders, (natsMsg *message))                                                                \
    X(natsStatus, natsMsgHeader_Set, (natsMsg *message, const char *key, const char *value))                           \
    X(natsStatus, natsMsgHeader_Get, (natsMsg *message, const char *key, const char **value))                          \
    X(void, natsMsg_Destroy, (natsMsg *message))

// The addresses of these functions, by their names.
struct connectd_nats {
#define CONNECTD_NATS_MEMBER(result, name, parameters) result(*_Nonnull name) parameters;
    CONNECTD_NATS_FUNCTIONS(CONNECTD_NATS_MEMBER)
#undef CONNECTD_NATS_MEMBER
};

// Loads libnats with dlopen(3), once for the process.
// Returns NULL and the reason in `reason`, a static or thread-local string, if it is missing or too old.
const struct connectd_nats *_Nullable connectd_nats_load(const char *_Nullable *_Nonnull reason);

#pragma clang diagnostic pop

#endif
