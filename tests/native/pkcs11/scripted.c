/* SPDX-License-Identifier: MIT */
/*
 * A program that uses the module by commands from its standard input, for tests/native/test_pkcs11.py. For
 * each line it prints one: the result as a number in hexadecimal, and what was given, bytes in hexadecimal
 * digits.
 *
 *   init [lock|mutexes|reserved]  finalize  open [FLAGS]  close  closeall  use N (the Nth session that was
 * opened) find CLASS [LABEL] (-1: any; the first that is found is the object from then on)  object HANDLE get
 * TYPE [CAPACITY] start MECHANISM [HASH MGF SALT]  sign HEX [CAPACITY]  update HEX  final [CAPACITY]  length
 * HEX fork (go on in a child, the parent after it)  end (of the child)  closefiles  info  login  threads
 * COUNT
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define MOST 128

static CK_FUNCTION_LIST *module;
static CK_SESSION_HANDLE sessions[MOST];
static unsigned opened, used;
static CK_OBJECT_HANDLE object;

static void print_hex(const unsigned char *bytes, size_t length) {
    printf(" ");
    for (size_t i = 0; i < length; i++)
        printf("%02x", bytes[i]);
}

/* Hexadecimal digits as bytes in a block of exactly that size, so that sanitizers see every byte beyond it.
 */
static unsigned char *bytes_of(const char *hex, CK_ULONG *length) {
    *length = hex == NULL || strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;
    unsigned char *bytes = malloc(*length != 0 ? *length : 1);
    if (bytes == NULL)
        abort();
    for (CK_ULONG i = 0; i < *length; i++) {
        unsigned value = 0;
        if (sscanf(hex + 2 * i, "%2x", &value) != 1)
            abort();
        bytes[i] = (unsigned char)value;
    }
    return bytes;
}

static CK_RV no_mutex(void *mutex) {
    (void)mutex;
    return CKR_OK;
}

static CK_RV new_mutex(void **mutex) {
    *mutex = NULL;
    return CKR_OK;
}

static CK_RV init(const char *how) {
    CK_C_INITIALIZE_ARGS arguments = {0};
    if (how == NULL)
        return module->C_Initialize(NULL);
    if (strcmp(how, "lock") == 0)
        arguments.flags = CKF_OS_LOCKING_OK;
    if (strcmp(how, "reserved") == 0)
        arguments.pReserved = &arguments;
    if (strcmp(how, "mutexes") == 0) {
        arguments.CreateMutex = new_mutex;
        arguments.DestroyMutex = arguments.LockMutex = arguments.UnlockMutex = no_mutex;
    }
    return module->C_Initialize(&arguments);
}

static CK_RV find(CK_OBJECT_CLASS class, char *label, CK_ULONG *count) {
    CK_ATTRIBUTE wanted[2];
    CK_ULONG conditions = 0;
    CK_OBJECT_HANDLE found[16];
    if (class != (CK_OBJECT_CLASS)-1)
        wanted[conditions++] = (CK_ATTRIBUTE){CKA_CLASS, &class, sizeof class};
    if (label != NULL)
        wanted[conditions++] = (CK_ATTRIBUTE){CKA_LABEL, label, strlen(label)};
    *count = 0;
    CK_RV result = module->C_FindObjectsInit(sessions[used], wanted, conditions);
    if (result != CKR_OK)
        return result;
    CK_ULONG given;
    do { /* two at a time: programs ask again until nothing comes */
        result = module->C_FindObjects(sessions[used], found + *count, 2, &given);
        *count += given;
    } while (result == CKR_OK && given != 0 && *count < 14);
    module->C_FindObjectsFinal(sessions[used]);
    if (*count != 0)
        object = found[0];
    return result;
}

