/* SPDX-License-Identifier: MIT */
/* C11 alone has no pthread_atfork and getpid. */
#define _GNU_SOURCE
/* The module as a whole: its start and end, fork, the slot and the token. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "functions.h"
#include "module.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t owner;  /* the process that called C_Initialize; 0: none */
static bool forking; /* the handlers below are registered */

/* fork copies the process while the lock is held, so the child finds a consistent state. */
static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork(void) { pthread_mutex_unlock(&lock); }

CK_RV module_enter(void) {
    pthread_mutex_lock(&lock);
    if (owner != 0 && owner == getpid())
        return CKR_OK;
    pthread_mutex_unlock(&lock);
    return CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV module_leave(CK_RV result) {
    pthread_mutex_unlock(&lock);
    return result;
}

static CK_RV initialize(void) {
    if (owner == getpid())
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    if (!forking && pthread_atfork(before_fork, after_fork, after_fork) != 0)
        return CKR_HOST_MEMORY;
    forking = true;
    session_close_all(); /* closes the child's copies; the parent's sessions go on */
    owner = getpid();
    return CKR_OK;
}

CK_RV C_Initialize(void *init_args) {
    const CK_C_INITIALIZE_ARGS *arguments = init_args;
    if (arguments != NULL) {
        int given = (arguments->CreateMutex != NULL) + (arguments->DestroyMutex != NULL) +
                    (arguments->LockMutex != NULL) + (arguments->UnlockMutex != NULL);
        if (arguments->pReserved != NULL || (given != 0 && given != 4))
            return CKR_ARGUMENTS_BAD;
        if (given == 4 && (arguments->flags & CKF_OS_LOCKING_OK) == 0)
            return CKR_CANT_LOCK; /* the module can use only the system's own locks */
    }
    pthread_mutex_lock(&lock);
    return module_leave(initialize());
}

CK_RV C_Finalize(void *reserved) {
    CK_RV result = module_enter();
    if (result != CKR_OK)
        return result;
    if (reserved != NULL)
        return module_leave(CKR_ARGUMENTS_BAD);
    session_close_all();
    owner = 0;
    return module_leave(CKR_OK);
}

/* Write text padded with blanks and without a NUL, as PKCS #11 wants it. */
static void pad(unsigned char *out, size_t size, const char *text) {
    size_t length = strlen(text);
    memset(out, ' ', size);
    memcpy(out, text, length < size ? length : size);
}

CK_RV C_GetInfo(CK_INFO *info) {
    CK_RV result = module_enter();
    if (result != CKR_OK)
        return result;
    if (info == NULL)
        return module_leave(CKR_ARGUMENTS_BAD);
    memset(info, 0, sizeof *info);
    info->cryptokiVersion = (CK_VERSION){2, 40};
    info->libraryVersion = (CK_VERSION){0, 2};
    pad(info->manufacturerID, sizeof info->manufacturerID, "phonetrust");
    pad(info->libraryDescription, sizeof info->libraryDescription, "the phone's trust agent");
    return module_leave(CKR_OK);
}

CK_RV C_GetSlotList(unsigned char token_present, CK_SLOT_ID *slots, CK_ULONG *count) {
    (void)token_present; /* the token cannot be removed, so it is always there (2.40, CKF_TOKEN_PRESENT) */
    CK_RV result = module_enter();
    if (result != CKR_OK)
        return result;
    if (count == NULL)
        return module_leave(CKR_ARGUMENTS_BAD);
    if (slots != NULL && *count < 1)
        result = CKR_BUFFER_TOO_SMALL;
    else if (slots != NULL)
        slots[0] = SLOT;
    *count = 1;
    return module_leave(result);
}

static CK_RV enter_slot(CK_SLOT_ID slot, const void *out) {
    CK_RV result = module_enter();
    if (result != CKR_OK)
        return result;
    if (slot != SLOT)
        return module_leave(CKR_SLOT_ID_INVALID);
    return out == NULL ? module_leave(CKR_ARGUMENTS_BAD) : CKR_OK;
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info) {
    CK_RV result = enter_slot(slot, info);
    if (result != CKR_OK)
        return result;
    memset(info, 0, sizeof *info);
    pad(info->slotDescription, sizeof info->slotDescription, "the phone's trust agent");
    pad(info->manufacturerID, sizeof info->manufacturerID, "phonetrust");
    info->flags = CKF_TOKEN_PRESENT;
    return module_leave(CKR_OK);
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info) {
    CK_RV result = enter_slot(slot, info);
    if (result != CKR_OK)
        return result;
    memset(info, 0, sizeof *info);
    pad(info->label, sizeof info->label, "phonetrust");
    pad(info->manufacturerID, sizeof info->manufacturerID, "phonetrust");
    pad(info->model, sizeof info->model, "trust agent");
    pad(info->serialNumber, sizeof info->serialNumber, "1");
    pad(info->utcTime, sizeof info->utcTime, "");
    info->flags = CKF_TOKEN_INITIALIZED | CKF_WRITE_PROTECTED;
    info->ulMaxSessionCount = SESSIONS;
    info->ulSessionCount = session_count();
    info->ulTotalPublicMemory = info->ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
    info->ulTotalPrivateMemory = info->ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
    return module_leave(CKR_OK);
}

CK_RV C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count) {
    CK_RV result = enter_slot(slot, count);
    if (result != CKR_OK)
        return result;
    if (list != NULL && *count < mechanisms_count)
        result = CKR_BUFFER_TOO_SMALL;
    for (unsigned i = 0; list != NULL && result == CKR_OK && i < mechanisms_count; i++)
        list[i] = mechanisms[i].type;
    *count = mechanisms_count;
    return module_leave(result);
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info) {
    CK_RV result = enter_slot(slot, info);
    if (result != CKR_OK)
        return result;
    const struct mechanism *known = mechanism_find(type);
    if (known == NULL)
        return module_leave(CKR_MECHANISM_INVALID);
    bool rsa = known->key_type == CKK_RSA;
    info->ulMinKeySize = rsa ? 1024 : 256;
    info->ulMaxKeySize = rsa ? 4096 : 521;
    info->flags = CKF_SIGN | (rsa ? 0 : CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS);
    return module_leave(CKR_OK);
}

CK_RV C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, unsigned char *pin, CK_ULONG length) {
    (void)user;
    (void)pin;
    (void)length;
    struct session *session;
    CK_RV result = session_enter(handle, &session);
    /* There is no PIN, because the agent decides which programs may use the key. */
    return result != CKR_OK ? result : module_leave(CKR_USER_PIN_NOT_INITIALIZED);
}

CK_RV C_Logout(CK_SESSION_HANDLE handle) {
    struct session *session;
    CK_RV result = session_enter(handle, &session);
    return result != CKR_OK ? result : module_leave(CKR_USER_NOT_LOGGED_IN);
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved) {
    (void)slot;
    (void)reserved;
    CK_RV result = module_enter();
    if (result != CKR_OK)
        return result;
    return module_leave((flags & CKF_DONT_BLOCK) != 0 ? CKR_NO_EVENT : CKR_FUNCTION_NOT_SUPPORTED);
}

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list) {
    if (list == NULL)
        return CKR_ARGUMENTS_BAD;
    *list = functions();
    return CKR_OK;
}
