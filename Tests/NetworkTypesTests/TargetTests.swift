import NetworkTypes
import Testing

@Suite struct TargetTests {
    @Test(arguments: [
        ("tcp://db.internal:5432", "tcp db.internal 5432"), ("db.internal:5432", "tcp db.internal 5432"),
        ("TCP://h:1", "tcp h 1"),
        ("tls://h:443", "tls h 443"), ("TlS://h:https", "tls h 443"), ("udp://h:53", "udp h 53"),
        ("UDP://h:domain", "udp h 53"), ("quic://h:https", "quic h 443"), ("QUIC://[::1]:1", "quic <::1> 1"),
        ("tcp://10.0.0.1:80", "tcp <10.0.0.1> 80"), ("10.0.0.1:80", "tcp <10.0.0.1> 80"),
        ("tcp://0.0.0.0:1", "tcp <0.0.0.0> 1"),
        ("tcp://[::1]:65535", "tcp <::1> 65535"), ("[::1]:22", "tcp <::1> 22"), ("[::1]:ssh", "tcp <::1> 22"),
        ("udp://[fe80::1%eth0]:53", "udp <fe80::1%eth0> 53"),
        ("tcp://[::ffff:10.0.0.1]:80", "tcp <::ffff:10.0.0.1> 80"),
        ("tcp://[2001:DB8:0:0::1]:80", "tcp <2001:db8::1> 80"), ("tcp://db.internal.:5432", "tcp db.internal. 5432"),
        ("tcp://my_host:80", "tcp my_host 80"), ("tcp://-a-.b--:80", "tcp -a-.b-- 80"),
        ("tcp://xn--bcher-kva.example:80", "tcp xn--bcher-kva.example 80"),
        ("tcp://DB:80", "tcp DB 80"), ("tcp://1a:80", "tcp 1a 80"),
        ("tcp://1.2.3.4.example:80", "tcp 1.2.3.4.example 80"),
        ("tcp://0xg:80", "tcp 0xg 80"), ("tcp://a.0x1z:80", "tcp a.0x1z 80"), ("tcp://x0:80", "tcp x0 80"),
        ("tcp://3com.com:80", "tcp 3com.com 80"),
        ("unix:/run/x.sock", "stream /run/x.sock"), ("unix:///run/x.sock", "stream /run/x.sock"),
        ("UNIX:/a", "stream /a"),
        ("unix+dgram:/run/x", "dgram /run/x"), ("unix+seqpacket:///run/x", "seqpacket /run/x"),
        ("Unix+Dgram:@n", "dgram @n"),
        ("unix:@name", "stream @name"), ("unix+seqpacket:@a/b", "seqpacket @a/b"), ("unix:/a%20b", "stream /a%20b"),
        ("unix:/a b?c#d", "stream /a b?c#d"), ("unix:/ü", "stream /ü"), ("unix:@@", "stream @@"),
        ("unix:/..//./x", "stream /..//./x"),
        ("unix:////a", "stream //a"), ("unix:/", "stream /"), ("tcp://unix:80", "tcp unix 80"),
        ("http:80", "tcp http 80"),
        ("tcp:80", "tcp tcp 80"), ("tcp://localhost:mongodb", "tcp localhost 27017"), ("tcp://_:1", "tcp _ 1"),
        ("unix:/run/user@1000/a:b", "stream /run/user@1000/a:b"), ("tcp://ff:80", "tcp ff 80"),
        ("[ff02::1%2]:80", "tcp <ff02::1%2> 80"),
    ])
    func isParsed(_ text: String, peer: String) throws {
        let target = try Target(parsing: text)
        #expect(target.summary == peer)
        #expect(target.text == text)
    }

