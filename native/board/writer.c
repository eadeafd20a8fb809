/* SPDX-License-Identifier: MIT
 * The only process that uses the serial line. It writes the lines of all programs, one after the other, and
 * shows what a person types. */
#include "serial.h"
#include "start.h"
#include "text.h"
#include "typed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#define OUT_ROOM 32768   /* bytes that wait for the serial line */
#define QUEUE_ROOM 16384 /* bytes of whole lines that wait for another line to end, or for room */
#define PIECE 4096       /* bytes read at once */
#ifndef SILENCE
#define SILENCE 2000 /* ms of silence that end an unfinished line of the agent or a person */
#endif

struct writer {
    int tty, log, agent, typed;
    uint8_t out[OUT_ROOM];
    size_t out_size;
    uint8_t queue[QUEUE_ROOM];
    size_t queue_size;
    uint8_t line[LINE_LIMIT]; /* from `log`, until its end comes; writes are whole, so it is of one program */
    size_t line_size;
    uint8_t piece[PIECE + 4]; /* from the agent; begins with bytes that may become a character */
    size_t rest;
    int middle; /* the agent's last line has not ended */
    struct typed person;
    long long heard; /* ms at which the unfinished line last grew */
    unsigned lost;
};

static size_t room(const struct writer *self) { return sizeof self->out - self->out_size; }

static void put(struct writer *self, const uint8_t *data, size_t size) {
    memcpy(self->out + self->out_size, data, size);
    self->out_size += size;
}

/* Write the lines that wait, unless a line of the agent or a person has not ended. Then say how many lines
 * were lost, if any. */
static void put_queue(struct writer *self) {
    char text[100];
    if (self->middle || self->person.shown > 0 || self->queue_size > room(self)) {
        return;
    }
    put(self, self->queue, self->queue_size);
    self->queue_size = 0;
    if (self->lost == 0 || room(self) < OUT_ROOM / 2) {
        return;
    }
    int count = snprintf(text, sizeof text, "[%u lines are missing here: the console did not take them]\n",
                         self->lost);
    if (count > 0 && (size_t)count < sizeof text) {
        put(self, (const uint8_t *)text, (size_t)count);
    }
    self->lost = 0;
}

static void take_line(struct writer *self) {
    size_t size = text_clean(self->line, self->line_size, NULL);
    self->line_size = 0;
    /* After a dropped line all lines are dropped until the waiting lines are written. So the message about
     * them stands where they are missing. */
    if (self->lost > 0 || size + 1 > sizeof self->queue - self->queue_size) {
        self->lost++;
        return;
    }
    memcpy(self->queue + self->queue_size, self->line, size);
    self->queue_size += size;
    self->queue[self->queue_size++] = '\n';
    put_queue(self);
}

