// The OpenAPI documents, byte for byte as in openapi/, embedded in the program. So a build needs no second copy, and a
// container no file besides the program.
#include "specification.h"

// #embed is part of C23, which only this file needs. The compiler of Swift 6.3 supports it in every mode.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t connectd_openapi_yaml[] = {
#embed "../../openapi/openapi.yaml"
};
const size_t connectd_openapi_yaml_size = sizeof connectd_openapi_yaml;

static const uint8_t connectd_openapi_json[] = {
#embed "../../openapi/openapi.json"
};
const size_t connectd_openapi_json_size = sizeof connectd_openapi_json;

static const uint8_t connectd_docs_html[] = {
#embed "../../openapi/docs.html"
};
const size_t connectd_docs_html_size = sizeof connectd_docs_html;

static const uint8_t connectd_docs_csp[] = {
#embed "../../openapi/docs.csp"
};
const size_t connectd_docs_csp_size = sizeof connectd_docs_csp;

const uint8_t *connectd_docs_html_start(void) { return connectd_docs_html; }
const uint8_t *connectd_docs_csp_start(void) { return connectd_docs_csp; }
const uint8_t *connectd_openapi_yaml_start(void) { return connectd_openapi_yaml; }
const uint8_t *connectd_openapi_json_start(void) { return connectd_openapi_json; }

#include <stddef.h>

extern char **environ;

/* Swift's runtime reads environ before main, and does not check for NULL. A preloaded library that calls clearenv(3) sets
   it to NULL. A constructor with a priority runs before those without one. */
__attribute__((constructor(101))) static void keep_an_environment(void) {
    static char *none[] = {NULL};
    if (environ == NULL) environ = none;
}
