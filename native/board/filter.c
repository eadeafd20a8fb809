/* SPDX-License-Identifier: MIT
 * A seccomp filter, written as the kernel's BPF. It loads numbers from struct seccomp_data, compares them,
 * and returns. */
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#error "no list of system calls for this processor"
#endif

/* The system calls that MicroPython with libffi, libc's resolver and libphonetrust need. On x86-64 there are
 * older calls, too. */
static const uint32_t allowed[] = {
    /* files, and the flash of the phone */
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_lseek,
    SYS_close,
    SYS_openat,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_readlinkat,
    SYS_getcwd,
    SYS_getdents64,
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_umask,
    SYS_fsync,
    SYS_fdatasync,
    SYS_fadvise64,
    SYS_ftruncate,
    SYS_fcntl,
    SYS_dup,
    /* memory, signals, threads of libc's resolver */
    SYS_brk,
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_tgkill,
    SYS_futex,
    SYS_set_robust_list,
    SYS_set_tid_address,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    /* time, random bytes, own identity */
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_getrandom,
    SYS_prlimit64,
    SYS_sysinfo,
    SYS_uname,
    SYS_getpid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    /* the network and the phone's programs */
    SYS_ppoll,
    SYS_pselect6,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_recvmsg,
    SYS_setsockopt,
    SYS_getsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_shutdown,
#ifdef __x86_64__
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_mkdir,
    SYS_unlink,
    SYS_rmdir,
    SYS_rename,
    SYS_dup2,
    SYS_poll,
    SYS_select,
    SYS_arch_prctl,
    SYS_time,
#endif
};

#define COUNT (sizeof allowed / sizeof allowed[0])
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define LOW(argument)                                                                                        \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (argument)))
#define HIGH(argument)                                                                                       \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (argument) + 4))
/* UNLESS goes on if the number equals `value`, and otherwise skips `skipped` instructions. IF_EQUAL skips
 * them if it equals `value`. */
#define UNLESS(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, (skipped))
#define IF_EQUAL(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), (skipped), 0)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (uint32_t)(value))
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | (error))
#define ALLOW RETURN(SECCOMP_RET_ALLOW)

int filter_calls(const char *path) {
    uint64_t address = (uintptr_t)path;
    const struct sock_filter beginning[] = {
        LOAD(arch),
        IF_EQUAL(ARCHITECTURE, 1),
        RETURN(SECCOMP_RET_KILL_PROCESS), /* in another mode of the processor the numbers mean other calls */
        LOAD(nr),
        UNLESS(SYS_execve, 6),
        LOW(0),
        UNLESS(address, 3),
        HIGH(0),
        UNLESS(address >> 32, 1),
        ALLOW,
        REFUSE(EPERM),
        UNLESS(SYS_clone3, 1), /* a filter cannot see its flags, which are in memory; libc then uses clone */
        REFUSE(ENOSYS),
        UNLESS(SYS_clone, 4), /* threads only */
        LOW(0),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
        ALLOW,
        REFUSE(EPERM),
        UNLESS(SYS_socket, 7),
        LOW(0),
        IF_EQUAL(AF_UNIX, 4),
        IF_EQUAL(AF_INET, 3),
        IF_EQUAL(AF_INET6, 2),
        IF_EQUAL(AF_NETLINK, 1),
        REFUSE(EPERM),
        ALLOW,
        UNLESS(SYS_ioctl,
               6), /* queries, but no input for a terminal (TIOCSTI) and no flow control (TCXONC) */
        LOW(1),
        IF_EQUAL(TCGETS, 3),
        IF_EQUAL(FIONREAD, 2),
        IF_EQUAL(FIONBIO, 1),
        REFUSE(EPERM),
        ALLOW,
    };
    enum { BEGINNING = sizeof beginning / sizeof beginning[0] };
    struct sock_filter program[BEGINNING + 2 * COUNT + 1];
    size_t size = 0;
    while (size < BEGINNING) {
        program[size] = beginning[size];
        size++;
    }
    for (size_t index = 0; index < COUNT; index++) {
        program[size++] = (struct sock_filter)UNLESS(allowed[index], 1);
        program[size++] = (struct sock_filter)ALLOW;
    }
    program[size++] = (struct sock_filter)REFUSE(EPERM);
    struct sock_fprog filter = {.len = (unsigned short)size, .filter = program};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}
