"""Tests of `mosntx.config.checktls`."""

from __future__ import annotations

import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from twisted.trial.unittest import SynchronousTestCase

from tests.config import samples
from tests.config.samples import SMALL_BUILD, found, problemsOf

CONTEXT = "servers[0].listeners[0].filter_chains[0].tls_context"


def makePair() -> tuple[str, ec.EllipticCurvePrivateKey]:
    """A certificate signed by itself, as PEM text, and its key."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(secret.public_key()).serial_number(1)
    start = datetime.datetime(2020, 1, 1)
    builder = builder.not_valid_before(start).not_valid_after(datetime.datetime(2120, 1, 1))
    certificate = builder.sign(secret, hashes.SHA256())
    return certificate.public_bytes(Encoding.PEM).decode(), secret


def pem(secret: ec.EllipticCurvePrivateKey, password: bytes = b"") -> str:
    """A key as PEM text."""
    how = BestAvailableEncryption(password) if password else NoEncryption()
    return secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()


class TlsTests(SynchronousTestCase):
    """Contexts that are switched on."""

    def setUp(self) -> None:
        self.certificate, self.secret = makePair()

    def context(self, **more: Any) -> dict[str, Any]:
        """A listener with TLS."""
        good = {"status": True, "cert_chain": self.certificate, "private_key": pem(self.secret)}
        chain = {"tls_context": {**good, **more}, "filters": [samples.proxy()]}
        return samples.withListener(filter_chains=[chain])

    def keys(self, **more: Any) -> list[tuple[str, str]]:
        """Findings relative to the context."""
        return [(s, p.removeprefix(CONTEXT + ".")) for s, p in found(self.context(**more))]

    def test_good(self) -> None:
        """PEM text, and files."""
        self.assertEqual(self.keys(ca_cert=self.certificate, alpn="h2,http/1.1"), [])
        for name, text in (("c.pem", self.certificate), ("k.pem", pem(self.secret))):
            with open(name, "w") as file:
                file.write(text)
        self.assertEqual(self.keys(cert_chain="c.pem", private_key="k.pem", ca_cert="c.pem"), [])

    def test_offIsNotLookedAt(self) -> None:
        """A context that is off may name anything."""
        obj = self.context(status=False, cert_chain="nowhere", cipher_suites="x")
        self.assertEqual(found(obj, SMALL_BUILD), [])

    def test_neverPlainTextInstead(self) -> None:
        """A build without TLS refuses listeners and clusters that ask for it."""
        (problem,) = problemsOf(self.context(), SMALL_BUILD)
        self.assertEqual((problem.severity, problem.path), ("error", f"{CONTEXT}.status"))
        self.assertIn("plain text must not stand in", problem.message)
        cluster = samples.withCluster(tls_context={"status": True})
        path = "cluster_manager.clusters[0].tls_context.status"
        self.assertEqual(found(cluster, SMALL_BUILD), [("error", path)])
        self.assertEqual(found(cluster), [])

    def test_missing(self) -> None:
        """A listener needs certificate and key, unless it may fall back."""
        self.assertEqual(self.keys(cert_chain=""), [("error", CONTEXT)])
        self.assertEqual(self.keys(private_key="", fall_back=True), [("warning", CONTEXT)])

    def test_unreadable(self) -> None:
        """Files that are missing or contain something else."""
        self.assertEqual(
            self.keys(cert_chain="no.pem", private_key="no.pem"), [("error", "cert_chain")]
        )
        with open("junk.pem", "w") as file:
            file.write("junk")
        self.assertEqual(self.keys(ca_cert="junk.pem"), [("error", "ca_cert")])
        junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        self.assertEqual(self.keys(cert_chain=junk), [("error", "cert_chain")])
        self.assertEqual(self.keys(private_key=junk), [("error", "private_key")])

    def test_mismatch(self) -> None:
        """A key of another certificate, a key with a password, a file beside PEM text."""
        other = pem(makePair()[1])
        self.assertEqual(self.keys(private_key=other), [("error", "private_key")])
        locked = pem(self.secret, b"secret")
        self.assertEqual(self.keys(private_key=locked), [("error", "private_key")])
        self.assertEqual(self.keys(private_key="k.pem"), [("error", "private_key")])

    def test_secretsAreNotShown(self) -> None:
        """No message contains a key, whatever is wrong with it."""
        text = pem(makePair()[1])
        for value in (text, text.replace("M", "N"), [text], {"a": text}):
            for problem in problemsOf(self.context(private_key=value)):
                self.assertNotIn(text.splitlines()[1][:20], str(problem))

    def test_words(self) -> None:
        """Ciphers, curves, versions; unknown application protocols are left out."""
        suites = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-WITH-CHACHA20-POLY1305"
        self.assertEqual(self.keys(cipher_suites=suites, ecdh_curves="P256,X25519"), [])
        self.assertEqual(self.keys(cipher_suites="RC4"), [("error", "cipher_suites")])
        self.assertEqual(self.keys(ecdh_curves="p255"), [("error", "ecdh_curves")])
        self.assertEqual(self.keys(min_version="TLSv1_4"), [("error", "min_version")])
        self.assertEqual(self.keys(min_version="tlsv1_2", max_version="TLS_AUTO"), [])
        self.assertEqual(
            self.keys(min_version="TLSv1_3", max_version="TLSv1_2"), [("error", "min_version")]
        )
        self.assertEqual(self.keys(alpn="h3"), [("warning", "alpn")])

    def test_oldVerifyServer(self) -> None:
        """`verify_server: false` of 0.1 is `insecure_skip`, and is warned about."""
        obj = self.context(verify_server=False)
        self.assertEqual(found(obj), [("warning", f"{CONTEXT}.verify_server")])
        (context,) = samples.load(obj).config.server.listeners[0].tlsContexts
        self.assertTrue(context.insecure_skip)
