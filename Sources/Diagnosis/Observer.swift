internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes

/// Reads observations from the results of the experiments.
public enum Observer {
    /// The observations, in the order of the experiments.
    public static func observations(of record: DiagnosisRecord) -> [Observation] {
        let all = all(of: record)
        guard record.hidesProber, let first = all.first else { return all }
        let shown = all.filter { !$0.sign.isInternal }
        guard first.sign.isInternal, let error = record.check.error else { return shown }
        return [reported(error)] + shown
    }

    private static func all(of record: DiagnosisRecord) -> [Observation] {
        let name = record.subject.name
        return check(record, name) + reachability(record, name) + afterConnect(record, name) + names(record)
            + handshakes(record, name) + prober(record, name)
    }

    // MARK: The first check

    private static func check(_ record: DiagnosisRecord, _ name: String) -> [Observation] {
        let check = record.check
        guard case .failed(let errorClass) = check.outcome, let error = check.error else {
            return success(record, name)
        }
        switch errorClass {
        case .refused, .unreachable: return [refusal(record, error, name)]
        case .backlogFull:
            return [Observation(.backlogOverflows, "The kernel reports a full backlog (\(error.name)).", facts(error))]
        case .timeout, .reset: return silence(record, error, name)
        case .tlsFailed: return TLSObserver.failure(record, error)
        case .notPermitted: return [Observation(.notPermitted, "connect(2) fails with \(error.name).", facts(error))]
        case .proberExhausted: return [shortage(record, error)]
        case .proberMisconfigured: return [misconfiguration(record, error)]
        case .resolveFailed where error.fault == .resolver: return NameObserver.failure(record, error)
        case .closedEarly: return [Observation(.closedAfterAccept, "\(name) accepts and then closes.", facts(error))]
        case .dialogFailed where record.subject.isUDP:
            return [Observation(.dialogFailed, "\(name) sends something else than an answer.", facts(error))]
        case .dialogFailed:
            return [Observation(.dialogFailed, "\(name) accepts connections, but the dialog fails.", facts(error))]
        default: return [reported(error)]
        }
    }

    private static func success(_ record: DiagnosisRecord, _ name: String) -> [Observation] {
        let check = record.check
        if check.outcome == .associated { return question(record, name) }
        if check.outcome == .answered {
            return [Observation(.connected, "\(name) answers.", facts(of: check.decisiveAttempt))]
        }
        let text = check.tls == nil ? "\(name) accepts connections." : "\(name) accepts connections and speaks TLS."
        return [Observation(.connected, text, facts(of: check.decisiveAttempt))]
    }

    /// UDP: only an answer shows that the service is there.
    private static func question(_ record: DiagnosisRecord, _ name: String) -> [Observation] {
        let asked = record.experiments.compactMap { entry -> (preset: String, result: CheckResult)? in
            guard case .question(let preset) = entry.experiment else { return nil }
            return (preset.rawValue, entry.result)
        }
        guard let (preset, result) = asked.first else {
            return [Observation(.udpUnverified, "The socket is associated, but \(name) has not answered.")]
        }
        let facts: Evidence = ["preset": .text(preset), "outcome": .text(result.outcome.word)]
        switch result.outcome {
        case .answered: return [Observation(.connected, "\(name) answers the question \(preset).", facts)]
        case .failed(.refused):
            return [Observation(.connectionRefused, "\(name) reports that no socket has this port.", facts)]
        default: return [Observation(.udpSilent, "\(name) does not answer the question \(preset).", facts)]
        }
    }

    /// An error by its fault, for errors without a sign of their own.
    static func reported(_ error: ErrorReport) -> Observation {
        let sign: Sign =
            switch error.fault {
            case .target: .targetError
            case .network: .networkError
            case .prober: .proberError
            case .resolver: .resolverError
            case .request: .requestError
            }
        return Observation(sign, "The check ends with \(error.name) (\(error.message)).", facts(error))
    }

    static func facts(_ error: ErrorReport) -> Evidence {
        ["error": .text("\(error.name) (\(error.message))")]
    }

    static func facts(of attempt: AttemptResult?) -> Evidence {
        [
            "address": attempt.flatMap { address(of: $0) }.map(EvidenceValue.text),
            "milliseconds": attempt.map { .integer(Int($0.durationNanoseconds / 1_000_000)) },
            "syn_sent": attempt?.tcpInformation.map { .integer(Int($0.synSent)) },
            "mss": attempt?.peer == nil ? nil : attempt?.tcpInformation.map { .integer(Int($0.sendMSS)) },
        ]
    }

    static func address(of attempt: AttemptResult) -> String? { attempt.endpoint.internetAddress?.text }

    // MARK: Refused and unreachable

    private static func refusal(_ record: DiagnosisRecord, _ error: ErrorReport, _ name: String) -> Observation {
        guard let attempt = record.check.decisiveAttempt, let address = address(of: attempt) else {
            return error.errorClass == .refused
                ? Observation(.socketRefused, "Nothing listens at \(name) (\(error.name)).", facts(error))
                : reported(error)
        }
        guard let icmp = attempt.icmp else { return withoutMessage(record, error, address, name) }
        let router = record.hidesProber ? nil : icmp.from.text
        let isFromTarget = attempt.icmpSender == .target
        let facts: Evidence = [
            "from": (isFromTarget ? address : router).map(EvidenceValue.text), "meaning": .text(icmp.meaning),
            "type": .integer(Int(icmp.type)),
            "code": .integer(Int(icmp.code)), "error": .text(error.name), "address": .text(address),
        ]
        if icmp.isTimeExceeded { return reported(error) }
        switch attempt.icmpSender {
        case .target where record.subject.isUDP && error.errorClass == .refused:
            return Observation(.connectionRefused, "\(address) reports that no socket has this port.", facts)
        case .target:
            return Observation(.rejectedByTarget, "\(address) itself rejects the packets (\(icmp.meaning)).", facts)
        case .prober where icmp.isHostUnreachable: return silentNeighbor(record, address)
        case .prober:
            return Observation(.rejectedHere, "This machine itself rejects the packets (\(icmp.meaning)).", facts)
        case .intermediate:
            let isRoute = error.errorClass == .unreachable && !icmp.isProhibited && !icmp.isPortOrProtocol
            return Observation(
                isRoute ? .unreachableOnPath : .rejectedOnPath,
                "\(router ?? "A router") on the path answers with ICMP: \(icmp.meaning).", facts)
        }
    }

