"""Writes the first files of the corpora: Fuzz/seed.py, with the packages of Tests/EndToEnd/requirements.txt.

The examples of the specification, the documentation and deploy/, and messages that are written here. The certificates and
the OCSP responses in Fuzz/fixtures are made once: their keys are not stored, so nothing can sign another response.
"""

import datetime
import json
import pathlib
import re

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER = pathlib.Path(__file__).resolve().parent
PROJECT = FOLDER.parent
START = datetime.datetime(2026, 11, 1)
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
STREAM = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='>'>"
# In the order of StartTLSProtocol: what a server sends that starts TLS.
PEERS = {
    "smtp": "220 mx ESMTP\r\n250-mx\r\n250-SIZE 1\r\n250-StartTLS\r\n250 DSN\r\n220 2.0.0 Ready\r\n",
    "lmtp": "220 mx LMTP\r\n250-mx\r\n250-STARTTLS\r\n250 8BITMIME\r\n220\r\n",
    "imap": "* OK hi\r\n* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n* OK still here\r\na2 OK Begin TLS\r\n",
    "pop3": "+OK hi <1@a>\r\n+OK list\r\nUIDL\r\nSTLS\r\n.\r\n+OK begin\r\n",
    "ftp": "120 soon\r\n220-Welcome\r\n  to\r\n220 end\r\n234 b\r\n",
    "ldap": "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0",
    "postgres": "S",
    "mysql": "\x4a\0\0\0\x0a8.0.1\0\x07\0\0\0saltsalt\0\xff\xff\x2d\x02\0\xff\xdf\x15" + "\0" * 10 + "moresaltmore\0"
    "caching_sha2_password\0",
    "xmpp": f"{STREAM}<stream:features><starttls xmlns='{TLS}'/></stream:features><proceed xmlns='{TLS}'/>",
    "xmpp-server": f"{STREAM}<features><a/><starttls xmlns='{TLS}'/></features><failure xmlns='{TLS}'/>",
    "nntp": "200 hi\r\n101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n382 go\r\n",
    "sieve": '"IMPLEMENTATION" "x {9}"\r\n"SIEVE" {6}\r\na \r\nOK\r\n"STARTTLS"\r\nOK "ready"\r\nOK\r\n',
    "irc": "PING :1 2\r\n:s CAP * LS * :sasl=PLAIN\r\n:s CAP * LS :tls x\r\n@t=1 :s NOTICE * :y\r\n:s 670 * :go\r\n",
    "telnet": "hi\r\n\xff\xfd\x18\xff\xfb\x01\xff\xfd\x2e\xff\xfa\x2e\x01\xff\xf0",
}
REFUSALS = {
    "smtp": "554 5.7.1 go away\r\n", "lmtp": "220 a\r\n250 b\r\n", "imap": "* BYE full\r\n", "pop3": "-ERR busy\r\n",
    "ftp": "220 a\r\n530 Please login\r\n", "ldap": "\x30\x1a\x02\x01\x01\x78\x15\x0a\x01\x02\x04\0\x04\x0eno TLS for you",
    "postgres": "E\0\0\0\x22SFATAL\0C0A000\0Mno such thing\0\0", "mysql": "\x19\0\0\0\xff\x69\x04Host 'x' is blocked",
    "xmpp": f"{STREAM}<stream:error><host-unknown/></stream:error></stream:stream>", "xmpp-server": "<!D",
    "nntp": "502 no\r\n", "sieve": 'BYE "full"\r\n', "irc": "ERROR :Closing link\r\n", "telnet": "login: \xff\xfe\x2e",
}  # fmt: skip
TARGETS = [
    "tcp://10.0.0.7:443", "a.example:https", "tls://[2001:db8::7]:443", "udp://[fe80::1%eth0]:53", "quic://a.example.:443",
    "unix:/run/app.sock", "unix:@name", "unix+dgram:///run/log", "tcp://münchen.example:80", "xn--mnchen-3ya.example:1",
    "https://a.example/x", "10.0.0.0/30:80", "10.0.0.7:8000-8009", "::ffff:192.0.2.1", "0x7f.1:80", "postgres://u@h/db",
]  # fmt: skip
PATTERNS = ["*.corp.example\na.b.corp.example", "/run/**/a*.sock\n/run/x/y/ab.sock", "db-?.example\ndb-1.example",
            "@name-?*\nname-1", "[2001:db8::7]:8000-8999\n[2001:db8::7]:8080", "*:443\na.example:443"]  # fmt: skip
DIALOGS = [b"^220 .*\r\n\x00220 mx\r\n", b"^(?<a>\\d+)\\s(?=x)\x0012 x", b"a*(b|c)+d\x00aabcbd", b"(?P<n>[a-z]+)$\x00x y",
           b"!bad\n^ok (?<v>\\S+)\n=x ${v} ${0} $${\n/^a(b)\n~$1 ${x}\x00ok 1"]  # fmt: skip
