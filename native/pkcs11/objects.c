/* SPDX-License-Identifier: MIT */
/* The objects of a view, and their attributes (PKCS #11 2.40, 4.6 to 4.9). */
#include <string.h>

#include "module.h"

/* A handle is made of generation and index. 0 is not a handle. */
#define HANDLE_BASE 8

CK_OBJECT_HANDLE object_handle(const struct view *view, unsigned index) {
    return view->generation * HANDLE_BASE + index + 1;
}

int object_index(const struct view *view, CK_OBJECT_HANDLE handle) {
    for (unsigned i = 0; i < view->count * OBJECTS_OF_IDENTITY; i++)
        if (object_handle(view, i) == handle)
            return (int)i;
    return -1;
}

CK_OBJECT_CLASS object_class(unsigned index) {
    static const CK_OBJECT_CLASS classes[OBJECTS_OF_IDENTITY] = {CKO_CERTIFICATE, CKO_PUBLIC_KEY,
                                                                 CKO_PRIVATE_KEY};
    return classes[index % OBJECTS_OF_IDENTITY];
}

/* The value of an attribute: bytes elsewhere, or a number or flag in this struct. */
struct value {
    struct part bytes;
    CK_ULONG number;
    CK_BBOOL flag;
    CK_MECHANISM_TYPE list[12];
};

static bool give_bytes(struct value *value, struct part bytes) {
    value->bytes = bytes;
    return true;
}

static bool give_text(struct value *value, const char *text) {
    return give_bytes(value, (struct part){(const uint8_t *)text, strlen(text)});
}

static bool give_number(struct value *value, CK_ULONG number) {
    value->number = number;
    return give_bytes(value, (struct part){(const uint8_t *)&value->number, sizeof value->number});
}

static bool give_flag(struct value *value, bool flag) {
    value->flag = flag ? CK_TRUE : CK_FALSE;
    return give_bytes(value, (struct part){&value->flag, sizeof value->flag});
}

static bool give_mechanisms(struct value *value, CK_KEY_TYPE type) {
    size_t count = 0;
    for (unsigned i = 0; i < mechanisms_count && count < sizeof value->list / sizeof *value->list; i++)
        if (mechanisms[i].key_type == type)
            value->list[count++] = mechanisms[i].type;
    return give_bytes(value, (struct part){(const uint8_t *)value->list, count * sizeof *value->list});
}

static const char *label(const struct identity *identity) {
    return strcmp(identity->told.key, "lsc") == 0 ? "LSC" : "MIC";
}

/* The attributes that all three objects have. */
static bool common(const struct identity *identity, CK_ATTRIBUTE_TYPE type, struct value *value) {
    switch (type) {
    case CKA_TOKEN:
        return give_flag(value, true);
    case CKA_PRIVATE:
    case CKA_MODIFIABLE:
    case CKA_COPYABLE:
        return give_flag(value, false);
    case CKA_DESTROYABLE:
        return give_flag(value, false);
    case CKA_LABEL:
        return give_text(value, label(identity));
    case CKA_ID:
        return give_bytes(value, (struct part){identity->id, sizeof identity->id});
    case CKA_SUBJECT:
        return give_bytes(value, identity->subject);
    case CKA_START_DATE:
        return give_bytes(value, (struct part){(const uint8_t *)&identity->start, sizeof identity->start});
    case CKA_END_DATE:
        return give_bytes(value, (struct part){(const uint8_t *)&identity->end, sizeof identity->end});
    case CKA_PUBLIC_KEY_INFO:
        return give_bytes(value, identity->public_key);
    default:
        return false;
    }
}

static bool of_certificate(const struct identity *identity, CK_ATTRIBUTE_TYPE type, struct value *value) {
    switch (type) {
    case CKA_CERTIFICATE_TYPE:
        return give_number(value, CKC_X_509);
    case CKA_CERTIFICATE_CATEGORY:
        return give_number(value, 1); /* category 1: of a token user */
    case CKA_TRUSTED:
        return give_flag(value, false);
    case CKA_ISSUER:
        return give_bytes(value, identity->issuer);
    case CKA_SERIAL_NUMBER:
        return give_bytes(value, identity->serial);
    case CKA_VALUE:
        return give_bytes(value, (struct part){identity->told.certificate, identity->told.length});
    default:
        return false;
    }
}

/* The public numbers, which both keys have as attributes. */
static bool of_key(const struct identity *identity, CK_ATTRIBUTE_TYPE type, struct value *value) {
    bool rsa = identity->key_type == CKK_RSA;
    switch (type) {
    case CKA_KEY_TYPE:
        return give_number(value, identity->key_type);
    case CKA_DERIVE:
    case CKA_LOCAL:
        return give_flag(value, false);
    case CKA_KEY_GEN_MECHANISM:
        return give_number(value, CK_UNAVAILABLE_INFORMATION);
    case CKA_MODULUS:
        return rsa && give_bytes(value, identity->modulus);
    case CKA_PUBLIC_EXPONENT:
        return rsa && give_bytes(value, identity->exponent);
    case CKA_EC_PARAMS:
        return !rsa && give_bytes(value, identity->curve);
    case CKA_EC_POINT: /* not in a private key by the standard; OpenSSL's provider finds the public half by it
                        */
        return !rsa && give_bytes(value, identity->point);
    default:
        return false;
    }
}

