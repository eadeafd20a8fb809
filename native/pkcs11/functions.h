/* SPDX-License-Identifier: MIT */
#ifndef PHONETRUST_PKCS11_FUNCTIONS_H
#define PHONETRUST_PKCS11_FUNCTIONS_H

#include <p11-kit/pkcs11.h>

/* The table of functions by which programs call the module. */
CK_FUNCTION_LIST *functions(void);

#endif
