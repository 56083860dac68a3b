"""A certificate authority for the tests, and the certificates of all TLS peers.

The root signs an intermediate, which signs the leaves; `cryptography` makes them, and the command `openssl` what that
library refuses: SHA-1 and MD5 signatures, and RSA keys under 1024 bits.
"""

import datetime
import functools
import hashlib
import ipaddress
import pathlib
import subprocess
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOST = "good.example.test"
SERIAL = 0x0A1B2C3D4E5F60718293A4B5C6D7E8F9
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
# The type of a key, as cryptography and as the report name it.
_KEY_TYPES = {"ECPublicKey": "EC", "RSAPublicKey": "RSA", "Ed25519PublicKey": "ED25519"}


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def days(count: float) -> datetime.timedelta:
    return datetime.timedelta(days=count)


def name(common_name: str) -> x509.Name:
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "connectd, tests")
    return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def openssl(*arguments: str, **options) -> str:
    ran = subprocess.run(["openssl", *arguments], capture_output=True, text=True, **options)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@dataclass(frozen=True)
class Identity:
    """The identity of a peer: its chain in the order of sending, and its key, both as files."""

    chain: tuple[x509.Certificate, ...]
    chain_file: str
    key_file: str
    rest_file: str

    @property
    def leaf(self) -> x509.Certificate:
        return self.chain[0]


@dataclass(frozen=True)
class Authority:
    certificate: x509.Certificate
    key: object


