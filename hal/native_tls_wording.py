# SPDX-License-Identifier: MIT
"""Sentences that say why a TLS connection ended. An administrator can act on them."""

# The handshake messages of a server, by their type (RFC 8446, 4; RFC 5246, 7.4).
MESSAGES = {
    2: "ServerHello",
    8: "EncryptedExtensions",
    11: "Certificate",
    12: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    20: "Finished",
}

# Alerts that servers send (RFC 8446, 6; RFC 5246, 7.2): number -> (name, advice or None).
ALERTS = {
    10: ("unexpected_message", None),
    20: ("bad_record_mac", None),
    40: (
        "handshake_failure",
        "see that it has a cipher suite with ECDHE and AES-GCM or ChaCha20, P-256, P-384 or P-521, and an RSA or EC key",
    ),
    42: ("bad_certificate", "see that it trusts the issuer of this phone's certificate"),
    43: ("unsupported_certificate", "see that it takes this phone's kind of certificate"),
    44: ("certificate_revoked", "give this phone a new certificate"),
    45: ("certificate_expired", "give this phone a new certificate, and see that the server's clock is right"),
    46: ("certificate_unknown", "see that it trusts the issuer of this phone's certificate"),
    47: ("illegal_parameter", None),
    48: ("unknown_ca", "see that it trusts the issuer of this phone's certificate"),
    49: ("access_denied", "see that it lets this phone in"),
    50: ("decode_error", None),
    51: ("decrypt_error", None),
    70: ("protocol_version", "switch on TLS 1.2 or 1.3 there"),
    71: ("insufficient_security", "this phone's key or certificate is too weak for it, or its suites are not offered"),
    80: ("internal_error", "look into its log"),
    112: ("unrecognized_name", "it has no certificate for the name that it was asked by"),
    116: ("certificate_required", "give this phone a certificate"),
}
HANDSHAKE_FAILURE = 40

SENTENCES = {
    "tls-version": "the server has neither TLS 1.2 nor 1.3: switch one of them on there",
    "tls-parameters": "the server chose parameters that were not offered: look for a device between the phone and the server",
    "tls-certificate": "the server's certificate is missing, unreadable or longer than 8192 bytes: give it another one",
    "tls-key": "the server's certificate has a key of an unsupported kind: RSA up to 4096 bits (not an RSASSA-PSS key)"
    " or EC on P-256, P-384 or P-521 is needed",
    "tls-proof": "the server did not prove that it has the key of its certificate: it may be an impostor, or its key and"
    " certificate do not belong together",
    "tls-scheme": "the server signs in a way that was not offered, or for such a curve: allow it PKCS #1, RSA-PSS or ECDSA"
    " signatures with SHA-256, SHA-384 or SHA-512, and P-256, P-384 or P-521",
    "tls-record": "a record is malformed, too long or one of many empty ones, or it was altered on its way",
    "tls-message": "a message of the server is malformed, too long or not due",
    "tls-identity": "the server takes no signature that the key of this phone's certificate can make: allow it RSA-PSS or ECDSA"
    " signatures with SHA-256, SHA-384 or SHA-512, or give this phone a certificate of another kind",
    "tls-key-update": "the server changed its keys within the connection (KeyUpdate), which this phone does not follow: do not"
    " let it do that, or let it end at TLS 1.2",
    "tls-bytes": "the server sent more than 64 KB during the handshake",
    "tls-records": "the server sent more than 64 records without progress",
    "tls-alerts": "the server sent more than 4 alerts",
    "tls-closed": "the server ended the connection by close_notify during the handshake",
    "tls-cut": "the connection ended without the server's end of TLS: the server broke off, or somebody cut it",
    "random": "the system gives no random bytes",
}


def sentence(failure, alert, awaited, asked, cause, shown):
    """A sentence about the failure of this name. alert, awaited, asked, cause: facts 2, 3, 6 and 10 of phonetrust_tls_facts.

    shown: whether the phone has a certificate for a server that asks for one."""
    if failure == "tls-alert":
        name, advice = ALERTS.get(alert, ("unknown", None))
        if alert == HANDSHAKE_FAILURE and asked:  # by then the cipher suite is agreed; TLS 1.2 has no alert for this
            advice = "it asked for a certificate: " + (
                "see that it takes this phone's certificate" if shown else "give this phone one"
            )
        text = "the server ended the connection with alert %d (%s)" % (alert, name)
        return text + ": " + advice if advice else text
    text = SENTENCES.get(failure)
    if text is None:
        return "a fault of the phone: %s, cause -0x%04x" % (failure, cause)
    if failure == "tls-message" and MESSAGES.get(awaited) == "Certificate":
        return text + " (its Certificate was due, which may have 16 KB with its chain)"
    if awaited in MESSAGES and failure != "tls-version":
        text += " (its %s was due)" % MESSAGES[awaited]
    return text
