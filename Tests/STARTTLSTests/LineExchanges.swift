import CheckModel

let ehlo = "EHLO [192.0.2.9]\r\n"
let lhlo = "LHLO [192.0.2.9]\r\n"
private let noSTARTTLS = "it does not offer STARTTLS"
private let refusesSTARTTLS = "it refuses STARTTLS"
private let greetingRefuses = "the greeting refuses us"

let linesReady = [
    Exchange(
        name: .smtp, peer: "220 mx ESMTP\r\n250-mx\r\n250-SIZE 1\r\n250-StartTLS\r\n250 DSN\r\n220 2.0.0 Ready\r\n",
        sent: [ehlo, "STARTTLS\r\n"]),
    Exchange(
        name: .smtp, peer: "220-mx\n220 more\n250-mx\n250 STARTTLS\n220-Go\n220 ahead\n", sent: [ehlo, "STARTTLS\r\n"]),
    Exchange(
        name: .lmtp, peer: "220 mx LMTP\r\n250-mx\r\n250-STARTTLS\r\n250 8BITMIME\r\n220\r\n",
        sent: [lhlo, "STARTTLS\r\n"]),
    Exchange(
        name: .imap,
        peer: "* OK [CAPABILITY IMAP4rev1] hi\r\n* CAPABILITY IMAP4rev1 StartTLS LOGINDISABLED\r\na1 OK done\r\n"
            + "* OK still here\r\na2 OK Begin TLS\r\n", sent: ["a1 CAPABILITY\r\n", "a2 STARTTLS\r\n"]),
    Exchange(
        name: .pop3, peer: "+OK hi <1@a>\r\n+OK list\r\nUIDL\r\nSTLS\r\n.\r\n+OK begin\r\n",
        sent: ["CAPA\r\n", "STLS\r\n"]),
    Exchange(
        name: .pop3, peer: "+OK\r\n-ERR unknown\r\n+OK\r\n", sent: ["CAPA\r\n", "STLS\r\n"]),
    Exchange(name: .ftp, peer: "220 (vsFTPd 3)\r\n234 Proceed\r\n", sent: ["AUTH TLS\r\n"]),
    Exchange(
        name: .ftp, peer: "120 soon\r\n220-Welcome\r\n  to\r\n2\r\n500 us\r\n220-x\r\n220 end\r\n234-a\r\n234 b\r\n",
        sent: ["AUTH TLS\r\n"]),
    Exchange(
        name: .nntp, peer: "200 hi\r\n101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n382 go\r\n",
        sent: ["CAPABILITIES\r\n", "STARTTLS\r\n"]),
    Exchange(
        name: .nntp, peer: "201 no posting\r\n500 what?\r\n382 go\r\n", sent: ["CAPABILITIES\r\n", "STARTTLS\r\n"]),
    Exchange(
        name: .sieve,
        peer: "\"IMPLEMENTATION\" \"x {9}\"\r\n\"SIEVE\" {6}\r\na \r\nOK\r\n\"StartTLS\"\r\nOK \"ready\"\r\nOK\r\n",
        sent: ["STARTTLS\r\n"]),
    Exchange(
        name: .sieve, peer: "\"STARTTLS\"\r\nOK (TAG {3+}\r\nabc) {4}\r\nhell\r\nok {2}\r\n\r\n\r\n",
        sent: ["STARTTLS\r\n"]),
    Exchange(
        name: .irc,
        peer:
            ":s NOTICE AUTH :*** Looking up\r\nPING :1 2\r\n:s CAP * LS * :multi-prefix sasl=PLAIN\r\n:s CAP * LS :tls x\r\n"
            + "@time=1 :s NOTICE * :y\r\n:s 670 * :go\r\n",
        sent: ["CAP LS 302\r\n", "PONG :1 2\r\n", "STARTTLS\r\n"]),
    Exchange(
        name: .irc, peer: ":s 421 * CAP :Unknown command\r\n:s 670 :go\r\n", sent: ["CAP LS 302\r\n", "STARTTLS\r\n"]),
]