class Authorities:
    """A root, an intermediate, and the identities below them. Each is made on first use."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.root = self._authority("root", None)
        self.intermediate = self._authority("intermediate", self.root)
        self.other_root = self._authority("another root", None)
        self.leaf_key = ec.generate_private_key(ec.SECP256R1())

    # The parts.

    def _authority(self, common_name: str, issuer: Authority | None, key=None) -> Authority:
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = name(f"{common_name} of connectd")
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - days(365))
            .not_valid_after(now() + days(3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return Authority(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)

    def leaf(
        self,
        common_name: str = HOST,
        sans: tuple[str, ...] | None = (HOST,),
        starts: float = -1,
        ends: float = 90,
        key=None,
        issuer: Authority | None = None,
        usages: tuple = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
        serial: int | None = None,
        is_authority: bool = False,
        public_key=None,
    ) -> x509.Certificate:
        """A certificate that is valid from `starts` to `ends` days from now."""
        issuer = issuer or self.intermediate
        public_key = public_key or (key or self.leaf_key).public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(common_name))
            .issuer_name(issuer.certificate.subject)
            .public_key(public_key)
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(now() + days(starts))
            .not_valid_after(now() + days(ends))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(_usage(certificates=is_authority), critical=True)
        )
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if sans is not None:
            names = x509.SubjectAlternativeName([_general_name(san) for san in sans])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(issuer.key, hashes.SHA256())

    def identity(self, label: str, chain: list[x509.Certificate], key=None) -> Identity:
        key = key or self.leaf_key
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return self._written(label, chain, private)

    def _written(self, label: str, chain: list[x509.Certificate], key_pem: bytes) -> Identity:
        chain_file, key_file = self.folder / f"{label}.pem", self.folder / f"{label}.key"
        chain_file.write_bytes(b"".join(certificate.public_bytes(PEM) for certificate in chain))
        rest_file = self.folder / f"{label}.rest.pem"
        rest_file.write_text(self.pem(*chain[1:]))
        key_file.write_bytes(key_pem)
        return Identity(tuple(chain), str(chain_file), str(key_file), str(rest_file))

    def _leaf_identity(self, label: str, **options) -> Identity:
        certificate = self.leaf(**options)
        return self.identity(label, [certificate, self.intermediate.certificate], options.get("key"))

    def pem(self, *certificates: x509.Certificate) -> str:
        return b"".join(certificate.public_bytes(PEM) for certificate in certificates).decode()

    @property
    def root_pem(self) -> str:
        return self.pem(self.root.certificate)

    # Identities of servers.

    @functools.cached_property
    def good(self) -> Identity:
        return self._leaf_identity("good", serial=SERIAL)

    @functools.cached_property
    def high_serial(self) -> Identity:
        return self._leaf_identity("high_serial", serial=0x8F01)

    @functools.cached_property
    def expired(self) -> Identity:
        return self._leaf_identity("expired", starts=-30, ends=-2)

    @functools.cached_property
    def future(self) -> Identity:
        return self._leaf_identity("future", starts=2, ends=30)

    @functools.cached_property
    def expires_soon(self) -> Identity:
        return self._leaf_identity("expires_soon", ends=5)

    @functools.cached_property
    def wrong_host(self) -> Identity:
        return self._leaf_identity("wrong_host", common_name="other.example.test", sans=("other.example.test",))

    @functools.cached_property
    def wildcard(self) -> Identity:
        return self._leaf_identity("wildcard", common_name="*.example.test", sans=("*.example.test",))

    @functools.cached_property
    def wildcard_above(self) -> Identity:
        return self._leaf_identity("wildcard_above", common_name="*.test", sans=("*.test",))

    @functools.cached_property
    def no_san(self) -> Identity:
        return self._leaf_identity("no_san", sans=None)

    def for_addresses(self, *addresses: str) -> Identity:
        return self._leaf_identity("addresses", sans=(HOST, *addresses))

    @functools.cached_property
    def self_signed(self) -> Identity:
        self_issuer = Authority(self.leaf(), self.leaf_key)
        return self.identity("self_signed", [self.leaf(issuer=self_issuer)])

    @functools.cached_property
    def unknown_authority(self) -> Identity:
        return self.identity("unknown_authority", [self.leaf(issuer=self.other_root)])

    @functools.cached_property
    def unknown_authority_with_root(self) -> Identity:
        chain = [self.leaf(issuer=self.other_root), self.other_root.certificate]
        return self.identity("unknown_authority_with_root", chain)

    @functools.cached_property
    def incomplete(self) -> Identity:
        return self.identity("incomplete", [self.leaf()])

    @functools.cached_property
    def reversed(self) -> Identity:
        """Its own certificate first, as TLS requires, and then the root before the intermediate."""
        return self.identity("reversed", [self.leaf(), self.root.certificate, self.intermediate.certificate])

    @functools.cached_property
    def with_root(self) -> Identity:
        return self.identity("with_root", [self.leaf(), self.intermediate.certificate, self.root.certificate])

    @functools.cached_property
    def with_stranger(self) -> Identity:
        chain = [self.leaf(), self.other_root.certificate, self.intermediate.certificate]
        return self.identity("with_stranger", chain)

    @functools.cached_property
    def p384(self) -> Identity:
        return self._leaf_identity("p384", key=ec.generate_private_key(ec.SECP384R1()))

    @functools.cached_property
    def ed25519(self) -> Identity:
        return self._leaf_identity("ed25519", key=ed25519.Ed25519PrivateKey.generate())

    @functools.cached_property
    def rsa2048(self) -> Identity:
        return self._leaf_identity("rsa2048", key=rsa.generate_private_key(65537, 2048))

    @functools.cached_property
    def rsa4096(self) -> Identity:
        return self._rsa(4096)

    @functools.cached_property
    def rsa8192(self) -> Identity:
        return self._rsa(8192)

    @functools.cached_property
    def rsa1024(self) -> Identity:
        return self._rsa(1024)

    @functools.cached_property
    def rsa512(self) -> Identity:
        return self._rsa(512)

    def _rsa(self, bits: int) -> Identity:
        """Uses more than two primes if that is allowed: a key of 8192 bits then takes a second instead of a minute."""
        primes = {4096: 4, 8192: 5}.get(bits, 2)
        options = ["-pkeyopt", f"rsa_keygen_bits:{bits}", "-pkeyopt", f"rsa_keygen_primes:{primes}"]
        key_pem = openssl("genpkey", "-algorithm", "RSA", *options)
        public = serialization.load_pem_public_key(openssl("pkey", "-pubout", input=key_pem).encode())
        certificate = self.leaf(public_key=public)
        return self._written(f"rsa{bits}", [certificate, self.intermediate.certificate], key_pem.encode())

    @functools.cached_property
    def sha1(self) -> Identity:
        return self._signed_with("sha1")

    @functools.cached_property
    def md5(self) -> Identity:
        return self._signed_with("md5")

    def _signed_with(self, digest: str) -> Identity:
        """An RSA intermediate that signs with an old digest. MD5 works with RSA only."""
        folder = self.folder / digest
        folder.mkdir()
        key = rsa.generate_private_key(65537, 2048)
        issuer = self._authority(f"{digest} intermediate", self.root, key)
        private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (folder / "ca.key").write_bytes(key.private_bytes(PEM, *private))
        (folder / "ca.pem").write_bytes(issuer.certificate.public_bytes(PEM))
        (folder / "leaf.key").write_bytes(self.leaf_key.private_bytes(PEM, *private))
        (folder / "extensions").write_text(f"subjectAltName=DNS:{HOST}\nbasicConstraints=critical,CA:FALSE\n")
        openssl("req", "-new", "-key", "leaf.key", "-subj", f"/CN={HOST}", "-out", "leaf.csr", cwd=folder)
        signed = openssl(
            *f"x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -{digest} -days 30".split(),
            *"-set_serial 77 -extfile extensions".split(),
            cwd=folder,
        )
        return self.identity(digest, [x509.load_pem_x509_certificate(signed.encode()), issuer.certificate])

    @functools.cached_property
    def sans1000(self) -> Identity:
        return self._many_names(1000)

    @functools.cached_property
    def sans10000(self) -> Identity:
        return self._many_names(10000)

    def _many_names(self, count: int) -> Identity:
        names = (HOST, *(f"n{number}.example.test" for number in range(count - 1)))
        return self._leaf_identity(f"sans{count}", sans=names)

    @functools.cached_property
    def authority_as_leaf(self) -> Identity:
        return self._leaf_identity("authority_as_leaf", is_authority=True, usages=())

    @functools.cached_property
    def clients_usage(self) -> Identity:
        """A certificate for clients only."""
        return self._leaf_identity("clients_usage", usages=(ExtendedKeyUsageOID.CLIENT_AUTH,))

    @functools.cached_property
    def below_a_leaf(self) -> Identity:
        """Signed by a certificate that is not a CA."""
        issuer_certificate = self.leaf(common_name="no authority", sans=("no.example.test",))
        issuer = Authority(issuer_certificate, self.leaf_key)
        chain = [self.leaf(issuer=issuer), issuer_certificate, self.intermediate.certificate]
        return self.identity("below_a_leaf", chain)

    # Identities of clients.

    @functools.cached_property
    def client(self) -> Identity:
        return self._leaf_identity("client", common_name="probe", sans=("probe.example.test",))

    @functools.cached_property
    def stranger_client(self) -> Identity:
        certificate = self.leaf("stranger", ("stranger.example.test",), issuer=self.other_root)
        return self.identity("stranger_client", [certificate])

    @functools.cached_property
    def expired_client(self) -> Identity:
        return self._leaf_identity("expired_client", common_name="probe", starts=-30, ends=-2)

    # OCSP.

    def ocsp_response(self, identity: Identity, verdict: str, age: float = 0, signer: Authority | None = None) -> str:
        """A file with a response about the leaf: `good`, `revoked`, `unknown`; made `age` days ago for seven days."""
        statuses = {
            "good": ocsp.OCSPCertStatus.GOOD,
            "revoked": ocsp.OCSPCertStatus.REVOKED,
            "unknown": ocsp.OCSPCertStatus.UNKNOWN,
        }
        revoked = verdict == "revoked"
        signer = signer or self.intermediate
        response = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                identity.leaf,
                self.intermediate.certificate,
                hashes.SHA1(),
                statuses[verdict],
                now() - days(age) - datetime.timedelta(minutes=5),
                now() - days(age) + days(7),
                now() - days(age + 1) if revoked else None,
                x509.ReasonFlags.key_compromise if revoked else None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
            .sign(signer.key, hashes.SHA256())
        )
        path = self.folder / f"{verdict}-{age}-{signer.certificate.serial_number}.ocsp"
        path.write_bytes(response.public_bytes(DER))
        return str(path)


def _usage(certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def expected_report(certificate: x509.Certificate) -> dict:
    """The entry of `tls.chain` for a certificate, without the remaining seconds; dates are datetime values."""
    key = certificate.public_key()
    public = key.public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    # The octets in DER, with a leading zero if the number would otherwise look negative.
    serial = certificate.serial_number.to_bytes((certificate.serial_number.bit_length() + 7) // 8, "big").hex()
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = ()
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "sans": [_name_in_report(item) for item in names],
        "serial": serial,
        "not_before": certificate.not_valid_before_utc,
        "not_after": certificate.not_valid_after_utc,
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
        "public_key_sha256": hashlib.sha256(public).hexdigest(),
        "key": {"type": _KEY_TYPES[type(key).__name__], "bits": getattr(key, "key_size", 256)},
        "signature_algorithm": certificate.signature_algorithm_oid._name,
    }


def _name_in_report(item: x509.GeneralName) -> str:
    return f"IP:{item.value}" if isinstance(item, x509.IPAddress) else f"DNS:{item.value}"
