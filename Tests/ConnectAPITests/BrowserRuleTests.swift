@testable import ConnectAPI
import Testing

/// Browser requests from other sites are refused. Other programs and our own pages are accepted.
@Suite struct BrowserRuleTests {
    private static let host = "localhost:8080"
    private static let sites: [(site: String?, isAccepted: Bool)] = [
        (nil, true), ("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false), ("", false),
        ("Same-Origin", false), ("same-origin, none", false), ("unheard-of", false),
    ]
    private static let origins: [(origin: String?, isAccepted: Bool)] = [
        (nil, true), ("http://localhost:8080", true), ("https://localhost:8080", true), ("HTTP://LocalHost:8080", true),
        ("null", false), ("", false), ("http://localhost", false), ("http://localhost:8081", false),
        ("http://evil.example", false), ("http://localhost:8080.evil.example", false),
        ("http://localhost:8080/", false), ("ftp://localhost:8080", false), ("localhost:8080", false),
        ("http://evil.example http://localhost:8080", false),
    ]

    @Test func `a request is accepted if its site and origin are ours or absent`() {
        for (site, isSiteAccepted) in Self.sites {
            for (origin, isOriginAccepted) in Self.origins {
                #expect(
                    BrowserRule.accepts(site: site, origin: origin, host: Self.host, isHTTPS: false)
                        == (isSiteAccepted && isOriginAccepted),
                    "Sec-Fetch-Site \(site ?? "unsaid"), Origin \(origin ?? "unsaid")")
            }
        }
    }

    @Test func `an origin is refused without a Host header to compare it with`() {
        #expect(!BrowserRule.accepts(site: nil, origin: "http://localhost:8080", host: nil, isHTTPS: false))
        #expect(!BrowserRule.accepts(site: "same-origin", origin: "http://", host: nil, isHTTPS: false))
        #expect(BrowserRule.accepts(site: nil, origin: nil, host: nil, isHTTPS: false))
    }

    @Test func `an http page is refused if we serve https only`() {
        for (origin, isAccepted) in [("https://a", true), ("HTTPS://A", true), ("http://a", false)] {
            #expect(BrowserRule.accepts(site: nil, origin: origin, host: "a", isHTTPS: true) == isAccepted)
        }
        // Both omit the default port, or neither does.
        #expect(BrowserRule.accepts(site: "same-origin", origin: "https://a", host: "a", isHTTPS: true))
        #expect(!BrowserRule.accepts(site: nil, origin: "https://a", host: "a:8443", isHTTPS: true))
    }
}
