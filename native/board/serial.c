/* SPDX-License-Identifier: MIT */
#include "serial.h"

#include <stdio.h>
#include <string.h>

int main(int count, char **words) {
    if (count == 4 && strcmp(words[1], "write") == 0) {
        return write_serial(words[2], words[3]);
    }
    if (count == 4 && strcmp(words[1], "pipe") == 0) {
        return relay_pipe(words[2], words[3]);
    }
    if (count == 4 && strcmp(words[1], "kernel") == 0) {
        return relay_kernel(words[2], words[3]);
    }
    fputs("serial write FOLDER TTY | pipe FOLDER NAME | kernel FOLDER LEVEL\n", stderr);
    return 2;
}
