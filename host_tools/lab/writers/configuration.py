# SPDX-License-Identifier: MIT
"""The XML that a cluster gives its phones: what the trust agent reads, and enough around it to look like a real file."""

from xml.sax.saxutils import escape

from host_tools.lab.writers.kinds import has_tvs

DEVICE_SECURITY = {"none": 1, "authenticated": 2, "encrypted": 3}
CAPF_AUTHENTICATION = {
    "string": 1,
    "none": 2,
    "lsc": 3,
    "mic": 4,
}  # capfAuthMode; 0: nothing to do; 3: the MIC without an LSC
# The phone's built-in directory applications, and what releases before 8.0 have in their place (docs/spec/procedures.md, G4).
BUILT_IN = {"corporate": "Application:Cisco/CorporateDirectory", "personal": "Application:Cisco/PersonalDirectory"}
PLAIN_PATHS = {
    "corporate": "/ccmcip/xmldirectoryinput.jsp",
    "personal": "/ccmpd/pdCheckLogin.do?name=undefined",
}
PLAIN_PORT = 8080
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def tvs_members(nodes, others=None):
    """The <TVS> element: each node that has a TVS port, the publisher first, at most five.

    `others`: [(address, port)] instead, for a phone of another cluster (EMCC), which believes the TVS of its own cluster.
    """
    servers = others or [(node["address"], node["ports"]["tvs"]) for node in nodes if node["ports"].get("tvs")]
    members = "".join(
        f'<member priority="{index}"><port>{port}</port><address>{escape(address)}</address></member>'
        for index, (address, port) in enumerate(servers[:5])
    )
    return f"<TVS><members>{members}</members></TVS>"


def capf_mode(phone):
    """The capfAuthMode of a phone: how it authenticates itself, 0 where no operation is pending."""
    return 0 if phone["capf"]["operation"] == "none" else CAPF_AUTHENTICATION[phone["capf"]["authentication"]]


def capf_list(data):
    """The <capfList> element: the CAPF servers that have a port, the publisher's first."""
    members = "".join(
        f"<capf><phonePort>{node['ports']['capf']}</phonePort>"
        f"<processNodeName>{escape(node['address'])}</processNodeName></capf>"
        for node in data["nodes"][: data["capf_servers"]]
        if node["ports"].get("capf")
    )
    return f"<capfList>{members}</capfList>" if members else ""


def device(data, phone, mac):
    """The whole configuration of one phone as bytes. `data` is the cluster's, `phone` the phone's entry in it."""
    security = "encrypted" if data["mixed"] and phone.get("encrypted") else "none"
    lines = [
        "<fullConfig>true</fullConfig>",
        "<deviceProtocol>SIP</deviceProtocol>",
        f"<phoneLabel>SEP{mac}</phoneLabel>",
        call_managers(data["nodes"]),
    ]
    if has_tvs(data):
        lines.append(tvs_members(data["nodes"], phone.get("tvs")))
    lines += [
        *load_information(phone),
        f"<capfAuthMode>{capf_mode(phone)}</capfAuthMode>",
        capf_list(data),
        *service_urls(data),
        "<certHash></certHash>",
        "<encrConfig>false</encrConfig>",
        f"<deviceSecurityMode>{DEVICE_SECURITY[security]}</deviceSecurityMode>",
    ]
    return document(lines)


def pointer(data, phone, certificate_hash):
    """The small document that sends a phone to its encrypted configuration (docs/spec/formats.md, X3)."""
    return document(
        [
            "<fullConfig>false</fullConfig>",
            *load_information(phone),
            f"<capfAuthMode>{capf_mode(phone)}</capfAuthMode>",
            capf_list(data),
            f"<certHash>{certificate_hash}</certHash>",
            "<encrConfig>true</encrConfig>",
        ]
    )


def load_information(phone):
    """Which load the phone shall run, and the server that has it, if that is not a TFTP server."""
    server = phone.get("load_server", "")
    lines = [f"<loadInformation>{escape(phone['load'])}</loadInformation>"]
    return [*lines, f"<loadServer>{escape(server)}</loadServer>"] if server else lines


def default(data):
    """XMLDefault: the configuration of phones that the cluster does not know, where autoregistration is on."""
    lines = ["<fullConfig>true</fullConfig>", call_managers(data["nodes"])]
    if has_tvs(data):
        lines.append(tvs_members(data["nodes"]))
    return document([*lines, "<deviceSecurityMode>1</deviceSecurityMode>"], "Default")


def call_managers(nodes):
    """The group of call managers, publisher first."""
    members = "".join(
        f'<member priority="{index}"><callManager>{sip_ports(node)}<processNodeName>{escape(node["address"])}'
        f"</processNodeName></callManager></member>"
        for index, node in enumerate(nodes[:3])
    )
    return f"<devicePool><callManagerGroup><members>{members}</members></callManagerGroup></devicePool>"


def sip_ports(node):
    """The port of a node's call manager, if it has one: the same for TCP and (mixed mode) TLS."""
    port = node["ports"].get("sip")
    return f"<ports><sipPort>{port}</sipPort><securedSipPort>{port}</securedSipPort></ports>" if port else ""


def service_urls(data):
    """Where the phone's directory programs go: the secure URL of the publisher, and the URL of each directory service."""
    node = data["nodes"][0]
    lines = []
    secure = data["secure_urls"] == "https"
    port = node["ports"].get("application" if secure else "directory")
    if port:
        url = f"{data['secure_urls']}://{escape(node['address'])}:{port}/directory.xml"
        lines.append(f"<secureDirectoryURL>{url}</secureDirectoryURL>")
    services = "".join(
        f'<phoneService type="1"><name>{which.title()} Directory</name><url>{escape(url)}</url></phoneService>'
        for which, url in sorted(data["directory"].items())
    )
    return [*lines, f'<phoneServices useHTTPS="{str(secure).lower()}">{services}</phoneServices>']


def plain_directory(node, which):
    """The plain URL of a directory on a node, for releases before 8.0 (docs/spec/procedures.md, G4)."""
    return f"http://{node['address']}:{node['ports'].get('directory') or PLAIN_PORT}{PLAIN_PATHS[which]}"


def document(lines, root="device"):
    """A document of `lines` (empty ones left out) in the element `root`, as bytes."""
    body = "".join(f"  {line}\n" for line in lines if line)
    return f"{_HEAD}<{root}>\n{body}</{root}>\n".encode()