static int read_log(struct writer *self) {
    uint8_t data[PIECE];
    ssize_t count = read(self->log, data, sizeof data);
    if (count < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    for (ssize_t index = 0; index < count; index++) {
        if (data[index] == '\n') {
            take_line(self);
        } else if (self->line_size < sizeof self->line) { /* the rest of a line that is too long is dropped */
            self->line[self->line_size++] = data[index];
        }
    }
    return 0;
}

/* Show what was typed, unless the agent's line has not ended. */
static void show_person(struct writer *self) {
    if (self->person.due && !self->middle && room(self) > TYPED_LIMIT + 4) {
        self->out_size += typed_show(&self->person, self->out + self->out_size);
        self->heard = since_power_on();
        put_queue(self); /* if the person has removed everything */
    }
}

static int read_agent(struct writer *self) {
    ssize_t count = read(self->agent, self->piece + self->rest, PIECE);
    if (count < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    size_t size = text_clean(self->piece, self->rest + (size_t)count, &self->rest);
    if (size > 0) { /* turn() has checked that there is room */
        put(self, self->piece, size);
        self->middle = self->piece[size - 1] != '\n';
        self->heard = since_power_on();
        memmove(self->piece, self->piece + size, self->rest);
        show_person(self);
        put_queue(self);
    }
    return 0;
}

static int write_out(struct writer *self) {
    ssize_t count = write(self->tty, self->out, self->out_size);
    if (count < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    self->out_size -= (size_t)count;
    memmove(self->out, self->out + count, self->out_size);
    put_queue(self);
    return 0;
}

/* Pass a complete line to the agent. If its FIFO is full, the agent does not read, and the line is lost. */
static void end_typed(struct writer *self) {
    struct typed *person = &self->person;
    show_person(self);
    person->line[person->size] = '\n';
    if (person->shown > 0 || (person->size == 0 && !self->middle)) {
        put(self, (const uint8_t *)"\n", room(self) > 0 ? 1 : 0);
    } else if (person->size + 1 <= sizeof self->queue - self->queue_size) { /* it cannot be shown yet */
        memcpy(self->queue + self->queue_size, person->line, person->size + 1);
        self->queue_size += person->size + 1;
    }
    if (write(self->typed, person->line, person->size + 1) < 0) {
        self->lost++;
    }
    typed_clear(person);
    put_queue(self);
}

/* Make the terminal pass each key at once, without showing it. Output gets the line ends of a terminal and is
 * not changed otherwise. */
static int set_terminal(int tty) {
    struct termios mode;
    if (tcgetattr(tty, &mode) != 0) {
        return -1;
    }
    if ((mode.c_lflag & (ICANON | ECHO)) == 0) {
        return 0;
    }
    mode.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | IXON | IXOFF);
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | ISIG | IEXTEN);
    mode.c_oflag |= OPOST | ONLCR;
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    return tcsetattr(tty, TCSANOW, &mode);
}

static int read_person(struct writer *self) {
    uint8_t data[64];
    ssize_t count = read(self->tty, data, sizeof data);
    if (count < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    if (set_terminal(self->tty) != 0) { /* again, because another program may have changed it */
        return -1;
    }
    for (ssize_t index = 0; index < count; index++) {
        if (typed_take(&self->person, data[index])) {
            end_typed(self);
        }
    }
    show_person(self);
    return 0;
}

/* End the unfinished line of the agent or the person, so that the other lines need not wait longer. */
static void end_line(struct writer *self) {
    if (room(self) > 0) {
        put(self, (const uint8_t *)"\n", 1);
        self->middle = 0;
        self->rest = 0;
        self->person.shown = 0; /* the next key shows the whole line again */
        self->person.stale = 0;
        show_person(self);
        put_queue(self);
    }
}

static int turn(struct writer *self) {
    struct pollfd waits[] = {
        {.fd = self->tty, .events = (short)(POLLIN | (self->out_size > 0 ? POLLOUT : 0))},
        {.fd = self->log, .events = POLLIN},
        {.fd = room(self) > PIECE + 4 && self->person.shown == 0 ? self->agent : -1, .events = POLLIN},
    };
    int limit = -1;
    if ((self->middle || self->person.shown > 0) && room(self) > PIECE + 4) {
        long long left = self->heard + SILENCE - since_power_on();
        limit = left > 0 ? (int)left : 0;
    }
    int ready = poll(waits, 3, limit);
    if (ready < 0) {
        return errno == EINTR ? 0 : -1;
    }
    if (ready == 0) {
        end_line(self);
        return 0;
    }
    if ((waits[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
        return -1;
    }
    if ((waits[0].revents & POLLOUT) != 0 && write_out(self) != 0) {
        return -1;
    }
    if ((waits[0].revents & POLLIN) != 0 && read_person(self) != 0) {
        return -1;
    }
    if ((waits[1].revents & POLLIN) != 0 && read_log(self) != 0) {
        return -1;
    }
    /* The bytes that were read just now may have used the room, or have begun a line. */
    int free = room(self) > PIECE + 4 && self->person.shown == 0;
    return free && (waits[2].revents & POLLIN) != 0 ? read_agent(self) : 0;
}

int write_serial(const char *folder, const char *tty) {
    static struct writer self;
    signal(SIGPIPE, SIG_IGN);
    int lock = open_in(folder, "lock", O_RDWR | O_CREAT);
    while (lock >= 0 && flock(lock, LOCK_EX) != 0) {
        if (errno != EINTR) {
            return 1;
        }
    }
    self.tty = open(tty, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    self.log = open_in(folder, "log", O_RDWR);
    self.agent = open_in(folder, "agent", O_RDWR);
    self.typed = open_in(folder, "typed", O_RDWR);
    if (lock < 0 || self.tty < 0 || set_terminal(self.tty) != 0 || self.typed < 0 || self.log < 0 ||
        self.agent < 0 || drop_root() != 0) {
        perror("serial write");
        return 1;
    }
    while (turn(&self) == 0) {
    }
    perror("serial write");
    return 1;
}
