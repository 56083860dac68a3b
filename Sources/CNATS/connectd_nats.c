#include "include/connectd_nats.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

// Each member has the type that the library's header declares.
#define CONNECTD_NATS_TYPE(result, name, parameters)                                                                   \
    _Static_assert(__builtin_types_compatible_p(__typeof__(&name), __typeof__(((struct connectd_nats *)0)->name)),     \
                   #name " has another type in nats.h");
CONNECTD_NATS_FUNCTIONS(CONNECTD_NATS_TYPE)
#undef CONNECTD_NATS_TYPE

static struct connectd_nats table;
static char failure[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void note_failure(void) {
    const char *text = dlerror();
    strncpy(failure, text ? text : "unknown error of dlopen", sizeof failure - 1);
}

static void load(void) {
    // The version whose header this file was compiled with.
    void *library = dlopen("libnats.so.3.4", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return note_failure();
    const struct {
        const char *name;
        size_t offset;
    } symbols[] = {
#define CONNECTD_NATS_SYMBOL(result, name, parameters) {#name, offsetof(struct connectd_nats, name)},
        CONNECTD_NATS_FUNCTIONS(CONNECTD_NATS_SYMBOL)
#undef CONNECTD_NATS_SYMBOL
    };
    for (size_t index = 0; index < sizeof symbols / sizeof symbols[0]; index++) {
        void *address = dlsym(library, symbols[index].name);
        if (address == NULL) return note_failure();
        memcpy((char *)&table + symbols[index].offset, &address, sizeof address);
    }
}

const struct connectd_nats *connectd_nats_load(const char **reason) {
    pthread_once(&once, load);
    *reason = failure;
    return failure[0] == 0 ? &table : NULL;
}
