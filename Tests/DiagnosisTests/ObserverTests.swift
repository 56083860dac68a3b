import CheckModel
import ErrorCatalogue
import NetworkTypes
import Testing

@testable import Diagnosis

/// What the results of checks show.
struct ObserverTests {
    private func signs(_ record: DiagnosisRecord) -> [Sign] { Observer.observations(of: record).map(\.sign) }

    private func icmp(_ type: UInt8, _ code: UInt8, from text: String = "10.0.0.1") throws -> ICMPMessage {
        ICMPMessage(family: .ipv4, type: type, code: code, from: try #require(IPAddress(parsing: text)))
    }

    private func unreachable(
        _ errno: Int32, _ type: UInt8, _ code: UInt8, _ sender: ICMPSender
    ) throws -> DiagnosisRecord {
        let message = try icmp(type, code)
        var circumstances = Circumstances(phase: .connect, transport: .tcp)
        circumstances.icmp = message
        circumstances.icmpSender = sender
        let report = Classifier.report(for: Errno(errno), in: circumstances)
        return try Sample.record(
            Sample.result(.failed(report.errorClass), .connect, report, icmp: (message, sender)))
    }

    @Test("errors without an ICMP message")
    func plainErrors() throws {
        #expect(signs(try Sample.record(Sample.failed(111))) == [.connectionRefused])
        #expect(signs(try Sample.record(Sample.failed(101))) == [.noRoute])
        #expect(signs(try Sample.record(Sample.failed(1))) == [.notPermitted])
        #expect(signs(try Sample.record(Sample.failed(99))) == [.portsExhausted])
        #expect(signs(try Sample.record(Sample.failed(24, .socket))) == [.descriptorsExhausted])
        #expect(signs(try Sample.record(Sample.failed(105, .socket))) == [.memoryExhausted])
        #expect(signs(try Sample.record(Sample.failed(104))) == [.resetInConnect])
        #expect(signs(try Sample.record(Sample.failed(104, .dialog))) == [.dialogFailed])
        #expect(signs(try Sample.record(Sample.silent)) == [.noAnswer])
    }

    @Test("UDP has no connections: a server answers, sends something else, or is silent")
    func datagrams() throws {
        let target = "quic://10.0.0.7:443"
        let silence = Classifier.deadlineReport(in: Circumstances(phase: .dialog, transport: .udp))
        let mismatch = Classifier.presetMismatch("quic", flaw: "offers no version", received: [1])
        for (result, sign, text, symptom) in [
            (Sample.result(.answered, .done, nil), .connected, "answers.", "10.0.0.7:443 answers"),
            (
                Sample.result(.failed(.timeout), .dialog, silence), .udpSilent, "does not answer the question quic.",
                "10.0.0.7:443 does not answer"
            ),
            (
                Sample.result(.failed(.dialogFailed), .dialog, mismatch), .dialogFailed,
                "sends something else than an answer.", "10.0.0.7:443 does not answer as expected"
            ),
        ] as [(CheckResult, Sign, String, String)] {
            let record = try Sample.record(result, target)
            let found = Observer.observations(of: record)
            #expect(found.map(\.sign) == [sign])
            #expect(found.first?.text == "10.0.0.7:443 \(text)")
            #expect(record.subject.symptom(of: result) == symptom)
        }
    }

    @Test("who sent an ICMP message decides")
    func messages() throws {
        #expect(signs(try unreachable(111, 3, 3, .target)) == [.rejectedByTarget])
        #expect(signs(try unreachable(111, 3, 3, .intermediate)) == [.rejectedOnPath])
        #expect(signs(try unreachable(113, 3, 13, .intermediate)) == [.rejectedOnPath])
        #expect(signs(try unreachable(113, 3, 1, .intermediate)) == [.unreachableOnPath])
        #expect(signs(try unreachable(101, 3, 0, .intermediate)) == [.unreachableOnPath])
        #expect(signs(try unreachable(113, 3, 1, .prober)) == [.neighborSilent])
        #expect(signs(try unreachable(111, 3, 3, .prober)) == [.rejectedHere])
    }

    @Test("a machine without the family has no route because of that")
    func missingFamily() throws {
        var record = try Sample.record(Sample.failed(101))
        record.route = RouteState(
            address: Sample.address, source: nil, isOnLink: false, isLocal: false, hasFamily: false, neighbor: .unknown)
        #expect(signs(record) == [.familyMissing])
    }

    @Test("a port of the same host that answers proves that the host is up")
    func otherPorts() throws {
        var record = try Sample.record(Sample.silent)
        record.experiments = [
            ExperimentResult(.otherPort(22), record.request, Sample.silent),
            ExperimentResult(.otherPort(80), record.request, Sample.failed(111)),
        ]
        #expect(signs(record) == [.noAnswer, .otherPortAnswers])
        record.experiments.removeLast()
        #expect(signs(record) == [.noAnswer, .otherPortsSilent])
    }

    @Test("an ICMP error from the path does not prove that the host is up")
    func otherPortRejectedOnPath() throws {
        let rejected = try unreachable(111, 3, 3, .intermediate)
        var record = try Sample.record(Sample.silent)
        record.experiments = [ExperimentResult(.otherPort(22), record.request, rejected.check)]
        #expect(signs(record) == [.noAnswer, .otherPortsSilent])
    }

    @Test("a control target")
    func control() throws {
        var record = try Sample.record(Sample.silent)
        record.experiments = [ExperimentResult(.control, record.request, Sample.connected)]
        #expect(signs(record) == [.noAnswer, .controlConnected])
        record.experiments = [ExperimentResult(.control, record.request, Sample.silent)]
        #expect(signs(record) == [.noAnswer, .controlFailed])
    }

    @Test("only all absent addresses that connect make a proxy, and only none excludes it")
    func absentAddresses() throws {
        var record = try Sample.record(Sample.connected)
        let addresses = AbsentAddresses.addresses(avoiding: Sample.address)
        #expect(addresses.count == 2)
        func tried(_ first: CheckResult, _ second: CheckResult) -> [Sign] {
            record.experiments = zip(addresses, [first, second]).map {
                ExperimentResult(.absentAddress($0), record.request, $1)
            }
            return signs(record)
        }
        #expect(tried(Sample.connected, Sample.connected) == [.connected, .absentAddressesAnswer])
        #expect(tried(Sample.connected, Sample.silent) == [.connected])
        #expect(tried(Sample.silent, Sample.failed(111)) == [.connected, .absentAddressesSilent])
    }

    @Test("absent addresses are never in the network of the target")
    func absentAddressesAvoidTheTarget() throws {
        for text in ["192.0.2.9", "198.51.100.9", "203.0.113.9"] {
            let peer = try #require(IPAddress(parsing: text))
            let prefix = text.split(separator: ".").dropLast().joined(separator: ".")
            #expect(!AbsentAddresses.addresses(avoiding: peer).contains { $0.text.hasPrefix(prefix) })
        }
        let peer = try #require(IPAddress(parsing: "2001:db8::7"))
        #expect(AbsentAddresses.addresses(avoiding: peer).isEmpty)
    }

    @Test("counters of the kernel, only after silence")
    func counters() throws {
        func record(_ check: CheckResult, _ counter: ProberState.Counter, _ rise: Int) throws -> DiagnosisRecord {
            var record = try Sample.record(check)
            record.before.counters = [counter.rawValue: 7]
            record.after.counters = [counter.rawValue: 7 + rise]
            return record
        }
        #expect(signs(try record(Sample.silent, .reversePathDrops, 1)) == [.noAnswer, .answersDroppedHere])
        #expect(signs(try record(Sample.failed(111), .reversePathDrops, 1)) == [.connectionRefused])
        #expect(signs(try record(Sample.silent, .listenOverflows, 1)) == [.noAnswer], "the target is not local")
    }

    @Test("a SYN that did not leave this machine")
    func unsent() throws {
        #expect(signs(try Sample.record(Sample.unsent(.dropped))) == [.noAnswer, .synNotSent])
        #expect(signs(try Sample.record(Sample.unsent(.queued))) == [.noAnswer, .synQueued])
        let text = Observer.observations(of: try Sample.record(Sample.unsent(.dropped)))[0].text
        #expect(text == "No SYN left this machine within 2000 ms.")
    }

    @Test("where the answers to a trace end, and never that a hop dropped something")
    func traces() throws {
        func record(_ stop: TraceStop, _ hops: [TraceHop], reached: Bool = false) throws -> DiagnosisRecord {
            var record = try Sample.record(Sample.silent)
            let report = TraceReport(
                target: Sample.address, hops: hops, reached: reached, flow: .varied, sourcePort: nil, stop: stop,
                durationNanoseconds: 1)
            record.experiments = [ExperimentResult(.trace, record.request, Sample.silent.with(report))]
            return record
        }
        let router = TraceHop(ttl: 2, from: IPAddress(parsing: "10.0.0.1"), rttNanoseconds: 1)
        let ends = try record(.gap, [TraceHop(ttl: 1), router, TraceHop(ttl: 3)])
        #expect(signs(ends) == [.noAnswer, .pathEnds])
        #expect(Observer.observations(of: ends)[1].text == "The answers to a trace end at hop 2, 10.0.0.1.")
        #expect(signs(try record(.refused, [router], reached: true)) == [.noAnswer, .pathReachesTarget])
        #expect(signs(try record(.policy, [])) == [.noAnswer])
        #expect(Observer.observations(of: try record(.gap, []))[1].text == "No hop of the path answers a trace.")
    }

    @Test("a UDP target is verified by the answer to a question only")
    func questions() throws {
        var record = try Sample.record(Sample.result(.associated, .done, nil), "udp://10.0.0.7:53")
        #expect(signs(record) == [.udpUnverified])
        record.experiments = [
            ExperimentResult(.question(.dns), record.request, Sample.result(.answered, .done, nil))
        ]
        #expect(signs(record) == [.connected])
        record.experiments = [ExperimentResult(.question(.dns), record.request, Sample.silent)]
        #expect(signs(record) == [.udpSilent])
        record.experiments = [ExperimentResult(.question(.dns), record.request, Sample.failed(111, .dialog))]
        #expect(signs(record) == [.connectionRefused])
    }

    @Test("a full connection tracking table")
    func conntrack() throws {
        var record = try Sample.record(Sample.silent)
        record.after.conntrackCount = 1024
        record.after.conntrackLimit = 1024
        #expect(signs(record) == [.noAnswer, .conntrackFull])
        record.after.conntrackCount = 1000
        #expect(signs(record) == [.noAnswer])
    }

    @Test("the prober's limits are shown, and rule out what they disprove")
    func limits() throws {
        var record = try Sample.record(Sample.silent)
        record.route = RouteState(
            address: Sample.address, source: Sample.address, isOnLink: false, isLocal: false, hasFamily: true,
            neighbor: .unknown)
        record.after.ephemeralPortCount = 28_000
        record.after.tcpSocketCount = 12
        record.after.descriptorCount = 20
        record.after.descriptorLimit = 1024
        let seen = Observer.observations(of: record)
        #expect(seen.map(\.sign) == [.noAnswer, .proberState, .proberHasRoom])
        #expect(seen[1].evidence.text("conntrack") == "not readable")
        #expect(seen[1].evidence.text("descriptors") == "20 of 1024")
        record.after.tcpSocketCount = 28_000
        #expect(signs(record) == [.noAnswer, .proberState])
    }

    @Test("what cannot be read is not an observation")
    func unreadable() throws {
        var record = try Sample.record(Sample.silent)
        record.after.counters = [ProberState.Counter.reversePathDrops.rawValue: 100]
        #expect(signs(record) == [.noAnswer])
    }

    @Test("a neighbor that answers ARP is up")
    func neighbor() throws {
        var record = try Sample.record(Sample.silent)
        record.route = RouteState(
            address: Sample.address, source: nil, isOnLink: true, isLocal: false, hasFamily: true, neighbor: .answered)
        #expect(signs(record) == [.noAnswer, .neighborAnswers, .proberState])
    }

    @Test("the profile public shows neither name servers nor the inside of the prober")
    func hidden() throws {
        let request = CheckRequest(target: try Sample.target())
        var record = DiagnosisRecord(request: request, check: Sample.failed(99), hidingProber: true)
        record.after.ephemeralPortCount = 2
        let shown = Observer.observations(of: record)
        #expect(shown.map(\.sign) == [.proberError])
        #expect(shown.allSatisfy { $0.evidence.text("ephemeral_ports") == nil })
        let report = Conclusion.conclude(shown, about: record.subject, check: record.check)
        #expect(report.verdict == .prober)
    }

    @Test("the profile public does not name routers")
    func hiddenRouter() throws {
        let rejected = try unreachable(113, 3, 13, .intermediate)
        let record = DiagnosisRecord(request: rejected.request, check: rejected.check, hidingProber: true)
        let report = Conclusion.conclude(
            Observer.observations(of: record), about: record.subject, check: record.check)
        #expect(
            report.sentence == "10.0.0.7:5432 is not reachable: a router rejects it (administratively prohibited).")
        #expect(report.next.allSatisfy { !$0.why.contains("10.0.0.1") })
    }
}