static void get(CK_ATTRIBUTE_TYPE type, const char *capacity) {
    CK_ATTRIBUTE wanted = {type, NULL, 0};
    CK_RV result = module->C_GetAttributeValue(sessions[used], object, &wanted, 1);
    if (result == CKR_OK) {
        CK_ULONG length = capacity != NULL ? (CK_ULONG)atol(capacity) : wanted.ulValueLen;
        wanted.pValue = malloc(length != 0 ? length : 1);
        wanted.ulValueLen = length;
        result = module->C_GetAttributeValue(sessions[used], object, &wanted, 1);
    }
    printf("%lx", result);
    if (result == CKR_OK)
        print_hex(wanted.pValue, wanted.ulValueLen);
    else if (wanted.ulValueLen != CK_UNAVAILABLE_INFORMATION)
        printf(" %lu", wanted.ulValueLen);
    free(wanted.pValue);
}

static CK_RV start(char *const *words) {
    CK_RSA_PKCS_PSS_PARAMS pss = {0, 0, 0};
    CK_MECHANISM mechanism = {strtoul(words[1], NULL, 0), NULL, 0};
    if (words[2] != NULL && words[3] != NULL && words[4] != NULL) {
        pss = (CK_RSA_PKCS_PSS_PARAMS){strtoul(words[2], NULL, 0), strtoul(words[3], NULL, 0),
                                       strtoul(words[4], NULL, 0)};
        mechanism.pParameter = &pss;
        mechanism.ulParameterLen = sizeof pss;
    }
    return module->C_SignInit(sessions[used], &mechanism, object);
}

/* hex NULL: the end of a signature in pieces. */
static void sign(const char *hex, const char *capacity) {
    CK_ULONG data_length, length = capacity != NULL ? (CK_ULONG)atol(capacity) : 512;
    unsigned char *data = bytes_of(hex, &data_length);
    unsigned char *out = malloc(length != 0 ? length : 1);
    CK_RV result = hex != NULL ? module->C_Sign(sessions[used], data, data_length, out, &length)
                               : module->C_SignFinal(sessions[used], out, &length);
    printf("%lx", result);
    if (result == CKR_OK)
        print_hex(out, length);
    else
        printf(" %lu", length);
    free(out);
    free(data);
}

static void only_length(const char *hex) {
    CK_ULONG data_length, length = 0;
    unsigned char *data = bytes_of(hex, &data_length);
    CK_RV result = module->C_Sign(sessions[used], data, data_length, NULL, &length);
    printf("%lx %lu", result, length);
    free(data);
}

static void *sign_often(void *result) {
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    CK_SESSION_HANDLE session;
    CK_RV found = module->C_OpenSession(1, CKF_SERIAL_SESSION, NULL, NULL, &session);
    for (int i = 0; i < 5 && found == CKR_OK; i++) {
        unsigned char out[512];
        CK_ULONG length = sizeof out;
        found = module->C_SignInit(session, &mechanism, object);
        if (found == CKR_OK)
            found = module->C_Sign(session, (unsigned char *)"data", 4, out, &length);
    }
    if (found == CKR_OK)
        found = module->C_CloseSession(session);
    *(CK_RV *)result = found;
    return NULL;
}

static CK_RV threads(unsigned count) {
    pthread_t running[MOST];
    CK_RV results[MOST];
    CK_RV worst = CKR_OK;
    for (unsigned i = 0; i < count && i < MOST; i++)
        if (pthread_create(&running[i], NULL, sign_often, &results[i]) != 0)
            abort();
    for (unsigned i = 0; i < count && i < MOST; i++) {
        pthread_join(running[i], NULL);
        if (results[i] != CKR_OK)
            worst = results[i];
    }
    return worst;
}

static CK_RV info(void) {
    CK_TOKEN_INFO token;
    CK_SLOT_INFO slot;
    CK_INFO general;
    CK_SESSION_INFO session;
    CK_SLOT_ID list[1];
    CK_ULONG count = 1;
    CK_RV results[] = {module->C_GetInfo(&general), module->C_GetSlotList(CK_TRUE, list, &count),
                       module->C_GetSlotInfo(1, &slot), module->C_GetTokenInfo(1, &token),
                       module->C_GetSessionInfo(sessions[used], &session)};
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (results[i] != CKR_OK)
            return results[i];
    printf("%.10s %lu ", token.label, token.ulSessionCount);
    return CKR_OK;
}

