import CheckEngine
import CheckModel
@testable import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import Testing

/// The member `tls`: its decoded values and its problems.
@Suite struct TLSDecoderTests {
    private func options(_ json: String) throws -> TLSOptions? { try decodedRequest(#""tls":\#(json)"#).tls }

    private func wrong(_ members: String, target: String = "tcp://10.0.0.7:80") throws -> [String] {
        try pointers(#"{"target":"\#(target)",\#(members)}"#)
    }

    @Test func `true and an empty object mean the defaults, false means no TLS`() throws {
        #expect(try options("true") == TLSOptions())
        #expect(try options("{}") == TLSOptions())
        #expect(try options("false") == nil)
    }

    @Test func `every member is decoded`() throws {
        let options = try options(
            #"""
            {"server_name":"db.internal.","verify":false,"ca":"internal","client_certificate":"probe",
             "alpn":["h2","http/1.1"],"min_version":"1.0","max_version":"1.2","ciphers":"HIGH","starttls":"xmpp-server",
             "expect_alert":"certificate_required","min_days_left":14,"revocation":"ocsp_stapled"}
            """#)
        var expected = TLSOptions()
        expected.serverName = "db.internal."
        expected.verify = false
        expected.authority = "internal"
        expected.clientCertificate = "probe"
        expected.alpn = ["h2", "http/1.1"]
        expected.minimumVersion = .tls10
        expected.maximumVersion = .tls12
        expected.ciphers = "HIGH"
        expected.startTLS = .xmppServer
        expected.expectedAlert = TLSAlert(code: 116)
        expected.minimumDaysLeft = 14
        expected.revocation = .ocspStapled
        #expect(options == expected)
    }

    @Test func `the scheme tls means the defaults, which tls can change`() throws {
        let json = #"{"target":"tls://h:443"}"#
        #expect(try decode(json).get().request.tls == TLSOptions())
        let refined = try decode(#"{"target":"tls://h:443","tls":{"starttls":"smtp","verify":false}}"#).get().request
        #expect(refined.tls?.verify == false && refined.tls?.startTLS == .smtp)
        #expect(refined.target.impliesTLS)
    }

    @Test func `a starttls step does not need the member tls`() throws {
        let request = try decodedRequest(#""dialog":[{"expect":"^220"},{"starttls":true}]"#)
        #expect(request.dialog.last == .startTLS)
        #expect(request.tls == nil)
    }

    @Test(arguments: ["192.0.2.1", "2001:db8::1", "a", "a.example.", "xn--bcher-kva.example", "_x.example"])
    func `every host of a target is a valid server name`(name: String) throws {
        #expect(try options(#"{"server_name":"\#(name)"}"#)?.serverName == name)
    }

    @Test func `an international server name becomes ASCII`() throws {
        #expect(try options(#"{"server_name":"BÜCHER.example"}"#)?.serverName == "xn--bcher-kva.example")
    }

    @Test(arguments: [
        #""""#, #""[::1]""#, #""127.1""#, #""a b""#, #""*.example""#, #""a..b""#, #""💩.example""#, #""a\u0000""#,
        #""fe80::1%eth0""#, #""h:443""#, "1", "null",
    ])
    func `an invalid server name is refused`(json: String) throws {
        #expect(try wrong(#""tls":{"server_name":\#(json)}"#) == ["/tls/server_name"])
    }

    @Test(arguments: [
        (#""tls":null"#, "/tls"), (#""tls":1"#, "/tls"), (#""tls":"smtp""#, "/tls"), (#""tls":[]"#, "/tls"),
        (#""tls":{"extra":1}"#, "/tls/extra"), (#""tls":{"verify":"no"}"#, "/tls/verify"),
        (#""tls":{"ca":1}"#, "/tls/ca"), (#""tls":{"client_certificate":{}}"#, "/tls/client_certificate"),
        (#""tls":{"alpn":[]}"#, "/tls/alpn"), (#""tls":{"alpn":"h2"}"#, "/tls/alpn"),
        (#""tls":{"alpn":["h2",""]}"#, "/tls/alpn/1"), (#""tls":{"alpn":[1]}"#, "/tls/alpn/0"),
        (#""tls":{"min_version":"1.4"}"#, "/tls/min_version"), (#""tls":{"min_version":1.2}"#, "/tls/min_version"),
        (#""tls":{"max_version":"TLSv1.3"}"#, "/tls/max_version"),
        (#""tls":{"min_version":"1.3","max_version":"1.2"}"#, "/tls/max_version"),
        (#""tls":{"min_version":"1.1","max_version":"1.0"}"#, "/tls/max_version"),
        (#""tls":{"ciphers":""}"#, "/tls/ciphers"),
        (#""tls":{"ciphers":"HIGH\u0000"}"#, "/tls/ciphers"), (#""tls":{"starttls":"ssh"}"#, "/tls/starttls"),
        (#""tls":{"starttls":true}"#, "/tls/starttls"), (#""tls":{"expect_alert":"none"}"#, "/tls/expect_alert"),
        (#""tls":{"expect_alert":40}"#, "/tls/expect_alert"), (#""tls":{"min_days_left":-1}"#, "/tls/min_days_left"),
        (#""tls":{"min_days_left":36501}"#, "/tls/min_days_left"),
        (#""tls":{"revocation":"crl"}"#, "/tls/revocation"),
        (#""dialog":[{"starttls":false}]"#, "/dialog/0/starttls"),
        (#""dialog":[{"starttls":"smtp"}]"#, "/dialog/0/starttls"),
    ])
    func `an invalid member is refused`(member: String, pointer: String) throws {
        #expect(try wrong(member) == [pointer])
    }

    @Test func `seventeen protocols or a long name are refused`() throws {
        let many = Array(repeating: #""h2""#, count: 17).joined(separator: ",")
        #expect(try wrong(#""tls":{"alpn":[\#(many)]}"#) == ["/tls/alpn"])
        #expect(try options(#"{"alpn":["\#(String(repeating: "é", count: 127))"]}"#)?.alpn.count == 1)
        #expect(try wrong(#""tls":{"alpn":["\#(String(repeating: "é", count: 128))"]}"#) == ["/tls/alpn/0"])
    }

    @Test(arguments: ["udp://h:53", "unix+dgram:/run/x", "unix+seqpacket:/run/x"])
    func `TLS needs a byte stream`(target: String) throws {
        #expect(try wrong(#""tls":true"#, target: target) == ["/tls"])
        #expect(try wrong(#""tls":{"server_name":"h"}"#, target: target) == ["/tls"])
        #expect(try wrong(#""dialog":[{"starttls":true}]"#, target: target) == ["/dialog/0/starttls"])
    }

    @Test(arguments: [
        (#""tls":true"#, ["/tls/server_name"]), (#""tls":{}"#, ["/tls/server_name"]),
        (#""dialog":[{"starttls":true}]"#, ["/tls/server_name"]), (#""tls":{"verify":false}"#, []),
        (#""tls":{"server_name":"db"}"#, []), (#""tls":false"#, []),
        // The problem with verify does not hide the missing name.
        (#""tls":{"verify":1}"#, ["/tls/verify"]),
    ])
    func `a UNIX-domain socket has no name to verify`(members: String, found: [String]) throws {
        #expect(try wrong(members, target: "unix:/run/x") == found)
    }

    @Test(arguments: [
        ("tls://h:443", #""tls":false"#, ["/tls"]),
        ("tcp://h:443", #""tls":false,"dialog":[{"starttls":true}]"#, ["/tls"]),
        ("tls://h:443", #""dialog":[{"starttls":true}]"#, ["/dialog/0/starttls"]),
        ("tcp://h:25", #""tls":{"starttls":"smtp"},"dialog":[{"send":"x"},{"starttls":true}]"#, ["/dialog/1/starttls"]),
        ("tcp://h:25", #""dialog":[{"starttls":true},{"send":"x"},{"starttls":true}]"#, ["/dialog/2/starttls"]),
        ("tcp://h:25", #""tls":{"verify":false},"dialog":[{"starttls":true}]"#, []),
    ])
    func `TLS begins only once`(target: String, members: String, found: [String]) throws {
        #expect(try wrong(members, target: target) == found)
    }

    @Test(arguments: [
        (#""tls":true"#, true), (#""tls":{"verify":false}"#, true), (#""tls":{"starttls":"smtp"}"#, false),
        (#""tls":{"starttls":"ldap"},"dialog":[{"send":"x"}]"#, false),
        (#""tls":true,"dialog":[{"expect":"x"}]"#, true),
        (#""dialog":[{"starttls":true}]"#, false), (#""dialog":[{"send":"x"},{"starttls":true}]"#, true),
        (#""tls":true,"dialog":[{"expect":"x"},{"starttls":true}]"#, false), (#""tls":false"#, false),
    ])
    func `fast open needs TLS or a dialog that sends first`(members: String, hasBytes: Bool) throws {
        let found = try wrong(#""socket":{"tcp_fast_open":true},\#(members)"#)
        #expect(found == (hasBytes ? [] : ["/socket/tcp_fast_open"]))
    }
}
