// libidn2: internationalized domain names.
#ifndef CONNECTD_IDN2_H
#define CONNECTD_IDN2_H
#include <idn2.h>
#include <stdint.h>

// The flags are enumerators of one type and the parameter is an int. A name that follows only IDNA2008 (RFC 5891), and
// one that is mapped by UTS 46 first.
static const int connectd_idn2_strict = IDN2_NO_TR46;
static const int connectd_idn2_mapped = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
#endif
