# SPDX-License-Identifier: MIT
"""The files on the TFTP server of a small cluster, made of the vectors."""

from tests.helpers.agent.both import vector

OWN = "SEP00270DC01C92.cnf.xml"
SIGNED = OWN + ".sgn"
DEFAULT = "XMLDefault.cnf.xml"
NO_CTL = "ctl not-found"


def cluster(itl="itl-base.tlv", ctl=None, configuration="cfg-sha512.cnf.xml.sgn"):
    """The files of a TFTP server."""
    files = {}
    if itl:
        files["ITLFile.tlv"] = vector(itl)
    if ctl:
        files["CTLFile.tlv"] = vector(ctl)
    if configuration:
        files[SIGNED] = vector(configuration)
    return files


def body(name):
    data = vector(name)
    return data[data.index(b"<?xml") :]
