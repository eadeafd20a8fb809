/* SPDX-License-Identifier: MIT
 * The system calls that the agent may make. */
#ifndef PHONETRUST_BOARD_FILTER_H
#define PHONETRUST_BOARD_FILTER_H

/* Puts the filter on this process and all that it starts: calls that are not listed in filter.c fail with
 * EPERM. execve is allowed for the path at this very address only, so that the program may be started and
 * starts no other. Sockets are of the families unix, inet, inet6 and netlink. Needs PR_SET_NO_NEW_PRIVS. 0,
 * or -1: errno. */
int filter_calls(const char *path);

#endif
