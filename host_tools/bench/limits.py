# SPDX-License-Identifier: MIT
"""What is known of targets that are missed, and of lines that are worse than in an earlier release: by name of the line.

docs/performance.md shows it beside the profile of the same run."""

_LIST = (
    "mbedTLS's SHA-512 (C; `cryptography` has OpenSSL's vector code, which takes half the time) and its RSA are two thirds of "
    "the whole, and the walk through 63 certificates in C comes next; together they are 0.145 of the plain reader's time. "
    "What Python adds is the header, the search for the signer, and the sentences and evidence of the decision. Done: plain text "
    "is told by one search instead of letter by letter (-20 us), SHA-512 is compiled without gcc's vectors (-20 us), values of "
    "the same bytes are not folded (-6 us). A profile of the Python part in us: the header 15, the names of the signer 12, "
    "the rest of the search 6, what surrounds the three calls into C 11, the decision 3. Digest, signature and records in C "
    "alone are 1.13 of digest and signature, so Python may take 27 us for 1.25, and takes over 50. Only the header and the "
    "names read in C could save as much, and twice as much code that reads strangers' bytes in C is not worth 30 us. Left: a "
    "SHA-512 of our own would be our own cryptography, which this project does not write."
)
LIMITS = {
    "63 records, all checks, against a plain reader": _LIST,
    "63 records, all checks, against digest and signature alone": _LIST,
    "signed file of 16 MB, verified as it streams": (
        "The SHA-512 of both sides is the same code. What is left is one check of a signature, the header, and a call from "
        "Python into C for each of the 256 pieces, which costs 2 us. Pieces of 16 KB instead of 64 KB cost another 4%."
    ),
    "TFTP of 3 MB on CPython, against the faster client": (
        "No client gets the file faster than atftpd sends it, each of the 2,203 blocks by a system call of its own: the atftp "
        "client, written in C, waits for it with the same windows. The agent's client needs 7 to 10 ms of CPU time, with one "
        "system call for a block, and works while atftpd sends. Larger windows (48 blocks for 16) were worth a sixth."
    ),
    "1,000 phones served by the lab cluster": (
        "tftpy's own work is the same on both sides: 580 calls in Python for a request. The lab adds some 50: it finds the file "
        "in the cluster's state (2 us), notes an event (2 us), and notes what the phone asked for and holds (9 us, much of it "
        "for looking whether another process has changed the ledger). It saves the opening and reading of the file. Done: lists "
        "come from memory, the ledger's files are read only when they have changed, and a phone that holds a list already "
        "takes no lock (69 us for a request before, 13 now)."
    ),
    "TVS: CPU of one question, CPython": (
        "The runs differ by more than what is missing: three on a busy machine gave 1.12, 1.12 and 1.18, and one on a quiet "
        "machine 1.23. A question costs 0.17 to 0.28 ms of CPU time more than a handshake: the message, its answer and the "
        "cache, all in Python. MicroPython, which phones run, stays within the target."
    ),
    "update: time for a load, to TFTP into memory": (
        "A load is digested twice with SHA-512, once as it comes and once as it stands in the slot (docs/spec/loads.md), at "
        "1.5 ms a MB each time, which is mbedTLS's speed on this processor. Writing and reading the slot in memory, with the "
        "syncs, takes 12 ms for 16 MB, and Python some 6. On a board, where the network brings 11 MB a second at most, the "
        "digests take a smaller part; the card's speed takes their place."
    ),
    "libphonetrust for arm64": "0.1.0 had no TLS of its own; that is the difference.",
}
