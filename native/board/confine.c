/* SPDX-License-Identifier: MIT
 * Starts a program of the phone with only the rights that it needs.
 *
 *   confine [-f] [-i INPUT] [-n NICE] USER GROUP PROGRAM ARGUMENT...
 *
 * The program runs as the user and group with these numbers, in no other group and without capabilities.
 * Neither the program nor its children can get any (PR_SET_NO_NEW_PRIVS). Its input is INPUT, opened for
 * reading only and not as its terminal, or else /dev/null. Its output stays as it is. It has no other open
 * file, no controlling terminal, and leaves no memory dump. With -f it may only make the system calls of
 * filter.c. If one of these steps fails, the exit status is 126 and a sentence says which step. */

#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FAILED 126
#define CAPABILITIES 64 /* more than any kernel has; unknown capabilities are skipped */

static int fail(const char *what) {
    fprintf(stderr, "confine: %s: %s\n", what, strerror(errno));
    return FAILED;
}

static long number(const char *word) {
    char *end;
    errno = 0;
    long found = strtol(word, &end, 10);
    return errno != 0 || end == word || *end != '\0' || found < 0 || found > 65535 ? -1 : found;
}

static int open_input(const char *path) {
    int found = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (found < 0 || dup2(found, STDIN_FILENO) < 0) {
        return -1;
    }
    return found > STDERR_FILENO ? close(found) : 0;
}

static int drop_bounding_set(void) {
    for (int capability = 0; capability < CAPABILITIES; capability++) {
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1 &&
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
            return -1;
        }
    }
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static int become(uid_t user, gid_t group) {
    if (geteuid() == 0 && (drop_bounding_set() != 0 || setgroups(0, NULL) != 0)) {
        return -1;
    }
    if (setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0) {
        return -1;
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int main(int count, char **words) {
    const char *input = "/dev/null";
    const struct rlimit nothing = {0, 0};
    long nice_value = 0;
    int filtered = 0;
    int option;
    while ((option = getopt(count, words, "+fi:n:")) != -1) {
        if (option == 'f') {
            filtered = 1;
        } else if (option == 'i') {
            input = optarg;
        } else if (option == 'n') {
            nice_value = number(optarg);
        } else {
            return FAILED;
        }
    }
    long user = count - optind < 3 ? -1 : number(words[optind]);
    long group = user < 0 ? -1 : number(words[optind + 1]);
    if (user < 1 || group < 1 || nice_value < 0) {
        fputs("confine [-f] [-i INPUT] [-n NICE] USER GROUP PROGRAM ARGUMENT...\n", stderr);
        return FAILED;
    }
    char **program = words + optind + 2;
    if (open_input(input) != 0) {
        return fail(input);
    }
    if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) != 0) {
        return fail("close_range");
    }
    /* The program gets a session of its own, so it has no controlling terminal. If this process leads a
     * session already, it has no terminal, because busybox's init starts it so. */
    if (setsid() < 0 && getsid(0) != getpid()) {
        return fail("setsid");
    }
    if (nice_value > 0 && setpriority(PRIO_PROCESS, 0, (int)nice_value) != 0) {
        return fail("setpriority");
    }
    if (setrlimit(RLIMIT_CORE, &nothing) != 0) {
        return fail("setrlimit");
    }
    if (become((uid_t)user, (gid_t)group) != 0) {
        return fail("giving up root");
    }
    if (filtered && filter_calls(program[0]) != 0) {
        return fail("seccomp");
    }
    execv(program[0], program);
    return fail(program[0]);
}
