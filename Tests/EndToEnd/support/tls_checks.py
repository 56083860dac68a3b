"""Checks of TLS peers with the tests' authority, and the configuration that they need."""

import pathlib

from support import network as net
from support.certificates import HOST

PORT = 8211
BOTH, HALF = "both.example.test", "half.example.test"


def material(authorities) -> tuple[dict, dict]:
    """The configuration's entries for TLS, and their files."""
    clients = {"probe": authorities.client, "stranger": authorities.stranger_client, "old": authorities.expired_client}
    clients["weak"] = authorities.rsa1024
    files = {"tests.pem": authorities.root_pem, "both.pem": authorities.pem(authorities.other_root.certificate)}
    files["both.pem"] += authorities.root_pem
    certificates = {}
    for name, identity in clients.items():
        files[f"{name}.pem"] = pathlib.Path(identity.chain_file).read_text()
        files[f"{name}.key"] = pathlib.Path(identity.key_file).read_text()
        certificates[name] = {"certificate": f"{name}.pem", "key": f"{name}.key"}
    certificates["elsewhere"] = {**certificates["probe"], "targets": ["*.internal.test:443"]}
    entries = {"tests": {"file": "tests.pem"}, "both": {"file": "both.pem"}}
    return {"authorities": entries, "client_certificates": certificates}, files


def check(api, port: int, address: str = net.OPEN, members: dict | None = None, **tls) -> dict:
    """A check of an address with the certificates' name as server name and the tests' authority."""
    options = {"server_name": HOST, "ca": "tests", **tls}
    return api.check(f"tcp://{address}:{port}", tls=options, timeout_ms=10000, **(members or {}))
