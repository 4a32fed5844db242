"""A certificate for this machine's own address, for tests; skipped with a word where openssl is not."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

from tests.machine import not_here


def made_in(folder: Path) -> tuple[Path, Path]:
    """The files of a certificate that vouches for itself, and of its key."""
    if shutil.which("openssl") is None:
        not_here("no openssl on this machine (Debian: apt install openssl)")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(key), "-out", str(certificate),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def of_a_server(certificate: Path, key: Path) -> ssl.SSLContext:
    """What a server on loopback shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
