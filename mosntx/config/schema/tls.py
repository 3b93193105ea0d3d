"""TLS contexts of listeners and clusters (MOSN pkg/config/v2/tls.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from mosntx.config.schema.base import IGNORED, Located, Secret, option

TLS_VERSIONS = ("TLS_AUTO", "TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3")


@attrs.frozen(kw_only=True)
class TlsContext(Located):
    """How one side of a connection speaks TLS; nothing counts while `status` is false."""

    status: bool = option("Switches this context on.", default=False)
    type: str = option("Name of a registered extension; an unknown one is the default.", default="")
    server_name: str = option(
        "Client: the name to ask for and verify. Server: one more name to choose this context by.",
        default="",
    )
    ca_cert: str = option(
        "PEM text or file with the authorities to trust.",
        default="",
        absent="the system's authorities",
    )
    cert_chain: str = option("PEM text or file with the certificate chain.", default="")
    private_key: Secret = option(
        "PEM text or file with the private key; the same kind as `cert_chain`.", default=""
    )
    verify_client: bool = option(
        "Server: verify the client's certificate if it sends one.", default=False
    )
    require_client_cert: bool = option(
        "Server: ask for a client certificate; together with `verify_client` refuse without one.",
        default=False,
    )
    insecure_skip: bool = option("Client: do not verify the server.", default=False)
    cipher_suites: str = option(
        "OpenSSL-like names joined by colons.", default="", absent="the library's"
    )
    ecdh_curves: str = option(
        "`x25519`, `p256`, `p384`, `p521`, joined by commas.", default="", absent="the library's"
    )
    min_version: str = option(
        "The oldest version to speak.",
        default="",
        choices=("", *TLS_VERSIONS),
        fold=True,
        absent="TLS 1.0",
    )
    max_version: str = option(
        "The newest version to speak.",
        default="",
        choices=("", *TLS_VERSIONS),
        fold=True,
        absent="TLS 1.3",
    )
    alpn: str = option("`h2`, `http/1.1`, `sofa`, joined by commas.", default="")
    ticket: Secret = option("Key of session tickets.", default="")
    fall_back: bool = option(
        "Plain text if the certificate is unusable (server) or the handshake fails (client).",
        default=False,
    )
    extend_verify: Mapping[str, Any] = option(
        "Settings of the extension named by `type`.", factory=dict
    )
    callbacks: tuple[str, ...] = option(
        "Names of secret discovery callbacks.", default=(), status=IGNORED
    )
    sds_source: Any = option(
        "Where a secret discovery service gives the certificates.", default=None, feature="sds"
    )
    inspector: bool = option(
        "The place of the listener's `inspector` in 0.1 and 0.2.", default=False
    )
    verify_server: bool | None = option(
        "Of 0.1: false means `insecure_skip`.", default=None, absent="the server is verified"
    )