    @Test(arguments: [
        ("", "empty"), (":80", "host is empty"), ("tcp://", "no host"), ("tcp://:80", "host is empty"),
        ("h", "no port"),
        ("tcp://h", "no port"), ("tcp://[::1]", "no port"), ("h:", "port is empty"), ("tcp://[::1]:", "port is empty"),
        ("h:0", "1…65535"), ("h:65536", "1…65535"), ("h:99999999999999999999999", "1…65535"), ("h:-1", "1…65535"),
        ("h:+80", "1…65535"), ("h:http2", "1…65535"), ("h:HTTPS", "1…65535"), ("h:080", "leading zeros"),
        ("h:00", "leading zeros"),
        ("h:80x", "begins with a digit"), ("h:8 0", "white space"), ("h:80 ", "white space"), (" h:80", "white space"),
        ("h:80\n", "white space"),
        ("h\t:80", "white space"), ("h\u{1}:80", "control"), ("h\u{7f}:80", "control"), ("h\0:80", "NUL"),
        ("tcp://h\0:80", "NUL"),
        ("tcp://１２７.0.0.1:80", "write 127.0.0.1"), ("h\u{200b}:80", "invisible characters, got U+200B"),
        ("h:８０", "1…65535"), ("[::１]:80", "not an IPv6"),
        ("tcp://0177.0.0.1:80", "number"), ("tcp://2130706433:80", "number"), ("tcp://0x7f.1:80", "number"),
        ("tcp://127.1:80", "number"),
        ("tcp://999.1.1.1:80", "number"), ("tcp://0x7f000001:80", "number"), ("tcp://0X7F:80", "number"),
        ("tcp://0x:80", "number"),
        ("tcp://1.2.3.0x4:80", "number"), ("tcp://a.1:80", "number"), ("tcp://a.0x1f:80", "number"),
        ("tcp://127.0.0.1.:80", "number"),
        ("tcp://1:80", "number"), ("tcp://1.2.3.4.5:80", "number"), ("tcp://127.0.0.01:80", "number"),
        ("tcp://a.1.:80", "number"),
        ("tcp://a.00:80", "number"), ("tcp://a.0x.:80", "number"), ("tcp://127.0.0.256:80", "number"),
        ("tcp://a..b:80", "empty label"), ("tcp://.a:80", "empty label"), ("tcp://.:80", "empty label"),
        ("tcp://a..:80", "empty label"),
        ("tcp://\(String(repeating: "a", count: 64)):80", "63 bytes"),
        ("tcp://a.\(String(repeating: "b", count: 64)).c:80", "63 bytes"),
        ("tcp://\(String(repeating: "a.", count: 126))aa:80", "253 bytes"),
        ("tcp://\(String(repeating: "a.", count: 126))aa.:80", "253 bytes"),
        ("tcp://u@h:80", "user"), ("tcp://u:p@h:80", "user"), ("u@h:80", "user"), ("tcp://h:80/", "path"),
        ("tcp://h:80/x", "path"),
        ("tcp://h/x:80", "path"), ("tcp://h:80?x", "query"), ("tcp://h:80#x", "fragment"), ("h:80/x", "path"),
        ("tcp:///h:80", "path"),
        ("//h:80", "path"), ("tcp:/h:80", "path"),
        ("http://h:80", "tcp, tls, udp, quic, unix, unix+dgram and unix+seqpacket"),
        ("://h:80", "scheme"), ("sctp://h:80", "scheme"), ("unix+stream://a", "scheme"), ("tcp ://h:80", "scheme"),
        ("vsock://3:80", "scheme"),
        ("::1:80", "brackets"), ("tcp://::1:80", "brackets"), ("2001:db8::1:443", "brackets"), ("tcp:h:80", "brackets"),
        ("fe80::1%eth0:80", "brackets"),
        ("tcp://[::1:80", "closing bracket"), ("tcp://[]:80", "not an IPv6"), ("tcp://[10.0.0.1]:80", "not an IPv6"),
        ("tcp://[h]:80", "not an IPv6"),
        ("tcp://[::1]80", "colon"), ("tcp://[::1]x:80", "colon"), ("tcp://[::1%lo]:80", "zone"),
        ("tcp://[fe80::1%]:80", "zone"),
        ("tcp://[fe80::1%a b]:80", "white space"), ("tcp://[[::1]]:80", "not an IPv6"), ("tcp://a[::1]:80", "brackets"),
        ("tcp://a]:80", "letters"),
        ("tcp://h%41:80", "percent"), ("tcp://%31:80", "percent"), ("tcp://a\\b:80", "letters"),
        ("tcp://a*b:80", "letters"),
        ("tcp://a,b:80", "letters"), ("tcp://a;b:80", "letters"), ("tcp://$h:80", "letters"),
        ("tcp://(h):80", "letters"),
        ("tcp://h'x:80", "letters"), ("tcp://a+b:80", "letters"), ("tcp://a~:80", "letters"),
        ("tcp://h:80:90", "more than one colon"),
        ("unix:", "empty"), ("unix://", "no host"), ("unix://host/path", "no host"), ("unix://localhost/p", "no host"),
        ("unix:x", "must be absolute"), ("unix:./x", "must be absolute"), ("unix:@", "abstract"), ("unix:/a\0b", "NUL"),
        ("unix:@a\0b", "NUL"),
        ("unix+dgram:", "empty"), ("unix+seqpacket://h/p", "no host"), ("unix://@name", "no host"),
        ("unix:80", "must be absolute"),
        ("unix:/\(String(repeating: "a", count: 4096))", "4096 bytes"), (String(repeating: "a", count: 5000), "bytes"),
    ])
    func isRefused(_ text: String, because word: String) throws {
        do {
            let target = try Target(parsing: text)
            Issue.record("read as \(target.summary)")
        } catch {
            #expect(error.detail.contains(word), "\(error.detail)")
            #expect(
                error.detail.utf8.allSatisfy { $0 >= 0x20 } && !error.detail.hasSuffix("."))
        }
    }

    @Test func namesAndLabelsCanHaveTheirFullLength() throws {
        let label = String(repeating: "a", count: 63)
        let name = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(try Target(parsing: "tcp://\(name):1").summary == "tcp \(name) 1")
        #expect(try Target(parsing: "tcp://\(name).:1").summary == "tcp \(name). 1")
    }

    @Test(arguments: [108, 300, 4095])
    func longPathsAreAccepted(length: Int) throws {
        let rest = String(repeating: "p", count: length)
        #expect(try Target(parsing: "unix:/\(rest)").summary == "stream /\(rest)")
        #expect(try Target(parsing: "unix:@\(rest)").summary == "stream @\(rest)")
    }

    @Test(
        arguments: [
            ("tcp", "db.internal", .number(5432), "tcp://db.internal:5432"),
            ("tls", "h", .name("https"), "tls://h:https"),
            ("udp", "10.0.0.1", .number(53), "udp://10.0.0.1:53"),
            ("tcp", "2001:DB8::0:1", .number(1), "tcp://[2001:db8::1]:1"),
            ("tcp", "fe80::1%eth0", .number(65535), "tcp://[fe80::1%eth0]:65535"),
            ("tcp", "h.", .name("ssh"), "tcp://h.:ssh"),
            ("tls", "MÜNCHEN.example", .number(443), "tls://MÜNCHEN.example:443"),
        ] as [(String, String, TargetPort, String)])
    func theObjectFormIsEquivalent(_ transport: String, host: String, port: TargetPort, url: String) throws {
        #expect(try Target(transport: transport, host: host, port: port) == Target(parsing: url))
    }

    @Test(
        arguments: [
            ("sctp", "h", .number(1), .transport), ("unix", "h", .number(1), .transport),
            ("", "h", .number(1), .transport),
            ("TCP", "h", .number(1), .transport), ("tcp", "", .number(1), .host), ("tcp", "[::1]", .number(1), .host),
            ("tcp", "::g", .number(1), .host), ("tcp", "h:80", .number(1), .host), ("tcp", "u@h", .number(1), .host),
            ("tcp", "127.1", .number(1), .host), ("tcp", "h/x", .number(1), .host), ("tcp", "a b", .number(1), .host),
            ("tcp", "h\0", .number(1), .host), ("tcp", "ü💩", .number(1), .host), ("tcp", "h", .number(0), .port),
            ("tcp", "h", .number(65536), .port), ("tcp", "h", .number(-1), .port), ("tcp", "h", .name("443"), .port),
            ("tcp", "h", .name(""), .port),
            ("tcp", "h", .name("no"), .port), ("tcp", "h?x", .number(1), .host), ("tcp", "h#x", .number(1), .host),
        ] as [(String, String, TargetPort, TargetError.Member)])
    func errorsOfTheObjectFormNameTheMember(
        _ transport: String, host: String, port: TargetPort, member: TargetError.Member
    ) {
        #expect(throws: TargetError.self) { try Target(transport: transport, host: host, port: port) }
        do {
            _ = try Target(transport: transport, host: host, port: port)
        } catch {
            #expect(error.member == member)
        }
    }

    @Test(
        arguments: [
            (.stream, "/run/x.sock", "unix:/run/x.sock"), (.dgram, "@name", "unix+dgram:@name"),
            (.seqpacket, "/a", "unix+seqpacket:/a"), (.stream, "//a/b", "unix:////a/b"),
        ] as [(UnixSocketType, String, String)])
    func theObjectFormOfPathsIsEquivalent(_ type: UnixSocketType, path: String, url: String) throws {
        #expect(try Target(socketType: type, path: path) == Target(parsing: url))
    }

    @Test(arguments: ["", "@", "a", "./a", "/a\0", "@\0"])
    func theObjectFormRefusesBadPaths(_ path: String) {
        #expect(throws: TargetError.self) { try Target(socketType: .stream, path: path) }
    }

    @Test func datagramTargetsAreRecognized() throws {
        #expect(try Target(parsing: "udp://h:1").isDatagram && Target(parsing: "unix+dgram:/a").isDatagram)
        #expect(try !Target(parsing: "unix:/a").isDatagram && !Target(parsing: "h:1").isDatagram)
        #expect(try Target(parsing: "unix:/a").transport == .unix && Target(parsing: "tls://h:1").transport == .tcp)
    }
}

extension Target {
    /// The peer in a short form that shows addresses in angle brackets, so that they differ from names.
    var summary: String {
        switch peer {
        case .tcp(let host, let port): "\(impliesTLS ? "tls" : "tcp") \(host.summary) \(port)"
        case .udp(let host, let port): "\(impliesQUIC ? "quic" : "udp") \(host.summary) \(port)"
        case .unix(let type, let address): "\(type.rawValue) \(address.text)"
        }
    }
}

extension Host {
    fileprivate var summary: String {
        switch self {
        case .address(let address): "<\(address.text)>"
        case .name(let name): name
        }
    }
}
