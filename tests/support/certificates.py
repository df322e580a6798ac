"""Certificates that nobody has signed."""

import subprocess
from pathlib import Path

from support.processes import PATIENCE_S


def make_certificate(folder: Path) -> None:
    """`cert.pem` and `key.pem` of this machine's loopback."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
        check=True, capture_output=True, timeout=PATIENCE_S,
    )  # fmt: skip