static void open_one(const char *flags) {
    CK_FLAGS wanted = flags != NULL ? strtoul(flags, NULL, 0) : CKF_SERIAL_SESSION;
    CK_RV result = module->C_OpenSession(1, wanted, NULL, NULL, &sessions[opened % MOST]);
    if (result == CKR_OK)
        used = opened++ % MOST;
    printf("%lx", result);
}

static void fork_and_wait(void) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("0");
        return;
    }
    int status = 0;
    waitpid(child, &status, 0);
    printf("%x", (unsigned)status);
}

static int obey(char *line) {
    char *words[8] = {NULL};
    CK_ULONG count = 0;
    char *next = line;
    for (int i = 0; i < 7 && (words[i] = strsep(&next, " \n")) != NULL;)
        i += *words[i] != '\0';
    for (int i = 0; i < 8; i++)
        if (words[i] != NULL && *words[i] == '\0')
            words[i] = NULL;
    const char *verb = words[0] != NULL ? words[0] : "";
    if (strcmp(verb, "init") == 0) {
        printf("%lx", init(words[1]));
    } else if (strcmp(verb, "finalize") == 0) {
        printf("%lx", module->C_Finalize(NULL));
    } else if (strcmp(verb, "open") == 0) {
        open_one(words[1]);
    } else if (strcmp(verb, "close") == 0) {
        printf("%lx", module->C_CloseSession(sessions[used]));
    } else if (strcmp(verb, "closeall") == 0) {
        printf("%lx", module->C_CloseAllSessions(1));
    } else if (strcmp(verb, "use") == 0) {
        used = (unsigned)atoi(words[1]);
        printf("0");
    } else if (strcmp(verb, "find") == 0) {
        CK_RV result = find(strtoul(words[1], NULL, 0), words[2], &count);
        printf("%lx %lu", result, count);
    } else if (strcmp(verb, "object") == 0) {
        object = strtoul(words[1], NULL, 0);
        printf("0");
    } else if (strcmp(verb, "get") == 0) {
        get(strtoul(words[1], NULL, 0), words[2]);
    } else if (strcmp(verb, "start") == 0) {
        printf("%lx", start(words));
    } else if (strcmp(verb, "sign") == 0) {
        sign(words[1], words[2]);
    } else if (strcmp(verb, "update") == 0) {
        CK_ULONG length;
        unsigned char *data = bytes_of(words[1], &length);
        printf("%lx", module->C_SignUpdate(sessions[used], data, length));
        free(data);
    } else if (strcmp(verb, "final") == 0) {
        sign(NULL, words[1]);
    } else if (strcmp(verb, "length") == 0) {
        only_length(words[1]);
    } else if (strcmp(verb, "fork") == 0) {
        fork_and_wait();
    } else if (strcmp(verb, "end") == 0) {
        return 0; /* the parent answers */
    } else if (strcmp(verb, "closefiles") == 0) {
        closefrom(3);
        printf("0");
    } else if (strcmp(verb, "info") == 0) {
        printf("%lx", info());
    } else if (strcmp(verb, "login") == 0) {
        printf("%lx", module->C_Login(sessions[used], CKU_USER, (unsigned char *)"1234", 4));
    } else if (strcmp(verb, "threads") == 0) {
        printf("%lx", threads((unsigned)atoi(words[1])));
    } else {
        abort();
    }
    printf("\n");
    fflush(stdout);
    return 1;
}

int main(void) {
    char line[8192];
    setvbuf(stdin, NULL, _IONBF, 0); /* a child and its parent read the same input in turns */
    if (C_GetFunctionList(&module) != CKR_OK)
        return 2;
    while (fgets(line, sizeof line, stdin) != NULL)
        if (!obey(line))
            _exit(0);
    module->C_Finalize(NULL);
    return 0;
}
