import CheckModel
import ErrorCatalogue
import Testing
@testable import connectd

@Suite("Output for Nagios and Icinga")
struct NagiosReportTests {
    private func report(_ result: CheckResult, _ limits: NagiosLimits = NagiosLimits()) throws -> NagiosReport {
        NagiosReport([result], of: [try Results.request()], limits: limits)
    }

    @Test("has a state, a summary and performance data in one line")
    func oneTarget() throws {
        let limits = NagiosLimits(warning: Duration(milliseconds: 200), critical: Duration(milliseconds: 1000))
        let made = try report(Results.connected(), limits)
        #expect(made.state == .ok)
        #expect(
            made.text
                == "CONNECTD OK - tcp://192.0.2.1:80 connected in 0.34 ms | time=0.000341s;0.2;1;0;5")
    }

    @Test(
        "is WARNING or CRITICAL above the limits, not at them",
        arguments: [
            (200_000, NagiosState.ok), (200_001, .warning), (1_000_000, .warning), (1_000_001, .critical),
        ] as [(Int64, NagiosState)])
    func slowness(microseconds: Int64, state: NagiosState) throws {
        let limits = NagiosLimits(warning: Duration(milliseconds: 200), critical: Duration(milliseconds: 1000))
        #expect(try report(Results.connected(microseconds: microseconds), limits).state == state)
    }

    @Test(
        "judges the certificate of the verified chain that expires first",
        arguments: [
            ([31 * 86_400], NagiosState.ok, "31"), ([30 * 86_400], .ok, "30"),
            ([99 * 86_400, 30 * 86_400 - 1], .warning, "29"), ([10 * 86_400 - 1], .critical, "9"),
            ([-1], .critical, "0"), ([-86_399], .critical, "0"), ([-2 * 86_400 - 5], .critical, "-2"),
        ] as [([Int64], NagiosState, String)])
    func expiry(expiring: [Int64], state: NagiosState, days: String) throws {
        let made = try report(
            Results.connected(expiring: expiring, verified: expiring), NagiosLimits(warningDays: 30, criticalDays: 10))
        #expect(made.state == state)
        #expect(made.text.hasSuffix(" days=\(days);30:;10:;;"))
    }

    @Test("ignores certificates outside the verified chain")
    func unusedCertificates() throws {
        let limits = NagiosLimits(warningDays: 30, criticalDays: 14)
        let sent: [Int64?] = [90 * 86_400, -6 * 86_400, nil]
        let verified = Results.connected(expiring: sent, verified: [90 * 86_400, 3000 * 86_400])
        #expect(try report(verified, limits).state == .ok)
        let unverified = Results.connected(expiring: sent)
        #expect(try report(unverified, limits).state == .ok)
        #expect(try report(unverified, limits).text.contains("days=90;"))
    }

    @Test(
        "is CRITICAL if a certificate is not valid today and a limit in days is given",
        arguments: [
            (-2 * 86_400 - 5, 0, "expired 2 days ago"), (-3_600, 0, "expired 1 hour ago"),
            (-1, 0, "expired less than a minute ago"), (90 * 86_400, 3 * 86_400 + 1, "not valid yet, for 3 days"),
        ] as [(Int64, Int64, String)])
    func invalidToday(expiring: Int64, beginning: Int64, words: String) throws {
        let result = Results.connected(expiring: [expiring], beginning: beginning)
        for limits in [NagiosLimits(warningDays: 30), NagiosLimits(criticalDays: 0)] {
            let made = try report(result, limits)
            #expect(made.state == .critical)
            #expect(made.text.contains(words))
        }
        #expect(try report(result).state == .ok)
    }

    @Test("treats an unreadable expiry date as expired, if a limit is given")
    func unreadableEnds() throws {
        let result = Results.connected(expiring: [400 * 86_400, nil], verified: [400 * 86_400, nil])
        let made = try report(result, NagiosLimits(warningDays: 30, criticalDays: 10))
        #expect(made.state == .critical && !made.text.contains("days="))
        #expect(try report(result, NagiosLimits(warningDays: 30)).state == .warning)
        #expect(try report(result).state == .ok)
    }

    @Test(
        "is CRITICAL for faults of the target, UNKNOWN for those of the prober",
        arguments: [
            ("ECONNREFUSED", nil, NagiosState.critical), ("EHOSTUNREACH", nil, .critical), ("NXDOMAIN", nil, .critical),
            ("EMFILE", nil, .unknown), ("EACCES", nil, .unknown), ("EACCES", .network, .critical),
            ("DENIED", nil, .unknown), ("CANCELLED", nil, .unknown),
        ] as [(String, Fault?, NagiosState)])
    func failures(name: String, fault: Fault?, state: NagiosState) throws {
        let made = try report(Results.failed(name, fault: fault))
        #expect(made.state == state)
        #expect(made.text.hasPrefix("CONNECTD \(state.word) - "))
        #expect(made.text.contains(name))
        #expect(!made.text.contains("|"), "a failure has no performance data")
        #expect(!made.text.contains("\n"))
    }

    @Test("is UNKNOWN if a UDP socket received nothing, unless that is expected")
    func datagrams() throws {
        var request = try Results.request("udp://192.0.2.1:53")
        let made = NagiosReport([Results.associated()], of: [request], limits: NagiosLimits())
        #expect(made.state == .unknown)
        #expect(made.text.hasPrefix("CONNECTD UNKNOWN - udp://192.0.2.1:53 not verified: UDP has no handshake"))
        request.expectation = .oneOf([.associated])
        #expect(NagiosReport([Results.associated()], of: [request], limits: NagiosLimits()).state == .ok)
    }

    @Test("summarizes several targets, with one more line for each")
    func several() throws {
        let requests = try ["tcp://a:1", "tcp://b:2", "tcp://c:3"].map(Results.request)
        let results = [Results.connected(), try Results.failed("EMFILE"), try Results.failed("ECONNREFUSED")]
        let made = NagiosReport(results, of: requests, limits: NagiosLimits())
        let lines = made.text.split(separator: "\n")
        #expect(made.state == .critical)
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("CONNECTD CRITICAL - 1 of 3 targets ok; tcp://c:3 refused"))
        #expect(lines[0].hasSuffix(" | 'tcp://a:1 time'=0.000341s;;;0;5"))
        #expect(zip(lines.dropFirst(), ["[OK] ", "[UNKNOWN] ", "[CRITICAL] "]).allSatisfy { $0.hasPrefix($1) })
    }

    @Test("escapes target names in the summary and in labels")
    func hostileNames() throws {
        let requests = try ["unix:/a|b='c", "unix:/d\ne"].map(Results.request)
        let made = NagiosReport([Results.connected(), Results.connected()], of: requests, limits: NagiosLimits())
        let lines = made.text.split(separator: "\n")
        #expect(lines.count == 3)
        let parts = lines[0].split(separator: "|")
        #expect(parts.count == 2)
        #expect(parts[1] == " 'unix:/a_b_''c time'=0.000341s;;;0;5 'unix:/d_e time'=0.000341s;;;0;5")
        #expect(!lines[1].contains("|") && !lines[2].contains("|"))
    }

    @Test("escapes separators with a combining accent, too")
    func accents() throws {
        let requests = try ["unix:/a|\u{301}b=\u{301}'\u{301}c", "unix:/d"].map(Results.request)
        let made = NagiosReport([Results.connected(), Results.connected()], of: requests, limits: NagiosLimits())
        let lines = made.text.utf8.split(separator: 0x0A)
        #expect(lines[0].count { $0 == UInt8(ascii: "|") } == 1, "by bytes, as Nagios reads")
        #expect(!lines[1].contains(UInt8(ascii: "|")))
        let label = lines[0].split(separator: UInt8(ascii: "|"))[1].prefix { $0 != UInt8(ascii: "=") }
        #expect(String(Substring(label)) == " 'unix:/a_\u{301}b_\u{301}''\u{301}c time'")
    }

    @Test("has the worst of several states, with UNKNOWN below WARNING")
    func weights() {
        let states: [NagiosState] = [.ok, .unknown, .warning, .critical]
        #expect(states.sorted { $0.weight < $1.weight } == states)
        #expect(states.map(\.rawValue) == [0, 3, 1, 2])
    }
}
