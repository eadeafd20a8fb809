# SPDX-License-Identifier: MIT
"""The XML a cluster gives its phones: what the trust agent reads of it, and enough around it to look like one."""

from xml.sax.saxutils import escape

DEVICE_SECURITY = {"none": 1, "authenticated": 2, "encrypted": 3}
CAPF_AUTHENTICATION = {"string": 1, "none": 2, "lsc": 3, "mic": 4}  # capfAuthMode; 0: nothing to do
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def tvs_members(nodes):
    """The <TVS> element: each node that has a TVS port, the publisher first, at most five."""
    members = "".join(
        f'<member priority="{index}"><port>{node["ports"]["tvs"]}</port>'
        f"<address>{escape(node['address'])}</address></member>"
        for index, node in enumerate([node for node in nodes if node["ports"].get("tvs")][:5])
    )
    return f"<TVS><members>{members}</members></TVS>"


def capf_mode(phone):
    """The capfAuthMode of a phone: how it is to authenticate itself, 0 where no operation is pending."""
    return 0 if phone["capf"]["operation"] == "none" else CAPF_AUTHENTICATION[phone["capf"]["authentication"]]


def capf_list(nodes):
    """The <capfList> element: the publisher's CAPF, if it has a port."""
    port = nodes[0]["ports"].get("capf")
    if not port:
        return ""
    return (
        f"<capfList><capf><phonePort>{port}</phonePort>"
        f"<processNodeName>{escape(nodes[0]['address'])}</processNodeName></capf></capfList>"
    )


def device(data, phone, mac):
    """The whole configuration of one phone as bytes. `data` is the cluster's, `phone` the phone's entry in it."""
    security = "encrypted" if data["mixed"] and phone.get("encrypted") else "none"
    lines = [
        "<fullConfig>true</fullConfig>",
        "<deviceProtocol>SIP</deviceProtocol>",
        f"<phoneLabel>SEP{mac}</phoneLabel>",
        call_managers(data["nodes"]),
    ]
    if not data["pre8"]:
        lines.append(tvs_members(data["nodes"]))
    lines += [
        *load_information(phone),
        f"<capfAuthMode>{capf_mode(phone)}</capfAuthMode>",
        capf_list(data["nodes"]),
        service_address(data["nodes"][0]),
        "<certHash></certHash>",
        "<encrConfig>false</encrConfig>",
        f"<deviceSecurityMode>{DEVICE_SECURITY[security]}</deviceSecurityMode>",
    ]
    return document(lines)


def pointer(data, phone, certificate_hash):
    """The small document that sends a phone to its encrypted configuration (spec/trust-files.md)."""
    return document(
        [
            "<fullConfig>false</fullConfig>",
            *load_information(phone),
            f"<capfAuthMode>{capf_mode(phone)}</capfAuthMode>",
            capf_list(data["nodes"]),
            f"<certHash>{certificate_hash}</certHash>",
            "<encrConfig>true</encrConfig>",
        ]
    )


def load_information(phone):
    """Which load the phone is to run, and where it is, if that is another server."""
    server = phone.get("load_server", "")
    lines = [f"<loadInformation>{escape(phone['load'])}</loadInformation>"]
    return [*lines, f"<loadServer>{escape(server)}</loadServer>"] if server else lines


def default(data):
    """XMLDefault: what a phone gets that the cluster does not know, where autoregistration is on."""
    lines = ["<fullConfig>true</fullConfig>", call_managers(data["nodes"])]
    if not data["pre8"]:
        lines.append(tvs_members(data["nodes"]))
    return document([*lines, "<deviceSecurityMode>1</deviceSecurityMode>"], "Default")


def call_managers(nodes):
    """The group of call managers, publisher first."""
    members = "".join(
        f'<member priority="{index}"><callManager><processNodeName>{escape(node["address"])}'
        f"</processNodeName></callManager></member>"
        for index, node in enumerate(nodes[:3])
    )
    return f"<devicePool><callManagerGroup><members>{members}</members></callManagerGroup></devicePool>"


def service_address(node):
    """The secure directory URL on the publisher's application server, if it has a port."""
    port = node["ports"].get("application")
    return (
        f"<secureDirectoryURL>https://{escape(node['address'])}:{port}/directory.xml</secureDirectoryURL>"
        if port
        else ""
    )


def document(lines, root="device"):
    """A document of `lines` (empty ones left out) in the element `root`, as bytes."""
    body = "".join(f"  {line}\n" for line in lines if line)
    return f"{_HEAD}<{root}>\n{body}</{root}>\n".encode()
