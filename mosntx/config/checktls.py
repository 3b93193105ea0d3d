"""Cross-checks of TLS contexts that are on: certificates, keys, names of ciphers and curves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mosntx.config.checking import Checking
from mosntx.config.files import readFile
from mosntx.config.nodes import ConfigSyntaxError, quote
from mosntx.config.report import suggestAmong
from mosntx.config.schema import TlsContext
from mosntx.config.schema.tls import TLS_VERSIONS

PEM_BEGIN: Final = "-----BEGIN"
CIPHERS: Final = frozenset(
    {"AES256-GCM-SHA384", "AES128-GCM-SHA256", "RSA-AES256-CBC-SHA", "RSA-AES128-CBC-SHA"}
    | {"ECDHE-RSA-3DES-EDE-CBC-SHA", "RSA-3DES-EDE-CBC-SHA"}
    | {f"ECDHE-{kind}-AES256-GCM-SHA384" for kind in ("ECDSA", "RSA")}
    | {f"ECDHE-{kind}-AES128-GCM-SHA256" for kind in ("ECDSA", "RSA")}
    | {f"ECDHE-{kind}-WITH-CHACHA20-POLY1305" for kind in ("ECDSA", "RSA")}
    | {f"ECDHE-{kind}-CHACHA20-POLY1305" for kind in ("ECDSA", "RSA")}
    | {f"ECDHE-{kind}-AES256-CBC-SHA" for kind in ("ECDSA", "RSA")}
    | {f"ECDHE-{kind}-AES128-CBC-SHA" for kind in ("ECDSA", "RSA")}
)
"""MOSN's names of cipher suites (pkg/mtls/ciphers.go), and OpenSSL's for ChaCha20."""
CURVES: Final = frozenset({"x25519", "p256", "p384", "p521"})
ALPN: Final = frozenset({"h2", "http/1.1", "sofa"})


def checkTls(check: Checking) -> None:
    """All contexts that are on; nothing when this build has no TLS, which is an error already."""
    if "tls" not in check.decoder.names.features:
        return
    for context, isServer in _contexts(check):
        if context.status:
            checkCertificates(check, context, isServer)
            checkAuthorities(check, context)
            checkWords(check, context)


def _contexts(check: Checking) -> Iterator[tuple[TlsContext, bool]]:
    """All contexts, and whether they are those of a server."""
    for listener in check.config.server.listeners:
        for context in listener.tlsContexts:
            yield context, True
    manager = check.config.cluster_manager
    for client in (manager.tls_context, *(cluster.tls_context for cluster in manager.clusters)):
        if client is not None:
            yield client, False


def checkCertificates(check: Checking, context: TlsContext, isServer: bool) -> None:
    """A server has a certificate; certificate and key are readable and belong together."""
    report = check.warning if isServer and context.fall_back else check.error
    chain, secret = context.cert_chain, context.private_key
    if context.sds_source is not None or (not isServer and not chain and not secret):
        return
    for name, value in (("cert_chain", chain), ("private_key", secret)):
        if not value:
            message = f"TLS is on, but there is no '{name}'"
            report(context.path, message, f"add '{name}': a file or PEM text")
    if not chain or not secret:
        return
    if (PEM_BEGIN in chain) != (PEM_BEGIN in secret):
        message = "'cert_chain' and 'private_key' must both be files or both be PEM text"
        report(f"{context.path}.private_key", message)
        return
    try:
        certificate = _publicKeys(_pem(chain))[0]
    except (OSError, ValueError) as error:
        report(f"{context.path}.cert_chain", f"{_source(chain)} {error}")
        return
    try:
        matches = _publicKey(_pem(secret)) == certificate
    except (OSError, ValueError, TypeError) as error:
        report(f"{context.path}.private_key", f"{_source(secret)} {error}")
        return
    if not matches:
        report(f"{context.path}.private_key", "the key does not belong to the certificate")


def checkAuthorities(check: Checking, context: TlsContext) -> None:
    """The authorities to trust are readable."""
    if not context.ca_cert:
        return
    try:
        _publicKeys(_pem(context.ca_cert))
    except (OSError, ValueError) as error:
        check.error(f"{context.path}.ca_cert", f"{_source(context.ca_cert)} {error}")


def checkWords(check: Checking, context: TlsContext) -> None:
    """Names of ciphers, curves, protocols, and the order of versions."""
    for name in filter(None, context.cipher_suites.split(":")):
        if name not in CIPHERS:
            message = f"unknown cipher suite {quote(name)}"
            check.error(f"{context.path}.cipher_suites", message, suggestAmong(name, CIPHERS))
    for name in filter(None, context.ecdh_curves.split(",")):
        if name.strip().lower() not in CURVES:
            message = f"unknown curve {quote(name)}"
            check.error(f"{context.path}.ecdh_curves", message, suggestAmong(name, CURVES))
    for name in filter(None, context.alpn.split(",")):
        if name.strip().lower() not in ALPN:
            message = f"unknown protocol {quote(name)}: left out"
            check.warning(f"{context.path}.alpn", message, suggestAmong(name, ALPN))
    low, high = (
        TLS_VERSIONS.index(v or "TLS_AUTO") for v in (context.min_version, context.max_version)
    )
    if low and high and low > high:
        message = f"{context.min_version} is newer than 'max_version' {context.max_version}"
        check.error(f"{context.path}.min_version", message)


def _source(text: str) -> str:
    """Where PEM text comes from, without showing it."""
    return "the PEM text" if PEM_BEGIN in text else f"file {quote(text)}"


def _pem(text: str) -> bytes:
    """PEM text, from a file unless it is given itself.

    :raises ValueError: when the file cannot be read.
    """
    if PEM_BEGIN in text:
        return text.encode()
    try:
        return readFile(text).encode()
    except ConfigSyntaxError as error:
        raise ValueError(error.message) from None


def _publicKeys(pem: bytes) -> list[bytes]:
    """The public keys of all certificates in a PEM text.

    :raises ValueError: when there is none.
    """
    from cryptography import x509

    try:
        return [_spki(one.public_key()) for one in x509.load_pem_x509_certificates(pem)]
    except Exception as error:  # the library raises many kinds for broken ASN.1
        raise ValueError(f"contains no usable certificate: {error}") from None


def _publicKey(pem: bytes) -> bytes:
    """The public key that belongs to a private key in PEM text.

    :raises ValueError: when there is no private key, or it needs a password.
    """
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return _spki(load_pem_private_key(pem, password=None).public_key())
    except TypeError:
        raise ValueError("is encrypted: a key without password is needed") from None
    except Exception:  # many kinds again; their text might show parts of the key
        raise ValueError("contains no usable private key") from None


def _spki(publicKey: object) -> bytes:
    """A public key as octets, to compare."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    encode = getattr(publicKey, "public_bytes")  # noqa: B009 - a union of classes with the method
    octets: bytes = encode(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return octets
