internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes

// Observations from the experiments about the host, the path and this machine.
extension Observer {
    static func reachability(_ record: DiagnosisRecord, _ name: String) -> [Observation] {
        otherPorts(record) + path(record) + control(record) + addresses(record) + neighbor(record)
    }

    private static func path(_ record: DiagnosisRecord) -> [Observation] {
        guard let trace = record.result(of: .trace)?.trace, trace.stop != .policy else { return [] }
        let last = trace.lastAnswer
        let facts: Evidence = [
            "last_answer_from": (last?.from?.text).map(EvidenceValue.text),
            "last_answer_ttl": (last?.ttl).map(EvidenceValue.integer), "stop": .text(trace.stop.rawValue),
        ]
        if trace.reached {
            return [Observation(.pathReachesTarget, "A trace gets an answer from the target itself.", facts)]
        }
        guard let last, let from = last.from else {
            return [Observation(.pathEnds, "No hop of the path answers a trace.", facts)]
        }
        return [Observation(.pathEnds, "The answers to a trace end at hop \(last.ttl), \(from.text).", facts)]
    }

    private static func otherPorts(_ record: DiagnosisRecord) -> [Observation] {
        let tried = record.experiments.compactMap { entry -> (port: UInt16, result: CheckResult)? in
            guard case .otherPort(let port) = entry.experiment else { return nil }
            return (port, entry.result)
        }
        guard !tried.isEmpty else { return [] }
        let answers = tried.filter { $0.result.hostAnswered }
        guard let first = answers.first else {
            let ports = tried.map { String($0.port) }
            let list = ports.joined(separator: ", ")
            return [
                Observation(
                    .otherPortsSilent, "The ports \(list) of the host do not answer either.",
                    ["ports": .texts(ports)])
            ]
        }
        let how = first.result.ok ? "accepts connections" : "refuses connections"
        return [
            Observation(
                .otherPortAnswers, "Port \(first.port) of the same host \(how), so the host is up and reachable.",
                ["port": .integer(Int(first.port)), "outcome": .text(first.result.outcome.word)])
        ]
    }

    private static func control(_ record: DiagnosisRecord) -> [Observation] {
        guard let entry = record.experiments.first(where: { $0.experiment == .control }) else { return [] }
        let name = DiagnosisSubject(entry.request.target).name
        let facts: Evidence = ["control": .text(name), "outcome": .text(entry.result.outcome.word)]
        return entry.result.ok || entry.result.hostAnswered
            ? [Observation(.controlConnected, "The control target \(name) answers.", facts)]
            : [Observation(.controlFailed, "The control target \(name) fails too.", facts)]
    }

    private static func addresses(_ record: DiagnosisRecord) -> [Observation] {
        guard let result = record.result(of: .everyAddress) else { return [] }
        let attempts = result.attempts.filter { $0.outcome != .failed(.denied) && !$0.isWithoutFamily }
        let failed = attempts.filter { !$0.outcome.isSuccess }
        guard !failed.isEmpty else {
            return attempts.count > 1
                ? [
                    Observation(
                        .everyAddressConnects, "All \(attempts.count) addresses of the name accept connections.")
                ]
                : []
        }
        let families = Set(failed.map(\.familyName))
        let working = Set(attempts.filter(\.outcome.isSuccess).map(\.familyName))
        let names = failed.compactMap { address(of: $0) }
        let facts: Evidence = [
            "failed": .texts(names), "outcomes": .texts(failed.map(\.outcome.word)),
            "works": working.first.map(EvidenceValue.text), "fails": families.first.map(EvidenceValue.text),
        ]
        let isTarget = failed.allSatisfy { $0.error?.fault == .target }
        if families.isDisjoint(with: working), working.count == 1, let works = working.first, let fails = families.first
        {
            let text = "Every \(works) address connects, and no \(fails) address does."
            return [Observation(isTarget ? .familyRefused : .familyBroken, text, facts)]
        }
        let text = "\(failed.count) of \(attempts.count) addresses of the name do not connect."
        return [Observation(isTarget ? .someAddressesFail : .someAddressesUnreachable, text, facts)]
    }

    private static func neighbor(_ record: DiagnosisRecord) -> [Observation] {
        guard let route = record.route, route.neighbor == .answered, !route.isLocal,
            record.check.outcome == .failed(.timeout), record.check.phase == .connect
        else { return [] }
        return [
            Observation(
                .neighborAnswers, "\(route.address.text) answers ARP on the local network, so the host is up.",
                ["address": .text(route.address.text)])
        ]
    }

    // MARK: After a successful connect

    static func afterConnect(_ record: DiagnosisRecord, _ name: String) -> [Observation] {
        held(record, name) + absentAddresses(record) + otherSource(record) + withoutSignature(record)
    }

