# SPDX-License-Identifier: MIT
"""`phonetrust board run BOARD --sip`: the image with a SIP phone, and sentences about what happens at the cluster."""

from host_tools.image import board as boards
from host_tools.image import build as builder
from host_tools.image.command_parts import steps

PROGRAM = boards.TOP / "host_tools" / "sip" / "sip-phone"


def image(described):
    """Build the board's image with the SIP phone beside the agent -> its file."""
    target = boards.TOP / "build/image" / f"{described.name}-sip.img"
    with steps() as report:
        builder.build(described, boards.TOP, target, builder.Content(programs=[str(PROGRAM)]), report)
    return target


def prepare(cluster, mac):
    """Let the cluster's CAPF issue an LSC to a phone that has none, without asking for proof."""
    if cluster.phone_certificate(mac, "lsc") is None:
        cluster.set_capf(mac, "install")


def words(event):
    """What an event of the lab's servers means for the phone, as one sentence; None for events that are not about it."""
    device, what = event.get("device", "the phone"), event["what"]
    if event["service"] == "capf" and what == "issued":
        return f"CAPF gave {device} a certificate (LSC), serial {event['serial']}: its key never left the board"
    if event["service"] != "sip":
        return None
    if what == "registered" and event["transport"] == "tls":
        return f"{device} is registered by mutual TLS, with the certificate of serial {event['serial']}"
    return {
        "registered": f"{device} is registered by TCP",
        "unregistered": f"{device} is not registered any more",
        "refused": f"the call manager refused {device}: its certificate is another device's",
        "failed connection": f"a connection to the call manager failed: {event.get('text')}",
        "restarted": "the call manager was started anew, with today's certificates",
    }.get(what)
