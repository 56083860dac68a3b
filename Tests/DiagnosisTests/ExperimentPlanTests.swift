import CheckModel
import ErrorCatalogue
import NetworkTypes
import Testing

@testable import Diagnosis

/// Which experiments follow which result.
struct ExperimentPlanTests {
    private static let server = IPEndpoint(address: .v4(IPv4Address(bits: 0x0A00_0002)), port: 53)

    private func plan(
        _ check: CheckResult, _ target: String = "10.0.0.7:5432", hasControl: Bool = false,
        _ change: (inout CheckRequest) -> Void = { _ in }
    ) throws -> [Experiment] {
        var request = CheckRequest(target: try Sample.target(target))
        change(&request)
        return ExperimentPlan(after: check, of: request, nameServers: [Self.server], hasControl: hasControl).experiments
    }

    @Test("a success is held, and compared with addresses that no machine has")
    func success() throws {
        let chosen = try plan(Sample.connected)
        #expect(chosen.first == .hold)
        #expect(chosen.count == 3)
        #expect(!chosen.contains(.nameServer(Self.server)))
    }

    @Test("silence asks for other ports, never for the target's own")
    func silence() throws {
        #expect(try plan(Sample.silent) == [.otherPort(22), .otherPort(80), .otherPort(443), .otherPort(9), .trace])
        #expect(!(try plan(Sample.silent, "10.0.0.7:22").contains(.otherPort(22))))
    }

    @Test("a refused connect needs no other port: the host is up")
    func refusal() throws {
        #expect(try plan(Sample.failed(111)).isEmpty)
    }

    @Test("name servers are asked if the target has a name that may be wrong")
    func names() throws {
        #expect(try plan(Sample.failed(111), "db.test:5432") == [.nameServer(Self.server)])
        #expect(try plan(Sample.failed(111), "localhost:5432").isEmpty)
        #expect(try plan(Sample.failed(111), "db.test:5432") { $0.resolve.server = Self.server }.isEmpty)
    }

    @Test("errors of the prober need no packet")
    func proberErrors() throws {
        #expect(try plan(Sample.failed(99), "db.test:5432", hasControl: true).isEmpty)
        #expect(try plan(Sample.failed(24, .socket), "db.test:5432", hasControl: true).isEmpty)
    }

    @Test("the control target is checked if the network may be at fault")
    func control() throws {
        #expect(try plan(Sample.failed(111), hasControl: true) == [.control])
    }

    @Test("bind and MD5 keys are left out, to see whether they are the reason")
    func options() throws {
        let chosen = try plan(Sample.silent) {
            $0.bind.address = Sample.address
            $0.socket.tcpMD5 = "bgp"
        }
        #expect(chosen.suffix(2) == [.withoutBind, .withoutSignature])
    }

    @Test("a silent handshake is tried with less")
    func silentHandshake() throws {
        let report = Classifier.deadlineReport(in: Circumstances(phase: .tls, transport: .tcp))
        let check = Sample.result(.failed(.timeout), .tls, report)
        #expect(try plan(check, "tls://10.0.0.7:443") == [.smallSegments, .smallHello, .withoutServerName])
        #expect(
            try plan(check, "10.0.0.7:25") {
                $0.tls = TLSOptions(); $0.tls?.startTLS = .smtp
            }.isEmpty,
            "STARTTLS has a dialog of its own")
    }

    @Test("a UDP target is asked the question of its port, if that is allowed")
    func questions() throws {
        let associated = Sample.result(.associated, .done, nil)
        #expect(try plan(associated, "udp://10.0.0.7:53") == [.question(.dns)])
        #expect(try plan(associated, "udp://10.0.0.7:5353").isEmpty)
        let request = CheckRequest(target: try Sample.target("udp://10.0.0.7:53"))
        let forbidden = ExperimentPlan(
            after: associated, of: request, nameServers: [], hasControl: false, mayAskPresets: false)
        #expect(forbidden.experiments.isEmpty)
    }

    @Test("a UNIX socket has no experiments")
    func unix() throws {
        #expect(try plan(Sample.failed(2), "unix:/run/x.sock").isEmpty)
    }
}
