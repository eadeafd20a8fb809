/* SPDX-License-Identifier: MIT */
/* Sessions, and finding objects in them. */
#include <string.h>

#include "module.h"

static struct session sessions[SESSIONS];
static CK_ULONG opened; /* counts sessions, so that no handle is used twice */

static struct session *session_of(CK_SESSION_HANDLE handle) {
    struct session *session = &sessions[handle % SESSIONS];
    return handle != 0 && session->handle == handle ? session : NULL;
}

CK_RV session_enter(CK_SESSION_HANDLE handle, struct session **session) {
    CK_RV result = module_enter();
    if (result != CKR_OK)
        return result;
    *session = session_of(handle);
    return *session != NULL ? CKR_OK : module_leave(CKR_SESSION_HANDLE_INVALID);
}

unsigned session_count(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < SESSIONS; i++)
        count += sessions[i].handle != 0;
    return count;
}

static void end(struct session *session) {
    view_release(session->view);
    memset(session, 0, sizeof *session);
}

void session_close_all(void) {
    for (unsigned i = 0; i < SESSIONS; i++)
        if (sessions[i].handle != 0)
            end(&sessions[i]);
    agent_close();
}

static CK_RV open_session(CK_FLAGS flags, CK_SESSION_HANDLE *handle) {
    if ((flags & CKF_SERIAL_SESSION) == 0)
        return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    if ((flags & CKF_RW_SESSION) != 0)
        return CKR_TOKEN_WRITE_PROTECTED;
    for (unsigned i = 0; i < SESSIONS; i++) {
        if (sessions[i].handle != 0)
            continue;
        struct view *view;
        CK_RV result = agent_view(&view);
        if (result != CKR_OK) {
            if (session_count() == 0)
                agent_close();
            return result;
        }
        sessions[i].view = view;
        sessions[i].handle = *handle = ++opened * SESSIONS + i;
        return CKR_OK;
    }
    return CKR_SESSION_COUNT;
}

CK_RV C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
                    CK_SESSION_HANDLE *handle) {
    (void)application;
    (void)notify; /* the module never calls it */
    CK_RV result = module_enter();
    if (result != CKR_OK)
        return result;
    if (slot != SLOT)
        return module_leave(CKR_SLOT_ID_INVALID);
    if (handle == NULL)
        return module_leave(CKR_ARGUMENTS_BAD);
    return module_leave(open_session(flags, handle));
}

CK_RV C_CloseSession(CK_SESSION_HANDLE handle) {
    struct session *session;
    CK_RV result = session_enter(handle, &session);
    if (result != CKR_OK)
        return result;
    end(session);
    if (session_count() == 0)
        agent_close();
    return module_leave(CKR_OK);
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slot) {
    CK_RV result = module_enter();
    if (result != CKR_OK)
        return result;
    if (slot != SLOT)
        return module_leave(CKR_SLOT_ID_INVALID);
    session_close_all();
    return module_leave(CKR_OK);
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO *info) {
    struct session *session;
    CK_RV result = session_enter(handle, &session);
    if (result != CKR_OK)
        return result;
    if (info == NULL)
        return module_leave(CKR_ARGUMENTS_BAD);
    *info = (CK_SESSION_INFO){.slotID = SLOT, .state = CKS_RO_PUBLIC_SESSION, .flags = CKF_SERIAL_SESSION};
    return module_leave(CKR_OK);
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE handle, CK_ATTRIBUTE *attributes, CK_ULONG count) {
    struct session *session;
    CK_RV result = session_enter(handle, &session);
    if (result != CKR_OK)
        return result;
    if (attributes == NULL && count != 0)
        return module_leave(CKR_ARGUMENTS_BAD);
    if (session->searching)
        return module_leave(CKR_OPERATION_ACTIVE);
    session->searching = true;
    session->found = session->given = 0;
    for (unsigned i = 0; i < session->view->count * OBJECTS_OF_IDENTITY; i++)
        if (object_matches(session->view, i, attributes, count))
            session->objects[session->found++] = object_handle(session->view, i);
    return module_leave(CKR_OK);
}

CK_RV C_FindObjects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE *objects, CK_ULONG most, CK_ULONG *count) {
    struct session *session;
    CK_RV result = session_enter(handle, &session);
    if (result != CKR_OK)
        return result;
    if (count == NULL || (objects == NULL && most != 0))
        return module_leave(CKR_ARGUMENTS_BAD);
    if (!session->searching)
        return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    *count = 0;
    while (*count < most && session->given < session->found)
        objects[(*count)++] = session->objects[session->given++];
    return module_leave(CKR_OK);
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE handle) {
    struct session *session;
    CK_RV result = session_enter(handle, &session);
    if (result != CKR_OK)
        return result;
    if (!session->searching)
        return module_leave(CKR_OPERATION_NOT_INITIALIZED);
    session->searching = false;
    return module_leave(CKR_OK);
}