    private static func silentNeighbor(_ record: DiagnosisRecord, _ address: String) -> Observation {
        let isOnLink = record.route?.isOnLink ?? true
        let neighbor = isOnLink ? address : "the gateway toward \(address)"
        return Observation(
            .neighborSilent,
            "\(isOnLink ? address : "The gateway toward \(address)") does not answer ARP or neighbor discovery.",
            ["neighbor": .text(neighbor), "address": .text(address)])
    }

    private static func withoutMessage(
        _ record: DiagnosisRecord, _ error: ErrorReport, _ address: String, _ name: String
    ) -> Observation {
        if error.errorClass == .refused {
            return Observation(
                .connectionRefused, "\(address) answers the SYN with a reset.",
                facts(of: record.check.decisiveAttempt))
        }
        if record.route?.hasFamily == false { return missingFamily(address, error) }
        return Observation(
            .noRoute, "The kernel finds no usable route to \(address) (\(error.name)).",
            ["address": .text(address), "error": .text(error.name)])
    }

    private static func missingFamily(_ address: String, _ error: ErrorReport) -> Observation {
        let family = address.contains(":") ? "IPv6" : "IPv4"
        return Observation(
            .familyMissing, "This machine has no \(family) address except on loopback.",
            ["family": .text(family), "error": .text(error.name), "address": .text(address)])
    }

    // MARK: Silence

    private static func silence(_ record: DiagnosisRecord, _ error: ErrorReport, _ name: String) -> [Observation] {
        let isReset = error.errorClass == .reset
        switch record.check.phase {
        case .tls: return TLSObserver.silence(record, isReset: isReset)
        case .dialog where record.subject.isUDP:
            let question = record.request.preset.map { "the question \($0.rawValue)" } ?? "the dialog"
            return [Observation(.udpSilent, "\(name) does not answer \(question).", facts(error))]
        case .dialog, .hold:
            return [Observation(.dialogFailed, "\(name) accepts connections, and then the dialog ends.", facts(error))]
        default: break
        }
        guard record.subject.host != nil else { return [reported(error)] }
        let attempt = record.check.decisiveAttempt
        if isReset {
            return [
                Observation(.resetInConnect, "The connection is reset before it is established.", facts(of: attempt))
            ]
        }
        let milliseconds = (attempt?.durationNanoseconds ?? 0) / 1_000_000
        let count = attempt?.tcpInformation?.synSent ?? 0
        let text =
            count == 0
            ? "No SYN left this machine within \(milliseconds) ms."
            : "\(count) SYN\(count == 1 ? " was" : "s were") sent within \(milliseconds) ms, and none was answered."
        var seen = [Observation(.noAnswer, text, facts(of: attempt))]
        if record.request.socket.tcpMD5 != nil {
            seen.append(Observation(.signedSilence, "The segments carry TCP MD5 signatures, and no answer came."))
        }
        return seen
    }

    // MARK: The prober's errors

    private static func shortage(_ record: DiagnosisRecord, _ error: ErrorReport) -> Observation {
        let state = record.after
        switch error.name {
        case "EADDRNOTAVAIL", "EADDRINUSE", "EAGAIN":
            return Observation(
                .portsExhausted, "The kernel finds no free local port for this destination (\(error.name)).",
                [
                    "error": .text(error.name), "ephemeral_ports": state.ephemeralPortCount.map(EvidenceValue.integer),
                    "tcp_sockets": state.tcpSocketCount.map(EvidenceValue.integer),
                ])
        case "EMFILE", "ENFILE":
            return Observation(
                .descriptorsExhausted, "The process cannot open another descriptor (\(error.name)).",
                [
                    "error": .text(error.name), "limit": state.descriptorLimit.map(EvidenceValue.integer),
                    "in_use": state.descriptorCount.map(EvidenceValue.integer),
                ])
        case "ENOBUFS", "ENOMEM":
            return Observation(.memoryExhausted, "The kernel refuses memory (\(error.name)).", facts(error))
        default: return reported(error)
        }
    }

    private static func misconfiguration(_ record: DiagnosisRecord, _ error: ErrorReport) -> Observation {
        let bind = record.request.bind
        if record.check.phase == .bind || (bind.address != nil && error.fault == .request) {
            let source = bind.address?.text ?? bind.interface ?? bind.port.map(String.init) ?? ""
            return Observation(
                .sourceRefused, "The kernel refuses the source \(source) (\(error.name)).",
                ["source": .text(source), "error": .text(error.name)])
        }
        if record.route?.hasFamily == false, let address = record.check.decisiveAttempt.flatMap(address(of:)) {
            return missingFamily(address, error)
        }
        return reported(error)
    }
}

extension ICMPMessage {
    /// Whether a host would send the message about a port or protocol, so that on the path it is a firewall.
    fileprivate var isPortOrProtocol: Bool {
        switch family {
        case .ipv4: type == 3 && (code == 2 || code == 3)
        case .ipv6: type == 1 && code == 4
        }
    }
}