static bool of_public_key(const struct identity *identity, CK_ATTRIBUTE_TYPE type, struct value *value) {
    switch (type) {
    case CKA_ENCRYPT:
    case CKA_VERIFY: /* a program verifies with its own library, because the public key needs no agent */
    case CKA_VERIFY_RECOVER:
    case CKA_WRAP:
    case CKA_TRUSTED:
        return give_flag(value, false);
    case CKA_MODULUS_BITS:
        return identity->key_type == CKK_RSA && give_number(value, identity->bits);
    default:
        return false;
    }
}

static bool of_private_key(const struct identity *identity, CK_ATTRIBUTE_TYPE type, struct value *value) {
    switch (type) {
    case CKA_SIGN:
    case CKA_SENSITIVE:
    case CKA_ALWAYS_SENSITIVE:
    case CKA_NEVER_EXTRACTABLE:
        return give_flag(value, true);
    case CKA_DECRYPT:
    case CKA_SIGN_RECOVER:
    case CKA_UNWRAP:
    case CKA_EXTRACTABLE:
    case CKA_WRAP_WITH_TRUSTED:
    case CKA_ALWAYS_AUTHENTICATE:
        return give_flag(value, false);
    case CKA_ALLOWED_MECHANISMS:
        return give_mechanisms(value, identity->key_type);
    default:
        return false;
    }
}

static bool is_secret(CK_OBJECT_CLASS class, CK_ATTRIBUTE_TYPE type) {
    if (class != CKO_PRIVATE_KEY)
        return false;
    switch (type) {
    case CKA_VALUE:
    case CKA_PRIVATE_EXPONENT:
    case CKA_PRIME_1:
    case CKA_PRIME_2:
    case CKA_EXPONENT_1:
    case CKA_EXPONENT_2:
    case CKA_COEFFICIENT:
        return true;
    default:
        return false;
    }
}

/* Get the value of an attribute. False if the object does not have it. */
static bool attribute(const struct view *view, unsigned index, CK_ATTRIBUTE_TYPE type, struct value *value) {
    const struct identity *identity = &view->identities[index / OBJECTS_OF_IDENTITY];
    CK_OBJECT_CLASS class = object_class(index);
    if (type == CKA_CLASS)
        return give_number(value, class);
    if (common(identity, type, value))
        return true;
    if (class == CKO_CERTIFICATE)
        return of_certificate(identity, type, value);
    return of_key(identity, type, value) || (class == CKO_PUBLIC_KEY ? of_public_key(identity, type, value)
                                                                     : of_private_key(identity, type, value));
}

bool object_matches(const struct view *view, unsigned index, const CK_ATTRIBUTE *attributes, CK_ULONG count) {
    for (CK_ULONG i = 0; i < count; i++) {
        struct value value;
        if (!attribute(view, index, attributes[i].type, &value) ||
            value.bytes.length != attributes[i].ulValueLen)
            return false;
        if (value.bytes.length != 0 &&
            (attributes[i].pValue == NULL ||
             memcmp(value.bytes.at, attributes[i].pValue, value.bytes.length) != 0))
            return false;
    }
    return true;
}

/* Fill in an attribute that a program asks for. */
static CK_RV fill(const struct view *view, unsigned index, CK_ATTRIBUTE *wanted) {
    struct value value;
    CK_RV result = CKR_OK;
    if (is_secret(object_class(index), wanted->type))
        result = CKR_ATTRIBUTE_SENSITIVE;
    else if (!attribute(view, index, wanted->type, &value))
        result = CKR_ATTRIBUTE_TYPE_INVALID;
    else if (wanted->pValue != NULL && wanted->ulValueLen < value.bytes.length)
        result = CKR_BUFFER_TOO_SMALL;
    if (result != CKR_OK) {
        wanted->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return result;
    }
    if (wanted->pValue != NULL && value.bytes.length != 0)
        memcpy(wanted->pValue, value.bytes.at, value.bytes.length);
    wanted->ulValueLen = value.bytes.length;
    return CKR_OK;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes,
                          CK_ULONG count) {
    struct session *session;
    CK_RV result = session_enter(handle, &session);
    if (result != CKR_OK)
        return result;
    int index = object_index(session->view, object);
    if (index < 0)
        return module_leave(CKR_OBJECT_HANDLE_INVALID);
    if (attributes == NULL && count != 0)
        return module_leave(CKR_ARGUMENTS_BAD);
    for (CK_ULONG i = 0; i < count; i++) { /* an error in one attribute does not stop the others */
        CK_RV one = fill(session->view, (unsigned)index, &attributes[i]);
        if (result == CKR_OK)
            result = one;
    }
    return module_leave(result);
}
