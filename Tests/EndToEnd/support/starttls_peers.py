"""Peers that implement just enough of a protocol for STARTTLS: accepting, refusing, or without it.

Each follows the RFC in the table, and accepts clients that request capabilities first and clients that do not.
`openssl s_client -starttls` accepts all of them, if IRC's notice before the answers is left out.
"""

import re
import socket
from dataclasses import dataclass, field

from support.tls_peers import exactly

TLS_NAMESPACE = "urn:ietf:params:xml:ns:xmpp-tls"
STREAMS = "http://etherx.jabber.org/streams"


@dataclass
class Lines:
    """A line-based protocol: a greeting, answers to earlier commands, and the STARTTLS command."""

    greeting: str
    command: str
    ready: str
    refusal: str
    before: dict[str, str] = field(default_factory=dict)
    # The answers in `before` of a server without TLS. After them, a client may not send the command.
    without: dict[str, str] = field(default_factory=dict)
    greeting_without: str | None = None

    def talk(self, connection: socket.socket, mode: str) -> None:
        stream = connection.makefile("rb")
        greeting = self.greeting
        if mode == "without" and self.greeting_without is not None:
            greeting = self.greeting_without
        connection.sendall(greeting.encode())
        answers = {**self.before, **(self.without if mode == "without" else {})}
        while line := stream.readline():
            text = line.decode().rstrip("\r\n")
            if match := re.fullmatch(self.command, text, re.IGNORECASE):
                connection.sendall(match.expand(self.ready if mode == "willing" else self.refusal).encode())
                return
            for pattern, answer in answers.items():
                if match := re.fullmatch(pattern, text, re.IGNORECASE):
                    connection.sendall(match.expand(answer).encode())
                    break
            else:
                if text.upper().endswith(("QUIT", "LOGOUT")):
                    return
                raise AssertionError(f"not expected: {text!r}")


