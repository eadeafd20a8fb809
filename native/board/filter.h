/* SPDX-License-Identifier: MIT
 * The system calls that the agent may make. */
#ifndef PHONETRUST_BOARD_FILTER_H
#define PHONETRUST_BOARD_FILTER_H

/* Puts the filter on this process and its children. Calls that filter.c does not list fail with EPERM. execve
 * is allowed only with the path at exactly this address, so the program can be started, but cannot start
 * another one. Sockets must be of the families unix, inet, inet6 or netlink. The caller must have set
 * PR_SET_NO_NEW_PRIVS. Returns 0, or -1 with errno. */
int filter_calls(const char *path);

#endif
