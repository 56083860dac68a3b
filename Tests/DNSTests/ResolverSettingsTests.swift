@testable import DNS
import NetworkTypes
import Testing

/// The parser of resolv.conf(5).
@Suite struct ResolverSettingsTests {
    private func parse(_ text: String) -> ResolverSettings { ResolverSettings(parsing: Array(text.utf8)) }

    @Test func serversSearchDomainsAndOptionsAreRead() {
        let settings = parse(
            """
            # nameserver 192.0.2.99
            nameserver 192.0.2.53 ; comment
            nameserver\tfe80::1%eth0
            nameserver not-an-address
            domain first.example
            search One.Example. two.example
            options ndots:2 timeout:3 attempts:4 use-vc rotate ndots:x
            sortlist 192.0.2.0/24
            """)
        #expect(settings.servers.map(\.text) == ["192.0.2.53", "fe80::1%eth0"])
        #expect(settings.search == ["one.example", "two.example"])
        #expect(settings.ndots == 2)
        #expect(settings.answerSeconds == 3)
        #expect(settings.rounds == 4)
        #expect(settings.usesTCP)
    }

    @Test func anEmptyFileMeansThisMachine() {
        #expect(parse("") == ResolverSettings())
        #expect(parse("").servers.map(\.text) == ["127.0.0.1"])
    }

    @Test func optionsAreClamped() {
        let settings = parse("options ndots:99 timeout:0 attempts:1000\n")
        #expect(settings.ndots == 15)
        #expect(settings.answerSeconds == 1)
        #expect(settings.rounds == 5)
    }

    @Test func theSearchFollowsNdotsAndAFinalDotDisablesIt() {
        let settings = parse("search one.example\noptions ndots:2\n")
        #expect(settings.candidates(for: "a") == ["a.one.example", "a"])
        #expect(settings.candidates(for: "a.b") == ["a.b.one.example", "a.b"])
        #expect(settings.candidates(for: "a.b.c") == ["a.b.c", "a.b.c.one.example"])
        #expect(settings.candidates(for: "a.") == ["a"])
        let long = String(repeating: "a.", count: 122) + "a"
        #expect(settings.candidates(for: long) == [long])
    }
}