SIEVE_WITH = '"IMPLEMENTATION" "Example"\r\n"SIEVE" "fileinto"\r\n"STARTTLS"\r\nOK "ready"\r\n'
LINES = {
    # RFC 3207
    "smtp": Lines(
        greeting="220-mail.example.test ESMTP\r\n220 be welcome\r\n",
        before={r"EHLO .+": "250-mail.example.test\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 8BITMIME\r\n"},
        command="STARTTLS",
        ready="220 2.0.0 go ahead\r\n",
        refusal="454 4.7.0 TLS not available due to local problem\r\n",
        without={r"EHLO .+": "250-mail.example.test\r\n250 8BITMIME\r\n"},
    ),
    # RFC 2033, 3207
    "lmtp": Lines(
        greeting="220 mail.example.test LMTP\r\n",
        before={r"LHLO .+": "250-mail.example.test\r\n250 STARTTLS\r\n"},
        command="STARTTLS",
        ready="220 2.0.0 go ahead\r\n",
        refusal="502 5.5.1 no such command\r\n",
        without={r"LHLO .+": "250 mail.example.test\r\n"},
    ),
    # RFC 3501, 6.2.1
    "imap": Lines(
        greeting="* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n",
        before={r"(\S+) CAPABILITY": "* CAPABILITY IMAP4rev1 STARTTLS\r\n\\1 OK done\r\n"},
        command=r"(\S+) STARTTLS",
        ready="\\1 OK begin TLS\r\n",
        refusal="\\1 BAD no TLS here\r\n",
        without={r"(\S+) CAPABILITY": "* CAPABILITY IMAP4rev1\r\n\\1 OK done\r\n"},
        greeting_without="* OK [CAPABILITY IMAP4rev1] ready\r\n",
    ),
    # RFC 2595, 4
    "pop3": Lines(
        greeting="+OK ready\r\n",
        before={"CAPA": "+OK\r\nTOP\r\nSTLS\r\n.\r\n"},
        command="STLS",
        ready="+OK begin TLS\r\n",
        refusal="-ERR no TLS here\r\n",
        without={"CAPA": "+OK\r\nTOP\r\n.\r\n"},
    ),
    # RFC 4217
    "ftp": Lines(
        greeting="220-be welcome\r\n to this server\r\n220 ready\r\n",
        before={"FEAT": "211-Features\r\n AUTH TLS\r\n211 End\r\n"},
        command="AUTH TLS",
        ready="234 AUTH TLS OK\r\n",
        refusal="530 Please login with USER and PASS.\r\n",
        without={"FEAT": "211-Features\r\n211 End\r\n"},
    ),
    # RFC 4642
    "nntp": Lines(
        greeting="200 news.example.test ready\r\n",
        before={"CAPABILITIES": "101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"},
        command="STARTTLS",
        ready="382 go ahead\r\n",
        refusal="580 can not initiate TLS\r\n",
        without={"CAPABILITIES": "101 list\r\nVERSION 2\r\nREADER\r\n.\r\n"},
    ),
    # RFC 5804
    "sieve": Lines(
        greeting=SIEVE_WITH,
        before={"CAPABILITY": SIEVE_WITH},
        command="STARTTLS",
        ready='OK "begin TLS"\r\n',
        refusal='NO "no TLS here"\r\n',
        without={"CAPABILITY": SIEVE_WITH.replace('"STARTTLS"\r\n', "")},
        greeting_without=SIEVE_WITH.replace('"STARTTLS"\r\n', ""),
    ),
    # ircv3.net, tls-3.1
    "irc": Lines(
        greeting=":irc.example.test NOTICE * :*** Looking up your hostname\r\n",
        before={
            r"CAP LS.*": ":irc.example.test CAP * LS :multi-prefix tls\r\n",
            r"(NICK|USER|CAP END|CAP REQ).*": "",
        },
        command="STARTTLS",
        ready=":irc.example.test 670 * :STARTTLS successful, go ahead with TLS handshake\r\n",
        refusal=":irc.example.test 691 * :STARTTLS failed\r\n",
        without={r"CAP LS.*": ":irc.example.test CAP * LS :multi-prefix\r\n"},
    ),
}


# RFC 4511, 4.14


def _ldap(connection: socket.socket, mode: str) -> None:
    head = exactly(connection, 2)
    assert head[0] == 0x30
    request = exactly(connection, head[1])
    assert b"1.3.6.1.4.1.1466.20037" in request
    identifier = request[:3]
    code = b"\x0a\x01\x00" if mode == "willing" else b"\x0a\x01\x34"
    words = b"" if mode == "willing" else b"TLS not available"
    body = code + b"\x04\x00" + b"\x04" + bytes([len(words)]) + words
    answer = identifier + b"\x78" + bytes([len(body)]) + body
    connection.sendall(b"\x30" + bytes([len(answer)]) + answer)


# PostgreSQL's protocol, "SSL Session Encryption"


def _postgres(connection: socket.socket, mode: str) -> None:
    assert exactly(connection, 8) == bytes.fromhex("0000000804d2162f")
    answers = {"willing": b"S", "refusing": b"N", "without": b"EFATAL: unsupported frontend protocol\n\0"}
    connection.sendall(answers[mode])


# MySQL's client/server protocol, HandshakeV10 and SSLRequest

CLIENT_SSL = 0x0800


def mysql_greeting(with_tls: bool) -> bytes:
    capabilities = 0x81FFF7FF | (CLIENT_SSL if with_tls else 0)
    body = b"\x0a8.0.99-test\0" + (7).to_bytes(4, "little") + b"saltsalt\0" + capabilities.to_bytes(4, "little")[:2]
    body += b"\x21\x02\x00" + capabilities.to_bytes(4, "little")[2:] + bytes([21]) + bytes(10) + b"moresaltsalt\0"
    body += b"mysql_native_password\0"
    return len(body).to_bytes(3, "little") + b"\0" + body


