# SPDX-License-Identifier: MIT
"""Makes the files of this folder anew, with new keys: python -m tests.vectors_own.make

large-old.tlv, large-new.tlv            two ITLs of exactly 65536 bytes, the most that a phone takes, signed by the same SAST
large-ctl-old.tlv, large-ctl-new.tlv    two CTLs of that size, likewise
large.cnf.xml.sgn               a configuration of 20 KB, signed by the TFTP certificate of both lists"""

from pathlib import Path

from host_tools.lab.model.keys import KeyMaker, make_identity
from host_tools.lab.writers import files

FOLDER = Path(__file__).resolve().parent
LIMIT = 65536
NAME = "SEP00270DC01C92.cnf.xml.sgn"
TIMESTAMP = 1767225600  # 2026-01-01


def fill(name, signer, records, others, timestamp):
    """A list of exactly LIMIT bytes: more and more records, and the DNS name of the last one makes up the rest."""

    def size(with_records):
        return len(files.trust_list(name, signer, with_records, timestamp))

    records = list(records)
    while True:
        more = files.record(next(others).certificate, files.APP_SERVER)
        if size([*records, more]) > LIMIT - 300:
            break
        records.append(more)
    last = next(others).certificate
    spare = LIMIT - size([*records, files.record(last, files.APP_SERVER, dns_name="")])
    while spare < 0:
        records.pop()
        spare = LIMIT - size([*records, files.record(last, files.APP_SERVER, dns_name="")])
    records.append(files.record(last, files.APP_SERVER, dns_name="x" * spare))
    return files.trust_list(name, signer, records, timestamp)


def main():
    """Write the files."""
    keys = KeyMaker()
    signer = make_identity("large-recovery", keys.rsa())
    tftp = make_identity("large-tftp", keys.rsa())
    tvs = make_identity("large-tvs", keys.rsa())
    others = [make_identity(f"application-{number}", keys.rsa(), signer) for number in range(50)]
    records = [
        files.record(signer.certificate, files.SAST),
        files.record(tftp.certificate, files.CCM_TFTP),
        files.record(tvs.certificate, files.TVS, dns_name="tvs.lab.example"),
    ]
    for age, timestamp in (("old", TIMESTAMP), ("new", TIMESTAMP + 86400)):
        for prefix, name in (("large-", files.ITL_NAME), ("large-ctl-", files.CTL_NAME)):
            data = fill(name, signer, records, iter(others), timestamp)
            assert len(data) == LIMIT, len(data)
            (FOLDER / f"{prefix}{age}.tlv").write_bytes(data)
    member = '<member priority="%d"><port>2445</port><address>tvs%d.lab.example</address></member>'
    lines = ["<TVS><members>" + "".join(member % (n, n) for n in range(5)) + "</members></TVS>"]
    lines += [f"<softKey{number}><name>Key {number}</name><value>on</value></softKey{number}>" for number in range(320)]
    body = '<?xml version="1.0" encoding="UTF-8"?>\n<device>\n' + "\n".join(lines) + "\n</device>\n"
    (FOLDER / "large.cnf.xml.sgn").write_bytes(files.signed_file(NAME, body.encode(), tftp, TIMESTAMP))


if __name__ == "__main__":
    main()
