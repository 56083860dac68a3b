#ifndef CONNECTD_SPECIFICATION_H
#define CONNECTD_SPECIFICATION_H
#include <stddef.h>
#include <stdint.h>

// openapi/openapi.yaml and openapi/openapi.json. Functions, since Swift does not import arrays of unknown size.
extern const size_t connectd_openapi_yaml_size;
extern const size_t connectd_openapi_json_size;
const uint8_t *connectd_openapi_yaml_start(void);
const uint8_t *connectd_openapi_json_start(void);

// The page that /docs shows, and the Content-Security-Policy that belongs to it.
extern const size_t connectd_docs_html_size;
extern const size_t connectd_docs_csp_size;
const uint8_t *connectd_docs_html_start(void);
const uint8_t *connectd_docs_csp_start(void);

#endif
