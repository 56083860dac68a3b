import NetworkTypes
import Testing

/// Invalid targets that users type, and the suggestion of the error.
struct TargetSuggestionTests {
    @Test(arguments: [
        ("http://example.com", "did you mean tcp://example.com:80?"),
        ("https://example.com/path?q#f", "did you mean tls://example.com:443?"),
        ("https://example.com:8443", "did you mean tls://example.com:8443?"),
        ("HTTP://[2001:db8::1]/", "did you mean tcp://[2001:db8::1]:80?"),
        ("postgres://user:secret@db:5433/x", "did you mean tcp://db:5433?"),
        ("postgresql://db", "did you mean tcp://db:5432?"),
        ("jdbc:postgresql://db/x", "did you mean tcp://db:5432?"),
        ("rediss://cache", "did you mean tls://cache:6379?"),
        ("mongodb://a:1,b:2/db", "did you mean tcp://a:1 and tcp://b:2?"),
        ("tcp4://h:1", "did you mean tcp://h:1?"),
        ("tpc://h:1", "did you mean tcp://h:1?"),
        ("ntp://time", "did you mean udp://time:123?"), ("quic://web", "did you mean quic://web:443?"),
        ("h3://web", "did you mean quic://web:443?"),
        ("tls://h", "did you mean tls://h:443?"),
        ("tcp:localhost:1", "did you mean tcp://localhost:1?"),
        ("udp:127.0.0.1:53", "did you mean udp://127.0.0.1:53?"),
        ("http:example.com", "did you mean tcp://example.com:80?"),
        ("localhost:53/udp", "did you mean udp://localhost:53?"),
        ("tcp://h:80/", "did you mean tcp://h:80?"),
        ("h:80/path", "did you mean h:80?"),
        ("user@h:22", "did you mean h:22?"),
        ("localhost:postgres", "did you mean localhost:5432?"),
        ("localhost:HTTPS", "did you mean localhost:443?"),
        ("localhost:htps", "did you mean localhost:443?"),
        ("localhost:080", "did you mean localhost:80?"),
        ("localhost 80", "did you mean localhost:80?"),
        ("\"localhost:80\"", "did you mean localhost:80?"),
        ("localhost:80,443", "did you mean localhost:80 and localhost:443?"),
        (":80", "did you mean localhost:80?"),
        ("::1:80", "did you mean [::1]:80?"),
        ("127.1:80", "did you mean 127.0.0.1:80?"),
        ("0x7f.1:80", "did you mean 127.0.0.1:80?"),
        ("0177.0.0.1:80", "did you mean 127.0.0.1:80?"),
        ("2130706433:80", "did you mean 127.0.0.1:80?"),
        ("localhost:80-90", "write one target for each port, as in localhost:80"),
        ("127.0.0.0/30:80", "write one target for each address, as in 127.0.0.1:80"),
        ("[2001:db8::]/64:80", "write one target for each address, as in [2001:db8::]:80"),
        ("10.0.0.0/8", "write one target for each address, as in 10.0.0.1:443"),
        ("localhost", "write the port too, as in localhost:443"),
        ("2001:db8::1", "write the port too, as in [2001:db8::1]:443"),
        ("[::1]", "write the port too, as in [::1]:443"),
        ("udp://h", "write the port too, as in udp://h:53"),
        ("/var/run/docker.sock", "did you mean unix:/var/run/docker.sock?"),
        ("unix://run/x.sock", "did you mean unix:/run/x.sock?"),
        ("unix+dgram:dev/log", "did you mean unix+dgram:/dev/log?"),
        ("file:///run/x.sock", "did you mean unix:/run/x.sock?"),
        ("http+unix://%2Frun%2Fx.sock/v1", "did you mean unix:/run/x.sock?"),
        ("@name", "did you mean unix:@name?"),
        ("./x.sock", "write the absolute path, as in unix:/path/to/x.sock"),
        ("docker.sock", "write the absolute path, as in unix:/path/to/docker.sock"),
    ])
    func `an error ends with a suggestion`(_ text: String, _ suggestion: String) {
        #expect(detail(text)?.hasSuffix("; \(suggestion)") == true, "\(detail(text) ?? "a valid target")")
    }

    @Test(arguments: [
        "", "999.1.1.1:80", "localhost:99999", "10.0.0.*:80", "h:1:2", "unix://", "a b c:1", "\u{0}:1",
        "h:" + String(repeating: "9", count: 4000), "http://" + String(repeating: "a", count: 300), "@", "[",
        "://",
    ])
    func `an error without a good guess suggests nothing`(_ text: String) {
        let detail = detail(text)
        #expect(detail != nil && detail?.contains("did you mean") == false, "\(detail ?? "a valid target")")
    }

    @Test(arguments: [
        "http://example.com", "h:80-90", "127.1:80", "::1:80", "postgres://u:p@[::1]/x", "unix:x",
        "mongodb://a:1,b:2/db",
    ])
    func `every suggestion is a valid target`(_ text: String) throws {
        let sentence = try #require(detail(text))
        let words = sentence.split(separator: " ").map { $0.trimming { "?.".contains($0) } }
        let last = try #require(words.last)
        #expect(throws: Never.self) { try Target(parsing: last) }
    }

    @Test func aSuggestionHasNoControlCharacters() {
        #expect(detail("../un-\tame")?.hasSuffix("as in unix:/path/to/un-\\tame") == true)
        #expect(detail("/run/\u{1B}[31m.sock")?.hasSuffix("did you mean unix:/run/\\u{1B}[31m.sock?") == true)
    }

    @Test(arguments: ["./a\0b", "a\0b.sock"])
    func nothingIsSuggestedForAPathWithANUL(_ text: String) {
        #expect(detail(text)?.contains("absolute") == false)
    }

    private func detail(_ text: String) -> String? {
        do throws(TargetError) {
            _ = try Target(parsing: text)
            return nil
        } catch {
            return error.detail
        }
    }
}

extension Substring {
    fileprivate func trimming(_ isCut: (Character) -> Bool) -> String {
        var rest = self
        while let last = rest.last, isCut(last) { rest.removeLast() }
        return String(rest)
    }
}
