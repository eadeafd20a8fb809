# SPDX-License-Identifier: MIT
"""The sentences about loads. Each says what the configuration asked for, what the phone found, and what an administrator can
do."""

_KEEPS = "The phone keeps the load that it has."


def _short(text):
    return text if len(text) <= 80 else text[:80] + "..."


def evidence(name, header):
    """What was looked at, as a dictionary for JSON."""
    signer = {"subject": _short(header.subject), "issuer": _short(header.issuer), "serial": _short(header.serial.hex())}
    return {
        "load": name,
        "filename": _short(header.filename),
        "signer": signer,
        "digest_algorithm": header.digest_algorithm,
    }


def not_authorized(name, configuration):
    """The configuration was accepted, but no trust list verified it."""
    return (
        "The configuration asks for the load %s, but no trust list verified it (%s): have the cluster sign configuration "
        "files. %s" % (_short(name), configuration.reason, _KEEPS)
    )


def wrong_name(name, board):
    """The load's name is that of another board, or of other phones altogether."""
    return (
        "The configuration names the load %s, which is not for this board: its loads are named phonetrust-%s-VERSION. Set "
        "the phone's load on the cluster. %s" % (_short(name), board, _KEEPS)
    )


def wrong_board(name, board, own):
    """The name says this board, but the image inside says another board."""
    return "The load %s is for the board %s, and this phone is %s: put the right file on the server. %s" % (
        name,
        _short(board),
        own,
        _KEEPS,
    )


def too_old(name, floor):
    """The load is older than the floor."""
    return (
        "The load %s is older than %s, the oldest version that this phone's maker still allows: name a newer load. %s"
        % (
            name,
            floor,
            _KEEPS,
        )
    )


def failed_before(name):
    """The load failed its trial before."""
    return (
        "The load %s failed its trial on this phone. The phone tries it again after the configuration has named another load, "
        "or when a person at the phone says so (console: retry load). %s" % (name, _KEEPS)
    )


def wrong_file(name, header):
    """The header names another file."""
    return "The header of the file %s.sgn says %s: put the right file on the server. %s" % (
        name,
        _short(header.filename),
        _KEEPS,
    )


def bad_signature(name, header):
    """The maker is named as the signer, but the signature does not verify the bytes."""
    return (
        "The signature of the load %s does not fit its bytes, although it names %s: the file is damaged or was changed; put "
        "the maker's file on the server. %s" % (name, _short(header.subject), _KEEPS)
    )


def unknown_signer(name, header):
    """The signer is none of the phone's image certificates."""
    return (
        "The load %s is signed by %s, a signer that this phone's maker does not name: only the maker's loads run here. %s"
        % (
            name,
            _short(header.subject),
            _KEEPS,
        )
    )


def malformed(error):
    """The maker signed the file, but it is not a readable boot image."""
    return "The load cannot be read: %s. Ask its maker. %s" % (error, _KEEPS)


def other_format(name, form):
    """The image has a format that this phone does not know, or names no format."""
    said = "does not say its format" if form is None else "has the format %d, which this phone does not know" % form
    return "The load %s %s: install a version in between, or ask its maker. %s" % (name, said, _KEEPS)


def other_name(name, inside, version):
    """The name that was asked for and the name inside the image differ."""
    return "The load %s says inside that it is %s, version %s: ask its maker. %s" % (
        name,
        _short(inside),
        _short(version),
        _KEEPS,
    )


def installed(name, slot):
    """The load is on the card and was read back; its trial comes next."""
    return "The load %s is verified and on the card (slot %s); the phone restarts into it for a trial." % (name, slot)


def not_readable(name, where):
    """The card does not return the bytes that were written. where: words for the place."""
    return "The load %s was written to the card, but reads back differently %s: the card may be worn out. %s" % (
        name,
        where,
        _KEEPS,
    )


def not_written(name, error):
    """Writing to the card failed."""
    return "The load %s could not be written to the card (%s). %s" % (name, error, _KEEPS)


def too_often(name, count, wait):
    """Too many loads were written in a row, and flash wears out. wait: ms until the next load may be written."""
    return (
        "%d loads were written to the card without a pause of an hour: the phone takes %s in %d min. Check that all servers of "
        "the cluster name the same load and have an undamaged copy. %s" % (count, name, (wait + 59999) // 60000, _KEEPS)
    )


def confirmed(name, slot):
    """The load passed its trial."""
    return "The load %s passed its trial and stays (slot %s)." % (name, slot)


_WHY = {
    "refused": "the boot loader refused it: its signature or its bytes are wrong",
    "unconfirmed": "it was started twice and was not confirmed",
    "fallback": "the boot loader refused the slot that was confirmed: its bytes on the card are damaged",
}


def rolled_back(why, name, running):
    """The other slot's load runs instead. name: None if it is not known. running: the load that runs."""
    what = "The load %s" % name if name else "The other slot's load"
    return "%s does not run, because %s. The phone runs %s." % (what, _WHY[why], running)
