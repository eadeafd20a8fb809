/* SPDX-License-Identifier: MIT
 * What the writer and the relays of a board's serial line do when they start, and their clock. */
#ifndef PHONETRUST_BOARD_START_H
#define PHONETRUST_BOARD_START_H

#define SERIAL_USER 1002 /* host_tools/image/initramfs.py */

/* Opens the file `name` in `folder` with these flags and without waiting. O_RDWR gives a FIFO both ends.
 * Returns the descriptor, or -1 with errno. */
int open_in(const char *folder, const char *name, int flags);

/* Gives up root and all its rights. Returns 0, or -1 with errno. */
int drop_root(void);

/* Milliseconds since power-on. */
long long since_power_on(void);

#endif
