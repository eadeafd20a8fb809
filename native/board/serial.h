/* SPDX-License-Identifier: MIT
 * The program `serial`: the one writer of a board's serial line, and what brings it the lines of others.
 *
 *   serial write FOLDER TTY        the writer, started at power-on; a second one waits until the first has
 * ended serial pipe FOLDER NAME        standard input as lines "NAME: ...", cleaned and limited; for programs
 * of the phone serial kernel FOLDER LEVEL     the kernel's messages that are more urgent than LEVEL, and its
 * own console is silenced
 *
 * FOLDER is root's and has three FIFOs. `log`: whole lines of up to LINE_LIMIT bytes, each written by one
 * write(), from anybody whom root lets; `agent`: the agent's output, whose lines may be of any length. All
 * three give up root once they have opened what they need. A serial line that takes no bytes costs lines,
 * never time: nobody who writes to `log` waits, and the agent's own output (hal/lines.py) drops lines once
 * its FIFO is full. */
#ifndef PHONETRUST_BOARD_SERIAL_H
#define PHONETRUST_BOARD_SERIAL_H

#define LINE_LIMIT 2048 /* bytes of a line in `log`; below PIPE_BUF, so that lines stay whole */
#define SERIAL_USER 1002

/* Each runs until it fails or its input ends; the exit status. */
int write_serial(const char *folder, const char *tty);
int relay_pipe(const char *folder, const char *name);
int relay_kernel(const char *folder, const char *level);

/* Opens NAME in FOLDER without waiting: readable and writable, so that a FIFO has both ends. -1: errno. */
int open_in(const char *folder, const char *name, int flags);

/* Gives up root and everything that root could. 0, or -1. */
int drop_root(void);

/* Milliseconds since power-on. */
long long since_power_on(void);

#endif
