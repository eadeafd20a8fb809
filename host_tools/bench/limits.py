# SPDX-License-Identifier: MIT
"""What is known of targets that are missed, and of lines that are worse than in an earlier release: by name of the line.

docs/performance.md shows it beside the profile of the same run."""

_LIST = (
    "mbedTLS's SHA-512 (C; `cryptography` has OpenSSL's vector code, which takes half the time) and its RSA are two thirds of "
    "the whole, and the walk through 63 certificates in C comes next; together they are 0.145 of the plain reader's time. "
    "What Python adds is the header, the search for the signer, and the sentences and evidence of the decision. Done: plain text "
    "is told by one search instead of letter by letter (-20 us), SHA-512 is compiled without gcc's vectors (-20 us), values of "
    "the same bytes are not folded (-6 us). Left: a SHA-512 of our own would be our own cryptography, which this project does "
    "not write."
)
LIMITS = {
    "63 records, all checks, against a plain reader": _LIST,
    "63 records, all checks, against digest and signature alone": _LIST,
    "TFTP of 3 MB on CPython, against the faster client": (
        "Half of the time is atftpd's, which sends each of the 2,203 blocks by a system call of its own, and the same for all "
        "clients; the atftp client, written in C, uses the same windows. The agent's client needs 10 ms of CPU time of its own "
        "for the file, two thirds of it system calls. Larger windows (48 blocks for 16) were worth a sixth."
    ),
    "TFTP of 3 MB on CPython, against curl": "The number of 0.1.0 is the middle of what was noted then, 0.15 to 0.5.",
    "libphonetrust for arm64": "0.1.0 had no TLS of its own; that is the difference.",
    "board: the agent's start to trusted": (
        "Half of the time goes to the interpreter and the modules, which come uncompressed from the initramfs; the other half to "
        "five requests and three writes to the card, each synced."
    ),
}