def _mysql(connection: socket.socket, mode: str) -> None:
    if mode == "refusing":
        body = b"\xff\x10\x04Too many connections"
        connection.sendall(len(body).to_bytes(3, "little") + b"\0" + body)
        return
    connection.sendall(mysql_greeting(mode == "willing"))
    if mode == "willing":
        head = exactly(connection, 4)
        assert (int.from_bytes(head[:3], "little"), head[3]) == (32, 1), head
        assert int.from_bytes(exactly(connection, 32)[:4], "little") & CLIENT_SSL


# RFC 6120, 5


def xmpp(namespace: str):
    def talk(connection: socket.socket, mode: str) -> None:
        opening = _until(connection, b">")
        if opening.startswith(b"<?xml"):
            opening = _until(connection, b">")
        assert f"xmlns='{namespace}'" in opening.replace(b'"', b"'").decode(), opening
        offer = "" if mode == "without" else f"<starttls xmlns='{TLS_NAMESPACE}'><required/></starttls>"
        connection.sendall(
            f"<?xml version='1.0'?><stream:stream xmlns='{namespace}' xmlns:stream='{STREAMS}' id='1' "
            f"from='example.test' version='1.0'><stream:features>{offer}</stream:features>".encode()
        )
        if mode == "without":
            return
        request = _until(connection, b">")
        assert TLS_NAMESPACE.encode() in request
        answer = f"<proceed xmlns='{TLS_NAMESPACE}'/>"
        if mode == "refusing":
            answer = f"<failure xmlns='{TLS_NAMESPACE}'/></stream:stream>"
        connection.sendall(answer.encode())

    return talk


def _until(connection: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        data += exactly(connection, 1)
    return data.strip()


# draft-ietf-tn3270e-telnet-tls: IAC DO/WILL/DONT/WONT START_TLS (46), and IAC SB 46 FOLLOWS(1) IAC SE

IAC, DONT, DO, WONT, WILL, SB, SE, START_TLS = 255, 254, 253, 252, 251, 250, 240, 46
FOLLOWS = bytes([IAC, SB, START_TLS, 1, IAC, SE])


def _telnet(connection: socket.socket, mode: str) -> None:
    if mode == "without":
        # A server that wants other options only, and says what it is.
        connection.sendall(bytes([IAC, DO, 24, IAC, WILL, 1, IAC, DONT, START_TLS]) + b"login: ")
        return
    if mode == "refusing":
        connection.sendall(b"login: ")
        while data := connection.recv(100):
            if bytes([IAC, WILL, START_TLS]) in data:
                connection.sendall(bytes([IAC, DONT, START_TLS]))
                return
        return
    connection.sendall(bytes([IAC, DO, START_TLS]))
    assert exactly(connection, 3) == bytes([IAC, WILL, START_TLS])
    connection.sendall(FOLLOWS)
    assert exactly(connection, len(FOLLOWS)) == FOLLOWS


TALKS = {
    **{name: lines.talk for name, lines in LINES.items()},
    "ldap": _ldap,
    "postgres": _postgres,
    "mysql": _mysql,
    "xmpp": xmpp("jabber:client"),
    "xmpp-server": xmpp("jabber:server"),
    "telnet": _telnet,
}
# The text of `received` after a refusal, and with a server without TLS; None if it is not predictable.
REFUSALS = {
    "smtp": "454 4.7.0 TLS not available due to local problem",
    "lmtp": "502 5.5.1 no such command",
    "imap": "BAD no TLS here",
    "pop3": "-ERR no TLS here",
    "ftp": "530 Please login with USER and PASS.",
    "nntp": "580 can not initiate TLS",
    "sieve": 'NO "no TLS here"',
    "irc": "691 * :STARTTLS failed",
    "ldap": "TLS not available",
    "postgres": "N",
    "mysql": "Too many connections",
    "xmpp": f"<failure xmlns='{TLS_NAMESPACE}'/>",
    "xmpp-server": f"<failure xmlns='{TLS_NAMESPACE}'/>",
    "telnet": None,
}
