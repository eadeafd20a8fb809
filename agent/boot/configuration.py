# SPDX-License-Identifier: MIT
"""The phone's configuration, signed, encrypted or plain (docs/spec/rules.md, B5).

The rules, in their order:
1. with trust `SEP<MAC>.cnf.xml.sgn`, else `SEP<MAC>.cnf.xml`; where there is neither, the default configuration;
2. a signed one that is no full configuration but says that it is encrypted sends the phone to `.enc.sgn` beside it;
3. that one's signature is judged first; then it is decrypted where it lies, with the LSC, else the MIC. What comes out
   is the configuration. certHash, by which a cluster says to which certificate it encrypted (an MD5 [seen in
   independent files]), is not needed for that: the digest of the plaintext tells which key fits;
4. CAPF is asked once the configuration is known; when that changed the phone's certificate, the cluster has another
   file for it, which is fetched at once;
5. whatever is refused, the phone keeps the configuration that it has.
"""

from agent.boot import outcomes
from agent.errors import Malformed
from agent.flash.buffers import BufferSink
from agent.flash.slot import decode_servers, encode_servers
from agent.formats.phoneconfig import PhoneConfig
from agent.trust.decision import Decision


class ConfigurationStep:
    """Fetches the configuration of a phone (agent.boot.order.Boot). current: PhoneConfig of the stored one, or what is kept of
    it across a restart, or None. name: its file's name, or None."""

    def __init__(self, boot):
        self._boot = boot
        self.current = None
        self.name = None

    def load(self, stored):
        """Take what is stored (None: nothing)."""
        self.current = self.name = None
        name = stored.read("configuration-name") if stored is not None else None
        servers = stored.read("tvs-servers") if stored is not None else None
        if name is not None and servers is not None:
            self.name = str(bytes(name), "utf-8")
            self.current = _Remembered(decode_servers(servers))

    def fetch(self):
        """Fetch it, enrol if the cluster says so, and fetch it again where that changed it. A Decision, recorded."""
        boot = self._boot
        decision, configuration = self._fetch()
        if configuration is None:
            return boot.record(decision)
        boot.enrolment.take(configuration)
        # What cannot be opened is no refusal yet where CAPF may give the phone what opens it.
        waits = decision.reason in ("cannot-decrypt", "no-certificate") and boot.enrolment.wanted
        if waits:
            boot.log("no certificate of this phone opens its configuration; CAPF is asked first")
        else:
            boot.record(decision)
        if boot.enrolment.step():
            return self.fetch_again()
        return boot.record(decision) if waits else decision

    def fetch_again(self):
        """Fetch it without asking CAPF, because the phone's certificate has changed. A Decision, recorded."""
        decision, configuration = self._fetch()
        if configuration is not None:
            self._boot.enrolment.take(configuration)
        return self._boot.record(decision)

    def _fetch(self):
        """(Decision, PhoneConfig of the last document that was believed or None)."""
        boot = self._boot
        own = "%s.cnf.xml" % boot.settings.device
        found = self._signed_or_plain(own)
        if found is None:
            decision = boot.trust.decide_autoregistration("XMLDefault.cnf.xml")
            if not decision.accepted:
                return decision, None
            boot.log(decision.text)
            found = self._signed_or_plain("XMLDefault.cnf.xml")
        return found or (outcomes.no_configuration(own), None)

    def _signed_or_plain(self, name):
        """One configuration: signed where trust is installed, else unsigned. As _fetch; None where there is no file."""
        boot = self._boot
        buffer = boot.pool.take()
        try:
            if boot.trust.has_trust:
                found = self._one(name + ".sgn", buffer)
                if found is not None:
                    return found
            # With trust this can only end in a refusal, but one that says what the server offers instead.
            return self._one(name, buffer)
        finally:
            boot.pool.give(buffer)

    def _one(self, name, buffer):
        """Fetch, judge and read one file, and the encrypted one if it sends there. As _signed_or_plain."""
        boot = self._boot
        limit = boot.settings.configuration_limit
        sink = BufferSink(buffer)
        failure = boot.fetch(name, sink, limit)
        if failure is not None:
            return None if failure.reason == "not-found" else (outcomes.failed(name, failure), None)
        data = sink.data
        decision = boot.resolve(boot.trust.decide_file(name, data, limit))
        if not decision.accepted:
            return decision, None
        body = data[decision.body :]
        decision, configuration = self._read(name, buffer, len(body), decision)
        if configuration is None:
            return decision, None
        if configuration.encrypted and not configuration.full:
            boot.record(decision)
            del body, data  # the buffer is used again
            return self._encrypted(name, buffer), configuration
        return self._keep(name, body, configuration, decision), configuration

    def _read(self, name, buffer, length, decision):
        """Read the `length` bytes of content in `buffer`: (decision with its notes, PhoneConfig), or (refusal, None)."""
        try:
            configuration = PhoneConfig(buffer, decision.body, decision.body + length)
        except Malformed as error:
            error.file = name
            return Decision(
                False, "bad-configuration", name, outcomes.bad_configuration(error), decision.evidence
            ), None
        decision.warnings += configuration.notes
        return decision, configuration

    def _encrypted(self, name, buffer):
        """Fetch and open the encrypted file that the small document `name` sends to. A Decision."""
        from agent.formats.encrypted import decrypt
        from agent.formats.header import Header

        boot = self._boot
        name = (name[:-4] if name.endswith(".sgn") else name) + ".enc.sgn"
        keys = boot.identity.private_keys()
        if not keys:
            return outcomes.no_key(name)
        limit = boot.settings.configuration_limit
        sink = BufferSink(buffer)
        failure = boot.fetch(name, sink, limit)
        if failure is not None:
            return outcomes.failed(name, failure)
        data = sink.data
        decision = boot.resolve(boot.trust.decide_file(name, data, limit))
        if not decision.accepted:
            return decision
        body = data[decision.body :]
        try:
            header = Header(data)
            if header.encryption is None:
                raise Malformed("it has no encryption tags in its header", None, None)
            length = None
            for key in keys:
                length = length if length is not None else decrypt(boot.hal.crypto, key, header, body)
        except Malformed as error:
            error.file = name
            return Decision(False, "bad-configuration", name, outcomes.bad_configuration(error), decision.evidence)
        if length is None:
            return outcomes.cannot_decrypt(name, decision.evidence)
        decision, configuration = self._read(name, buffer, length, decision)
        if configuration is None:
            return decision
        return self._keep(name, body[:length], configuration, decision)

    def _keep(self, name, body, configuration, decision):
        """Store an accepted configuration unless it is the one that is stored; decision, or why it is not stored."""
        boot = self._boot
        changes = {
            "configuration-name": name.encode(),
            "configuration": body,
            "tvs-servers": encode_servers(configuration.tvs),
        }
        if not _is_stored(boot.store.current, changes):
            failure = boot.save(name, changes, decision.evidence)
            if failure is not None:
                return failure
        self.current = configuration
        self.name = name
        boot.name_tvs_servers()
        return decision


def _is_stored(stored, changes):
    """Whether the store has exactly these sections already: flash wears, and most boots change nothing."""
    try:
        return stored is not None and all([stored.holds(name, changes[name]) for name in changes])
    except OSError:
        return False  # saving finds out what is wrong


class _Remembered:
    """What is kept of a configuration across a restart."""

    def __init__(self, servers):
        self.tvs = servers
