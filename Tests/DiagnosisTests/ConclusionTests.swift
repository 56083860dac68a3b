import CheckModel
import Testing

@testable import Diagnosis

/// How several observations combine.
struct ConclusionTests {
    private func conclude(_ signs: [Sign], _ check: CheckResult = Sample.silent) throws -> DiagnosisReport {
        Conclusion.conclude(
            signs.map { Observation($0, "\($0.rawValue) was seen.") }, about: try Sample.subject(), check: check)
    }

    @Test("a refused connect is either a stopped service or a wrong port")
    func refusalNamesBothCauses() throws {
        let report = try conclude([.connectionRefused], Sample.failed(111))
        #expect(report.confidence == .possible)
        #expect(
            report.sentence
                == "10.0.0.7:5432 refuses connections: either the service is not running, or the port is wrong.")
    }

    @Test("a silent port of a host that is up is either a firewall or a full backlog")
    func silentPortNamesBothCauses() throws {
        let report = try conclude([.noAnswer, .otherPortAnswers])
        #expect(report.confidence == .possible)
        #expect(report.causes == [.portDropped, .backlogFull])
        #expect(
            report.sentence
                == """
                10.0.0.7:5432 does not answer: either a firewall drops packets to this port, \
                or the service's backlog is full.
                """)
    }

    @Test("silence alone is either lost packets or a target that is down")
    func silenceNamesBothCauses() throws {
        let report = try conclude([.noAnswer, .otherPortsSilent])
        #expect(report.confidence == .possible)
        #expect(report.verdict == .unknown)
        #expect(report.causes == [.packetsDropped, .targetDown])
    }

    @Test("an issuer that is not known is either untrusted or was not sent")
    func unknownIssuerNamesBothCauses() throws {
        let report = try conclude([.issuerUnknown])
        #expect(report.confidence == .possible)
        #expect(report.causes == [.untrustedAuthority, .missingIntermediate])
    }

    @Test("a stronger observation replaces weaker causes")
    func strongerCauseWins() throws {
        let report = try conclude([.noAnswer, .synNotSent])
        #expect(report.causes == [.ownFirewallDrop])
        #expect(report.confidence == .likely)
        #expect(
            report.sentence
                == """
                10.0.0.7:5432 does not answer, probably because a firewall rule or a full queue of this machine drops \
                the packets.
                """)
    }

    @Test("an exclusion removes a cause, but never a proven one")
    func exclusions() throws {
        #expect(try conclude([.silentInHandshake, .smallSegmentsFail]).causes == [.serviceHangs, .waitsForPlaintext])
        #expect(try conclude([.noRoute, .connectionRefused]).causes == [.noRoute])
    }

    @Test("small segments that work point to an MTU black hole")
    func blackHole() throws {
        let report = try conclude([.silentInHandshake, .smallSegmentsWork, .smallHelloFails])
        #expect(report.causes == [.mtuBlackHole])
        #expect(report.confidence == .likely)
    }

    @Test("a check that is ok, without a contrary observation, is ok")
    func nothingWrong() throws {
        let report = try conclude([.connected, .absentAddressesSilent], Sample.connected)
        #expect(report.verdict == .ok)
        #expect(report.confidence == .certain)
        #expect(report.next.isEmpty)
        #expect(report.sentence == "10.0.0.7:5432 accepts connections; the diagnosis found nothing wrong.")
    }

    @Test("a check that is ok can still be in doubt")
    func okInDoubt() throws {
        let report = try conclude([.connected, .absentAddressesAnswer], Sample.connected)
        #expect(report.verdict == .network)
        #expect(report.confidence == .likely)
    }

    @Test("without any supported cause the sentence claims none")
    func noCause() throws {
        let report = try conclude([.otherPortsSilent])
        #expect(report.verdict == .unknown)
        #expect(report.sentence == "10.0.0.7:5432 does not answer, and no experiment shows why.")
    }

    @Test("words of commands are quoted for a shell")
    func shellWords() {
        #expect(ShellWord.quoted("db.internal:5432") == "db.internal:5432")
        #expect(ShellWord.quoted("[::1]:80") == "'[::1]:80'")
        #expect(ShellWord.quoted("/run/it's.sock") == "'/run/it'\\''s.sock'")
        #expect(ShellWord.quoted("-x") == "'-x'")
        #expect(ShellWord.quoted("$(id)") == "'$(id)'")
    }
}