HEADS = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /v1/checks?a=%41+b&c HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Length: 12\r\n"
    "Content-Type: application/json\r\nOrigin: http://a\r\n\r\n{}", "OPTIONS * HTTP/1.0\r\n\r\n",
    "GET http://a.example/x HTTP/1.1\r\nHost:a.example\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n",
    "\r\nHEAD /%2F/b HTTP/1.1\r\nhost: a  \r\nX: \t1\r\nx:2\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n", "%41%zz",
]  # fmt: skip
ENVIRONMENT = "CONNECTD_LISTEN=127.0.0.1:8080, unix:/x?mode=0600\nCONNECTD_LIMITS__QUEUE=7\nCONNECTD_POLICY__PROFILE=public\n"
MODULES = r"""modules:
  full: &full
    prober: tcp
    timeout: 1m30.5s
    tcp:
      preferred_ip_protocol: ip4
      ip_protocol_fallback: no
      source_ip_address: 127.0.0.9
      tls_config: {insecure_skip_verify: true, server_name: a.example, min_version: TLS12}
      query_response:
        - expect: "^220 (\\S+)"
          labels: [{name: host, value: "${1}"}]
          send: EHLO $1
        - expect_bytes: !!binary MjUw
        - {send: QUIT, starttls: true}
  other: {<<: *full, prober: unix, unix: {query_response: [{send: 123}]}}
  web: {prober: http}
"""
RECORD = '{"rule":"a","target":"tcp://h:1","verdict":"%s","outcome":"%s"}'


def write(corpus: str, contents: list[bytes | str]) -> None:
    folder = FOLDER / "corpus" / corpus
    folder.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(contents):
        encoded = content if isinstance(content, bytes) else content.encode()
        (folder / f"seed-{number:02}").write_bytes(encoded)


def requests_of_specification(path: str) -> list[str]:
    specification = yaml.safe_load((PROJECT / "openapi/openapi.yaml").read_text())
    content = specification["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    return [json.dumps(example["value"]) for example in content["examples"].values()]


def yaml_examples(*pages: str) -> list[str]:
    texts = [(PROJECT / page).read_text() for page in pages]
    return [text for page in texts for text in re.findall(r"(?s)^```yaml\n(.*?)^```", page, re.MULTILINE)]


def files(pattern: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(PROJECT.glob(pattern)) if path.stat().st_size < 4096]


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(text, key, issuer, signer, *extensions) -> x509.Certificate:
    builder = x509.CertificateBuilder(name(issuer), name(text), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2120, 1, 1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signer, hashes.SHA256())


def der(item) -> bytes:
    return item.public_bytes(serialization.Encoding.DER)


def response(leaf, authority, responder, key, status, certificates=None) -> tuple[bytes, bytes]:
    """The response, and the part of it that is signed."""
    revoked = status == ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        leaf, authority, hashes.SHA1(), status, START, datetime.datetime(2120, 1, 1),
        START if revoked else None, x509.ReasonFlags.key_compromise if revoked else None,
    )  # fmt: skip
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
    made = (builder.certificates(certificates) if certificates else builder).sign(key, hashes.SHA256())
    return der(made), made.tbs_response_bytes


def write_certificates() -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    authority = certificate("Authority", keys[0], "Authority", keys[0], x509.BasicConstraints(True, None))
    alternatives = [x509.DNSName("*.a.example"), x509.DNSName("b_c.a.example"), x509.RFC822Name("a@b"),
                    x509.UniformResourceIdentifier("https://a"), x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
                    x509.DirectoryName(name("Müller")), x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\x01x")]  # fmt: skip
    leaf = certificate("leaf", keys[1], "Authority", keys[0], x509.SubjectAlternativeName(alternatives))
    signer = certificate("responder", keys[2], "Authority", keys[0], x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]))
    status = ocsp.OCSPCertStatus
    responses = {
        "good": response(leaf, authority, authority, keys[0], status.GOOD),
        "revoked": response(leaf, authority, authority, keys[0], status.REVOKED),
        "unknown": response(leaf, authority, authority, keys[0], status.UNKNOWN),
        "delegated": response(leaf, authority, signer, keys[2], status.GOOD, [signer]),
    }
    fixtures = FOLDER / "fixtures"
    fixtures.mkdir(exist_ok=True)
    for title, made in (("leaf", leaf), ("authority", authority)):
        (fixtures / f"{title}.der").write_bytes(der(made))
    for title, (_, signed) in responses.items():
        (fixtures / f"{title}.signed").write_bytes(signed)
    write("ocsp", [whole for whole, _ in responses.values()] + [b"\x30\x03\x0a\x01\x01"])
    pem = authority.public_bytes(serialization.Encoding.PEM)
    key = keys[2].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write("certificates", [der(authority), der(leaf), der(signer), pem + pem, key])


def main() -> None:
    checks = requests_of_specification("/v1/checks")
    batches = requests_of_specification("/v1/checks/batch")
    write("json", checks)
    write("checks", checks)
    write("batch", batches)
    write("configuration", [*yaml_examples("docs/configuration.md"), *files("deploy/**/connectd.yaml"), ENVIRONMENT])
    write("modules", [*files("deploy/**/blackbox.yml"), MODULES])
    write("verify", [*yaml_examples("docs/reachability.md"), *files("deploy/reachability/**/*.y*ml"), *checks[:3]])
    write("targets", TARGETS)
    write("patterns", PATTERNS)
    write("dialog", DIALOGS)
    write("heads", HEADS)
    write("ndjson", ["\n".join([RECORD % ("pass", "refused"), "", RECORD % ("violation", "timeout")])])
    peers = [(number, text) for table in (PEERS, REFUSALS) for number, text in enumerate(table[key] for key in PEERS)]
    write("starttls", [bytes([number, 0]) + text.encode("latin-1") for number, text in peers])
    write("policy", [bytes([0x31, 0, 0, 10, 0, 0, 0, 8, 0, 0, 10, 1, 2, 3, 1, 187]), bytes([0x2F, 3]) + bytes(range(60))])
    if not (FOLDER / "fixtures").exists():
        write_certificates()


main()