let linesRefused = [
    Exchange(
        name: .smtp, peer: "554 5.7.1 go away\r\n", sent: [], refusal: greetingRefuses, line: "554 5.7.1 go away"),
    Exchange(name: .smtp, peer: "SSH-2.0-x\r\n", sent: [], refusal: "this is not SMTP", line: "SSH-2.0-x"),
    Exchange(name: .smtp, peer: "220-a\r\n250 b\r\n", sent: [], refusal: "this is not SMTP", line: "250 b"),
    Exchange(
        name: .smtp, peer: "220 a\r\n250-STARTTLS\r\n250-NOSTARTTLS\r\n250 X STARTTLS\r\n", sent: [ehlo],
        refusal: noSTARTTLS, line: "250-STARTTLS\r\n250-NOSTARTTLS\r\n250 X STARTTLS"),
    Exchange(
        name: .smtp, peer: "220 a\r\n250-b\r\n250 \u{C5}\u{BF}TARTTLS\r\n", sent: [ehlo], refusal: noSTARTTLS,
        line: "250-b\r\n250 \u{C5}\u{BF}TARTTLS"),
    Exchange(
        name: .smtp, peer: "220 a\r\n502 no EHLO\r\n", sent: [ehlo], refusal: "it refuses EHLO", line: "502 no EHLO"),
    Exchange(
        name: .smtp, peer: "220 a\r\n250-b\r\n250 STARTTLS\r\n454 not now\r\n", sent: [ehlo, "STARTTLS\r\n"],
        refusal: refusesSTARTTLS, line: "454 not now"),
    Exchange(name: .lmtp, peer: "220 a\r\n250 b\r\n", sent: [lhlo], refusal: noSTARTTLS, line: "250 b"),
    Exchange(name: .imap, peer: "* BYE full\r\n", sent: [], refusal: "it says goodbye", line: "* BYE full"),
    Exchange(
        name: .imap, peer: "* PREAUTH hi\r\n", sent: [],
        refusal: "it takes no STARTTLS, since we are authenticated", line: "* PREAUTH hi"),
    Exchange(name: .imap, peer: "+OK POP3\r\n", sent: [], refusal: "this is not IMAP", line: "+OK POP3"),
    Exchange(
        name: .imap, peer: "* OK x\r\n* CAPABILITY IMAP4rev1\r\na1 OK STARTTLS\r\n", sent: ["a1 CAPABILITY\r\n"],
        refusal: noSTARTTLS, line: "* CAPABILITY IMAP4rev1"),
    Exchange(
        name: .imap, peer: "* OK x\r\n* CAPABILITY STARTTLS\r\na1 OK\r\na2 NO broken\r\n",
        sent: ["a1 CAPABILITY\r\n", "a2 STARTTLS\r\n"], refusal: refusesSTARTTLS, line: "a2 NO broken"),
    Exchange(name: .pop3, peer: "-ERR busy\r\n", sent: [], refusal: greetingRefuses, line: "-ERR busy"),
    Exchange(
        name: .pop3, peer: "+OK\r\n+OK\r\nUIDL\r\nSASL STLS\r\n.\r\n", sent: ["CAPA\r\n"],
        refusal: "it does not offer STLS",
        line: "UIDL\r\nSASL STLS"),
    Exchange(
        name: .pop3, peer: "+OK\r\n-ERR\r\n-ERR no\r\n", sent: ["CAPA\r\n", "STLS\r\n"], refusal: "it refuses STLS",
        line: "-ERR no"),
    Exchange(name: .pop3, peer: "220 ftp\r\n", sent: [], refusal: "this is not POP3", line: "220 ftp"),
    Exchange(name: .nntp, peer: "220 ftp\r\n", sent: [], refusal: "this is not NNTP", line: "220 ftp"),
    Exchange(name: .smtp, peer: "200 news\r\n", sent: [], refusal: "this is not SMTP", line: "200 news"),
    Exchange(name: .ftp, peer: "200 news\r\n", sent: [], refusal: "this is not FTP", line: "200 news"),
    Exchange(
        name: .irc, peer: "220 mx\r\n", sent: ["CAP LS 302\r\n"], refusal: "this is not IRC", line: "220 mx"),
    Exchange(name: .ftp, peer: "421 full\r\n", sent: [], refusal: greetingRefuses, line: "421 full"),
    Exchange(
        name: .ftp, peer: "220 a\r\n530 Please login\r\n", sent: ["AUTH TLS\r\n"], refusal: "it refuses AUTH TLS",
        line: "530 Please login"),
    Exchange(name: .nntp, peer: "502 no\r\n", sent: [], refusal: greetingRefuses, line: "502 no"),
    Exchange(
        name: .nntp, peer: "200 a\r\n101 l\r\nREADER\r\nVERSION 2\r\n.\r\n", sent: ["CAPABILITIES\r\n"],
        refusal: noSTARTTLS,
        line: "READER\r\nVERSION 2"),
    Exchange(
        name: .nntp, peer: "200 a\r\n101 l\r\nSTARTTLS\r\n.\r\n580 no\r\n", sent: ["CAPABILITIES\r\n", "STARTTLS\r\n"],
        refusal: refusesSTARTTLS, line: "580 no"),
    Exchange(
        name: .sieve, peer: "\"SASL\" \"STARTTLS\"\r\n\"X\" {12}\r\n\r\n\"STARTTLS\"\r\nOK\r\n", sent: [],
        refusal: noSTARTTLS, line: "\"SASL\" \"STARTTLS\"\r\n\"X\" {12}\r\n\"STARTTLS\""),
    Exchange(
        name: .sieve, peer: "BYE \"full\"\r\n", sent: [], refusal: greetingRefuses, line: "BYE \"full\""),
    Exchange(
        name: .sieve, peer: "\"STARTTLS\"\r\nOK\r\nNO(TRYLATER)\r\n", sent: ["STARTTLS\r\n"], refusal: refusesSTARTTLS,
        line: "NO(TRYLATER)"),
    Exchange(
        name: .irc, peer: ":s CAP * LS :sasl sts=port=6697\r\n", sent: ["CAP LS 302\r\n"],
        refusal: "it does not offer tls", line: ":s CAP * LS :sasl sts=port=6697"),
    Exchange(
        name: .irc, peer: ":s CAP * LS :tls\r\n:s 691 * :broken\r\n", sent: ["CAP LS 302\r\n", "STARTTLS\r\n"],
        refusal: refusesSTARTTLS, line: ":s 691 * :broken"),
    Exchange(
        name: .irc, peer: "ERROR :Closing link\r\n", sent: ["CAP LS 302\r\n"], refusal: "it ends the connection",
        line: "ERROR :Closing link"),
    Exchange(
        name: .irc, peer: ":s 451 * :register\r\n:s 451 * :register\r\n", sent: ["CAP LS 302\r\n", "STARTTLS\r\n"],
        refusal: refusesSTARTTLS, line: ":s 451 * :register"),
]
