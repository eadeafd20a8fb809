/* SPDX-License-Identifier: MIT
 * The program `serial`: the only writer of a board's serial line, and relays that bring it lines.
 *
 *   serial write FOLDER TTY
 *       The writer, which is started at power-on. A second writer waits until the first has ended.
 *
 *   serial pipe FOLDER NAME
 *       A relay for a program of the phone. It writes standard input as lines "NAME: ...", which are cleaned
 *       and limited.
 *
 *   serial kernel FOLDER LEVEL
 *       A relay for the kernel's messages that are more urgent than LEVEL. It silences the kernel's own
 *       console.
 *
 * FOLDER belongs to root and has three FIFOs. `log` takes whole lines of up to LINE_LIMIT bytes, each from
 * one write(), from every program to which root gives access. `agent` takes the agent's output, whose lines
 * may have any length. `typed` gives the agent the lines that a person types. All three programs give up root
 * after they have opened their files. A serial line that takes no bytes costs lines, but no time: a program
 * that writes to `log` never waits, and the agent's own output (hal/lines.py) drops lines when its FIFO is
 * full. */
#ifndef PHONETRUST_BOARD_SERIAL_H
#define PHONETRUST_BOARD_SERIAL_H

#define LINE_LIMIT 2048 /* bytes of a line in `log`; below PIPE_BUF, so that lines stay whole */

/* Each runs until it fails or its input ends, and returns the exit status. */
int write_serial(const char *folder, const char *tty);
int relay_pipe(const char *folder, const char *name);
int relay_kernel(const char *folder, const char *level);

#endif
