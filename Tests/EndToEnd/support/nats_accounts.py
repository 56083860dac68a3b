"""What `nsc` makes: an operator, an account and a user of NATS, as JSON Web Tokens signed with Ed25519 (nkeys)."""

import base64
import binascii
import hashlib
import json
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# The first byte of a key says what it is for; in base32 it is the letter O, A, U or S.
OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3


def _encoded(raw: bytes) -> str:
    checked = raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")
    return base64.b32encode(checked).decode().rstrip("=")


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    def __init__(self, kind: int):
        self.kind = kind
        self.private = Ed25519PrivateKey.generate()

    @property
    def public(self) -> str:
        raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return _encoded(bytes([self.kind]) + raw)

    @property
    def seed(self) -> str:
        raw = self.private.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
        return _encoded(bytes([SEED | self.kind >> 5, (self.kind & 31) << 3]) + raw)

    def token(self, kind: str, subject: "Key", **claims) -> str:
        """A JWT about a subject, signed with this key."""
        body = {
            "iat": int(time.time()), "iss": self.public, "name": kind, "sub": subject.public,
            "nats": {"type": kind, "version": 2, **claims},
        }  # fmt: skip
        digest = hashlib.new("sha512_256", json.dumps(body).encode()).digest()
        body["jti"] = base64.b32encode(digest).decode().rstrip("=")
        parts = [_url(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, body)]
        text = ".".join(parts)
        return f"{text}.{_url(self.private.sign(text.encode()))}"


class Operator:
    """An operator with one account, and its users."""

    def __init__(self):
        self.key, self.account = Key(OPERATOR), Key(ACCOUNT)

    @property
    def configuration(self) -> str:
        """For nats-server: it knows the account, and every user that the account has signed."""
        limits = {"subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1, "wildcards": True}
        account = self.key.token("account", self.account, limits=limits)
        return (
            f"operator: {self.key.token('operator', self.key)}\nresolver: MEMORY\n"
            f"resolver_preload: {{ {self.account.public}: {account} }}")

    def credentials(self) -> str:
        """The file of a new user."""
        user = Key(USER)
        token = self.account.token("user", user, subs=-1, data=-1, payload=-1)
        return (
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n")
