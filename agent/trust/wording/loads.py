# SPDX-License-Identifier: MIT
"""The sentences about loads: what was asked for, what was found in it, what an administrator can do."""

_KEEPS = "The phone keeps the load that it has."


def _short(text):
    return text if len(text) <= 80 else text[:80] + "..."


def evidence(name, header):
    """What was looked at, for JSON."""
    signer = {"subject": _short(header.subject), "issuer": _short(header.issuer), "serial": _short(header.serial.hex())}
    return {
        "load": name,
        "filename": _short(header.filename),
        "signer": signer,
        "digest_algorithm": header.digest_algorithm,
    }


def not_authorized(name, configuration):
    """The configuration was taken, but no trust list verified it."""
    return (
        "The configuration asks for the load %s, but no trust list verified it (%s): have the cluster sign configuration "
        "files. %s" % (_short(name), configuration.reason, _KEEPS)
    )


def wrong_name(name, board):
    """The name says that it is for another board, or for other phones altogether."""
    return (
        "The configuration names the load %s, which is none for this board: its loads are named phonetrust-%s-VERSION. Set "
        "the phone's load on the cluster. %s" % (_short(name), board, _KEEPS)
    )


def wrong_board(name, board, own):
    """The name says this board, the image inside says another."""
    return "The load %s is for the board %s, this phone is %s: put the right file on the server. %s" % (
        name,
        _short(board),
        own,
        _KEEPS,
    )


def too_old(name, floor):
    """Below the floor."""
    return (
        "The load %s is older than %s, the oldest version that this phone's maker still allows: name a newer one. %s"
        % (
            name,
            floor,
            _KEEPS,
        )
    )


def failed_before(name):
    """The one that failed its trial."""
    return (
        "The load %s failed its trial on this phone. It is tried again when the configuration has named another one, or a "
        "person at the phone says so (console: retry load). %s" % (name, _KEEPS)
    )


def wrong_file(name, header):
    """The header names another file."""
    return "The file %s.sgn says that it is %s: put the right file on the server. %s" % (
        name,
        _short(header.filename),
        _KEEPS,
    )


def bad_signature(name, header):
    """The signer is the maker, but the bytes are not what was signed."""
    return (
        "The signature of the load %s does not fit its bytes, although it names %s: the file is damaged or was changed; put "
        "the maker's file on the server. %s" % (name, _short(header.subject), _KEEPS)
    )


def unknown_signer(name, header):
    """Somebody else signed it."""
    return "The load %s is signed by %s, whom this phone's maker does not name: only the maker's loads run here. %s" % (
        name,
        _short(header.subject),
        _KEEPS,
    )


def malformed(error):
    """Signed by the maker, and no boot image."""
    return "The load cannot be read: %s. Ask its maker. %s" % (error, _KEEPS)


def other_format(name, form):
    """A newer format, or none."""
    said = "does not say what it is" if form is None else "has the format %d, which this phone does not know" % form
    return "The load %s %s: install a version in between, or ask its maker. %s" % (name, said, _KEEPS)


def other_name(name, inside, version):
    """The name outside and the one inside differ."""
    return "The load %s says inside that it is %s, version %s: ask its maker. %s" % (
        name,
        _short(inside),
        _short(version),
        _KEEPS,
    )


def installed(name, slot):
    """On the card, read back, to be tried."""
    return "The load %s is verified and on the card (slot %s); the phone restarts into it for a trial." % (name, slot)


def not_readable(name, where):
    """What was written reads back otherwise."""
    return "The load %s was written to the card and reads back different %s: the card may be worn out. %s" % (
        name,
        where,
        _KEEPS,
    )


def not_written(name, error):
    """The card did not take it."""
    return "The load %s could not be written to the card (%s). %s" % (name, error, _KEEPS)


def too_often(name, count, wait):
    """Flash wears out. wait: ms."""
    return (
        "%d loads were written to the card without an hour in between: %s is taken in %d min. See that all servers of the "
        "cluster name the same load and have it whole. %s" % (count, name, (wait + 59999) // 60000, _KEEPS)
    )


def confirmed(name, slot):
    """The trial is over, well."""
    return "The load %s passed its trial and stays (slot %s)." % (name, slot)


_WHY = {
    "refused": "the boot loader refused it: its signature or its bytes are not right",
    "unconfirmed": "it was started twice and did not get as far as to be believed in",
    "fallback": "the boot loader refused the slot that was confirmed: its bytes on the card are not right any more",
}


def rolled_back(why, name, running):
    """The other slot runs instead."""
    what = "The load %s" % name if name else "The other slot's load"
    return "%s does not run, because %s. The phone runs %s." % (what, _WHY[why], running)
