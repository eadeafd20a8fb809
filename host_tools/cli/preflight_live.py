# SPDX-License-Identifier: MIT
"""`phonetrust preflight --from HOST`: one boot of a phone against servers that run now, TVS really asked."""

import asyncio

from agent.errors import SettingsError
from agent.flash.keeper import Configuration
from agent.servers.tvs.client import TvsClient
from agent.settings import Settings
from hal.host import Hal
from host_tools.cli import parts
from host_tools.live.files import LiveFiles
from host_tools.trial.phone import TrialPhone


def run(host, held, asker, mac, http):
    """The result, ready for JSON. held: preflight.Held. asker: what --tvs or --tvs-store name, or None: the servers that the
    phone's lists and configuration name. http: settings for files by HTTP, or {}."""
    try:
        settings = Settings(
            {
                "mac": mac or "000000000000",
                "tftp": [host],
                "policy": held.policy,
                "size_limit": held.size_limit,
                "refuse_weak": held.refuse_weak,
                "replay": held.replay,
                **http,
            },
            "--from or --phone",
        )
    except SettingsError as error:
        parts.leave(parts.CANNOT_TELL, str(error))
    hal = Hal()
    log = []
    files = LiveFiles(hal, settings, log.append)
    if asker is None:
        asker = TvsClient(hal.net, hal.clock, hal.random, settings.full_name, settings.tvs_timeout)  # pyright: ignore[reportAttributeAccessIssue]
    kept = None if held.tvs is None else Configuration(f"{settings.device}.cnf.xml.sgn", held.tvs, None)
    phone = TrialPhone(settings, held.crypto, files, asker, held.itl, held.ctl, None, kept, hal.clock)
    files.accept = phone.accepts_web_server

    async def boot():
        try:
            return await phone.run()
        finally:
            files.close()

    decisions = asyncio.run(boot())
    return {
        "device": settings.device,
        "server": host,
        "accepted": all(decision.accepted for decision in decisions),
        "reached": bool(files.got) or not files.failed,
        "mode": phone.trust.mode,
        "decisions": [decision.as_dict() for decision in decisions],
        "files": {
            name: {"bytes": len(content), "way": way, "server": server}
            for name, (content, way, server) in files.got.items()
        },
        "log": log,
    }
