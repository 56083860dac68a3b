import ArgumentParser
import NetworkTypes
import Testing
@testable import connectd

@Suite("The URL of a health check")
struct HealthURLTests {
    @Test(
        "has a peer, a Host and a resource",
        arguments: [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", "/livez", 8080),
            ("http://127.0.0.1:8080/readyz?full=1", "127.0.0.1:8080", "/readyz?full=1", 8080),
            ("http://127.0.0.1:8080/", "127.0.0.1:8080", "/", 8080),
            ("[::1]:8081", "[::1]:8081", "/livez", 8081),
            ("http://[::1]/x", "[::1]", "/x", 80),
            ("http://connectd", "connectd", "/livez", 80),
            ("http://a?b", "a", "/?b", 80),
            ("http://bücher.example/x", "xn--bcher-kva.example", "/x", 80),
            ("bücher.example:8080", "xn--bcher-kva.example:8080", "/livez", 8080),
        ] as [(String, String, String, UInt16)])
    func reading(text: String, authority: String, resource: String, port: UInt16) throws {
        let url = try HealthURL(parsing: text)
        #expect(url.authority == authority)
        #expect(url.resource == resource)
        guard case .internet(_, port) = url.peer else {
            Issue.record("\(url.peer)")
            return
        }
    }

    @Test(
        "may use https", arguments: [("https://a", 443), ("https://[::1]:8443/readyz", 8443)] as [(String, UInt16)])
    func https(text: String, port: UInt16) throws {
        let url = try HealthURL(parsing: text)
        #expect(url.isHTTPS)
        guard case .internet(_, port) = url.peer else {
            Issue.record("\(url.peer)")
            return
        }
        #expect(try !HealthURL(parsing: "http://a").isHTTPS && !HealthURL(parsing: "a:443").isHTTPS)
    }

    @Test("can be a UNIX-domain socket", arguments: ["unix:/run/c.sock", "unix:///run/c.sock"])
    func unixSocket(text: String) throws {
        let url = try HealthURL(parsing: text)
        #expect(url.authority == "localhost" && url.resource == "/livez")
        guard case .unix(.path(Array("/run/c.sock".utf8))) = url.peer else {
            Issue.record("\(url.peer)")
            return
        }
    }

    @Test(
        "is rejected if it is invalid",
        arguments: [
            "", "http://", "https://", "https://a:1/x y", "ftp://a:1", "http://a:1/x y", "http://a:1/\u{7F}",
            "http://a:1/#f",
            "http://u@a:1", "http://a:0", "http://a:1:2", "unix:", "unix:relative", "http://127.1/",
            "http://a:1/\r\nX: y",
        ])
    func refusals(text: String) {
        #expect(throws: ValidationError.self) { try HealthURL(parsing: text) }
    }

    @Test(
        "defaults to the address of the local service",
        arguments: [
            ([:], "http://127.0.0.1:8080/livez"),
            (["CONNECTD_LISTEN": "127.0.0.1:9"], "http://127.0.0.1:9/livez"),
            (["CONNECTD_LISTEN": "0.0.0.0:9, 127.0.0.1:10"], "http://127.0.0.1:9/livez"),
            (["CONNECTD_LISTEN": " [::]:9"], "http://[::1]:9/livez"),
            (["CONNECTD_LISTEN": "unix:/s,127.0.0.1:10"], "unix:/s"),
            (
                ["CONNECTD_LISTEN": "127.0.0.1:9", "CONNECTD_HEALTH_LISTEN": "0.0.0.0:8081"],
                "http://127.0.0.1:8081/livez"
            ),
            (["CONNECTD_LISTEN": ""], "http://127.0.0.1:8080/livez"),
        ] as [([String: String], String)])
    func environment(environment: [String: String], text: String) throws {
        #expect(try HealthURL(environment: environment).text == text)
    }
}
