#ifndef CONNECTD_CYAML_H
#define CONNECTD_CYAML_H
#include <yaml.h>
#endif
