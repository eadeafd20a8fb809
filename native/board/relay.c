/* SPDX-License-Identifier: MIT
 * What brings the lines of programs and of the kernel to the writer of the serial line. */
#include "serial.h"
#include "start.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_LIMIT 1000 /* bytes of a line; the rest of a longer line is dropped */
#define NAME_LIMIT 64   /* bytes of a program's name that are shown */
#define RATE 2          /* bytes a millisecond; 115200 baud are 11 */
#define BURST 16384     /* bytes that may come at once */

#ifndef KMSG /* tests use files of their own */
#define KMSG "/dev/kmsg"
#define PRINTK "/proc/sys/kernel/printk"
#define KMSG_START SEEK_END /* the kernel has shown earlier messages itself */
#endif

struct relay {
    int log;
    long long allowed; /* bytes, up to BURST */
    long long time;
    unsigned lost;
};

static int begin(struct relay *self, const char *folder) {
    self->log = open_in(folder, "log", O_RDWR);
    self->allowed = BURST;
    self->time = since_power_on();
    self->lost = 0;
    if (self->log < 0 || drop_root() != 0) {
        perror("serial");
        return -1;
    }
    return 0;
}

/* Write a whole line. `log` takes it completely or not at all, because it is shorter than PIPE_BUF. */
static int handed_over(struct relay *self, const char *line, size_t size) {
    long long now = since_power_on();
    self->allowed += (now - self->time) * RATE;
    self->time = now;
    if (self->allowed > BURST) {
        self->allowed = BURST;
    }
    /* After lines were lost, wait until there is room for several lines. */
    long long needed = self->lost > 0 ? BURST / 4 : (long long)size;
    if (self->allowed < needed || write(self->log, line, size) != (ssize_t)size) {
        return 0;
    }
    self->allowed -= (long long)size;
    return 1;
}

/* Write `prefix` and the cleaned `text` as one line. A program that writes too much loses lines, and a line
 * says how many. */
static void say(struct relay *self, const char *prefix, uint8_t *text, size_t size) {
    char line[LINE_LIMIT];
    if (self->lost > 0) {
        int count = snprintf(line, sizeof line, "%s[%u lines are missing here: they came too fast]\n", prefix,
                             self->lost);
        if (count < 0 || !handed_over(self, line, (size_t)count)) {
            self->lost++;
            return;
        }
        self->lost = 0;
    }
    size = text_clean(text, size, NULL);
    int count = snprintf(line, sizeof line, "%s%.*s\n", prefix, (int)size, (const char *)text);
    if (count < 0 || (size_t)count >= sizeof line || !handed_over(self, line, (size_t)count)) {
        self->lost++;
    }
}

int relay_pipe(const char *folder, const char *name) {
    struct relay self;
    uint8_t data[4096];
    uint8_t line[TEXT_LIMIT + 3];
    char prefix[NAME_LIMIT + 3];
    size_t size = 0;
    snprintf(prefix, sizeof prefix - 2, "%s", name);
    prefix[text_clean((uint8_t *)prefix, strlen(prefix), NULL)] = '\0';
    strcat(prefix, ": ");
    if (begin(&self, folder) != 0) {
        return 1;
    }
    for (;;) {
        ssize_t count = read(STDIN_FILENO, data, sizeof data);
        if (count < 0 && errno == EAGAIN) { /* the program made its pipe non-blocking */
            struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
            poll(&wait, 1, -1);
            continue;
        }
        if (count < 0 && errno == EINTR) {
            continue;
        }
        for (ssize_t index = 0; index < count; index++) {
            if (data[index] == '\n') {
                if (size > 0 && line[size - 1] == '\r') {
                    size--;
                }
                if (size > 0) {
                    say(&self, prefix, line, size);
                }
                size = 0;
            } else if (size < TEXT_LIMIT) {
                line[size++] = data[index];
            } else if (size == TEXT_LIMIT) {
                memcpy(line + size, "...", 3);
                size += 3;
            }
        }
        if (count <= 0) {
            if (size > 0) {
                say(&self, prefix, line, size);
            }
            return count == 0 ? 0 : 1;
        }
    }
}

/* Write a record of /dev/kmsg as a line. It is "priority,number,microseconds,flags;text\n", and perhaps
 * lines after it that begin with a space, which are ignored. */
static void tell(struct relay *self, char *record, long level) {
    static const char *const severities[] = {"error",   "error",  "error", "error",
                                             "warning", "notice", "info",  "info"};
    char prefix[60];
    char *end;
    long priority = strtol(record, &end, 10);
    char *text = strchr(record, ';');
    if (*end != ',' || text == NULL || priority < 0 || priority > 7 ||
        priority >= level) { /* above 7: written by a program */
        return;
    }
    strtoull(end + 1, &end, 10);
    unsigned long long time = *end == ',' ? strtoull(end + 1, NULL, 10) / 1000 : 0;
    text++;
    text[strcspn(text, "\n")] = '\0';
    snprintf(prefix, sizeof prefix, "[%6llu.%03llu] %-7s kernel: ", time / 1000, time % 1000,
             severities[priority & 7]);
    size_t size = strlen(text);
    say(self, prefix, (uint8_t *)text, size < TEXT_LIMIT ? size : TEXT_LIMIT);
}

int relay_kernel(const char *folder, const char *level) {
    struct relay self;
    char record[8192];
    int kernel = open(KMSG, O_RDONLY | O_CLOEXEC);
    int printk = open(PRINTK, O_WRONLY | O_CLOEXEC);
    /* From now on urgent messages come from /dev/kmsg. The kernel itself writes to the console only when it
     * dies. */
    if (kernel < 0 || lseek(kernel, 0, KMSG_START) < 0 || printk < 0 || write(printk, "1", 1) != 1) {
        perror("serial kernel");
        return 1;
    }
    close(printk);
    long limit = strtol(level, NULL, 10);
    if (begin(&self, folder) != 0) {
        return 1;
    }
    for (;;) {
        ssize_t count = read(kernel, record, sizeof record - 1);
        if (count > 0) {
            record[count] = '\0';
            tell(&self, record, limit);
        } else if (count == 0 || (errno != EINTR && errno != EPIPE)) { /* EPIPE: records were overwritten */
            return 1;
        }
    }
}