/// Names, as the name servers and the hosts file give them.
struct NameObserverTests {
    private func resolved(_ addresses: [String], _ source: Resolution.Source, ok: Bool = false) -> CheckResult {
        let resolution = Resolution(
            name: "db.test", addresses: addresses.compactMap { IPAddress(parsing: $0) }, source: source)
        let error = Sample.failed(111)
        return ok
            ? Sample.result(.connected, .done, nil, resolution: resolution)
            : Sample.result(error.outcome, .connect, error.error, resolution: resolution)
    }

    private func unresolved(_ failure: ResolveFailure) -> CheckResult {
        let report = Classifier.report(for: failure)
        return Sample.result(.failed(report.errorClass), .resolve, report)
    }

    private func signs(_ check: CheckResult, _ answers: [CheckResult]) throws -> [Sign] {
        var record = try Sample.record(check, "db.test:5432")
        record.experiments = answers.enumerated().map { index, result in
            let server = IPEndpoint(address: .v4(IPv4Address(bits: 0x0A00_0001 + UInt32(index))), port: 53)
            return ExperimentResult(.nameServer(server), record.request, result)
        }
        return Observer.observations(of: record).map(\.sign)
    }

    @Test("a name that does not resolve")
    func unresolvedNames() throws {
        #expect(try signs(unresolved(.nxdomain), []) == [.nameMissing])
        #expect(try signs(unresolved(.serverFailure), []) == [.nameServersFail])
        #expect(
            try signs(unresolved(.timeout), [unresolved(.timeout)]) == [.nameServersSilent, .nameServerSilent])
        #expect(
            try signs(unresolved(.nxdomain), [unresolved(.nxdomain), resolved(["10.0.0.7"], .dns)])
                == [.nameKnownElsewhere])
    }

    @Test("a name whose address fails")
    func wrongAddresses() throws {
        let wrong = resolved(["10.0.0.8"], .dns)
        #expect(try signs(wrong, [wrong, wrong]) == [.connectionRefused, .nameServersAgree])
        #expect(
            try signs(wrong, [wrong, resolved(["10.0.0.7"], .dns, ok: true)])
                == [.connectionRefused, .otherAnswerConnects])
        #expect(try signs(wrong, [resolved(["10.0.0.7"], .dns)]) == [.connectionRefused, .nameServersDiffer])
    }

    @Test("the order of addresses is not a difference")
    func order() throws {
        #expect(
            try signs(resolved(["10.0.0.7", "10.0.0.8"], .dns), [resolved(["10.0.0.8", "10.0.0.7"], .dns)])
                == [.connectionRefused, .nameServersAgree])
    }

    @Test("the hosts file")
    func hostsFile() throws {
        let wrong = resolved(["10.0.0.8"], .hosts)
        #expect(
            try signs(wrong, [resolved(["10.0.0.7"], .dns, ok: true)])
                == [.connectionRefused, .hostsFileUsed, .hostsAnswerFails])
        #expect(
            try signs(wrong, [resolved(["10.0.0.7"], .dns)]) == [.connectionRefused, .hostsFileUsed, .hostsFileDiffers])
        #expect(try signs(wrong, [unresolved(.nxdomain)]) == [.connectionRefused, .hostsFileUsed])
    }
}