    private static func held(_ record: DiagnosisRecord, _ name: String) -> [Observation] {
        guard let held = record.result(of: .hold)?.after, record.check.ok else { return [] }
        let milliseconds = Int(held.nanoseconds / 1_000_000)
        let facts: Evidence = ["event": .text(held.event.rawValue), "milliseconds": .integer(milliseconds)]
        switch held.event {
        case .open, .data:
            return [Observation(.heldOpen, "\(name) does not close the connection within \(milliseconds) ms.", facts)]
        case .closed, .reset:
            let verb = held.event == .reset ? "resets" : "closes"
            let text = "\(name) \(verb) the connection after \(milliseconds) ms."
            return [Observation(.closedAfterAccept, text, facts)]
        }
    }

    private static func absentAddresses(_ record: DiagnosisRecord) -> [Observation] {
        let tried = record.experiments.compactMap { entry -> (address: String, isOpen: Bool)? in
            guard case .absentAddress(let address) = entry.experiment else { return nil }
            return (address.text, entry.result.outcome == .connected)
        }
        guard !tried.isEmpty else { return [] }
        let addresses = tried.map(\.address)
        let facts: Evidence = ["addresses": .texts(addresses)]
        let list = addresses.joined(separator: " and ")
        if tried.allSatisfy(\.isOpen) {
            return [
                Observation(
                    .absentAddressesAnswer, "\(list) accept connections too, although no machine has these addresses.",
                    facts)
            ]
        }
        return tried.contains(where: \.isOpen)
            ? []
            : [Observation(.absentAddressesSilent, "\(list), which no machine has, do not accept connections.", facts)]
    }

    private static func otherSource(_ record: DiagnosisRecord) -> [Observation] {
        guard let result = record.result(of: .withoutBind), result.ok else { return [] }
        let bind = record.request.bind
        let source = bind.address?.text ?? bind.interface ?? bind.port.map(String.init) ?? ""
        return [
            Observation(
                .otherSourceConnects, "Without the source \(source), the same connect succeeds.",
                ["source": .text(source)])
        ]
    }

    private static func withoutSignature(_ record: DiagnosisRecord) -> [Observation] {
        let isAnswered = record.result(of: .withoutSignature)?.hostAnswered ?? false
        let unsigned = record.after.rise(of: .unsignedSegments, since: record.before)
        let wrong = record.after.rise(of: .wronglySignedSegments, since: record.before)
        guard record.request.socket.tcpMD5 != nil, isAnswered || unsigned + wrong > 0 else { return [] }
        let text =
            isAnswered
            ? "Without the TCP MD5 key, the target answers."
            : "\(unsigned + wrong) answers arrived with a missing or wrong TCP MD5 signature."
        return [
            Observation(
                .answersWithoutSignature, text, ["unsigned": .integer(unsigned), "wrongly_signed": .integer(wrong)])
        ]
    }

    // MARK: This machine

    static func prober(_ record: DiagnosisRecord, _ name: String) -> [Observation] {
        guard record.check.outcome == .failed(.timeout), record.check.phase == .connect else { return [] }
        var seen = ProberObserver.state(record)
        switch record.check.decisiveAttempt?.tcpInformation?.unsent {
        case .dropped:
            seen.append(
                Observation(.synNotSent, "The SYN did not leave this machine: a rule or queue of its own dropped it."))
        case .queued:
            let neighbor = record.route?.isOnLink == true ? record.route?.address.text : nil
            seen.append(
                Observation(
                    .synQueued, "The SYN is still in this machine: it waits for the address of the next hop.",
                    ["neighbor": .text(neighbor ?? "the gateway")]))
        case nil: break
        }
        let dropped = record.after.rise(of: .reversePathDrops, since: record.before)
        if dropped > 0 {
            seen.append(
                Observation(
                    .answersDroppedHere,
                    "The reverse path filter of this machine dropped \(dropped) packets meanwhile.",
                    ["dropped": .integer(dropped)]))
        }
        if let count = record.after.conntrackCount, let limit = record.after.conntrackLimit, count >= limit {
            seen.append(
                Observation(
                    .conntrackFull, "The connection tracking table has \(count) of \(limit) entries.",
                    ["count": .integer(count), "limit": .integer(limit)]))
        }
        let overflows = record.after.rise(of: .listenOverflows, since: record.before)
        if record.route?.isLocal == true, overflows > 0 {
            seen.append(
                Observation(
                    .backlogOverflows,
                    "The kernel dropped \(overflows) connects meanwhile, because a backlog was full.",
                    ["overflows": .integer(overflows)]))
        }
        return seen
    }
}

extension AttemptResult {
    /// Whether this machine lacks the address family, which is not a fault of the target.
    var isWithoutFamily: Bool {
        guard let error, icmp == nil else { return false }
        return error.name == "ENETUNREACH" || error.name == "EADDRNOTAVAIL"
            || error.errorClass == .proberMisconfigured
    }

    fileprivate var familyName: String { endpoint.internetAddress?.family == .ipv6 ? "IPv6" : "IPv4" }
}
