internal import CLinux
internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO
internal import TLS

/// The state of an attempt in progress.
///
/// It is an object: otherwise the frames of all functions that wait would contain a copy.
final class AttemptRecord {
    var result: AttemptResult
    /// nil until TLS begins.
    var tlsAttempt: TLSAttempt?
    /// The phases after the connect that have ended, except TLS. No array is allocated before the first.
    var phases: [PhaseOutcome] = []
    private let begin: MonotonicTime

    @inline(never)
    init(of endpoint: Endpoint, checkStart: MonotonicTime) {
        begin = Clock.now()
        result = AttemptResult(
            endpoint: endpoint, outcome: .connected, phase: .done, startNanoseconds: begin.since(checkStart))
    }

    /// The attempt's outcome, with its duration up to now. The phases after the connect are not part of that duration.
    @inline(never)
    func finished() -> AttemptOutcome {
        // Only now: the peer may send an alert during the dialog.
        if let tlsAttempt { phases.append(tlsAttempt.outcome) }
        result.durationNanoseconds = phases.reduce(Clock.now().since(begin)) { $0 - $1.nanoseconds }
        return AttemptOutcome(result: result, phases: phases)
    }
}

/// One attempt's result, with the outcomes of the phases after its connect.
final class AttemptOutcome: Sendable {
    let result: AttemptResult
    /// At most one of each phase, in no particular order.
    let phases: [PhaseOutcome]

    init(result: AttemptResult, phases: [PhaseOutcome] = []) {
        self.result = result
        self.phases = phases
    }

    /// nil if the attempt did not have the phase.
    func outcome(of phase: TimedPhase) -> PhaseOutcome? { phases.first { $0.phase == phase } }
}

/// What the kernel reports about a failure in addition to its errno.
struct Evidence {
    /// The ICMP message that caused this error; nil if the queued messages belong to other errors.
    let icmp: ICMPMessage?
    private let endpoint: Endpoint

    init(of error: Errno, on socket: borrowing Socket, endpoint: Endpoint) {
        self.endpoint = endpoint
        guard case .ip = endpoint else {
            icmp = nil
            return
        }
        var found: ICMPMessage?
        while let (cause, message) = socket.takeICMP() {
            if cause == error { found = message }
        }
        icmp = found
    }

    /// Adds what the classifier needs for this error. Only failures pay for it.
    func describe(_ error: Errno, in circumstances: inout Circumstances) {
        guard case .ip(let endpoint) = endpoint else { return }
        if let icmp {
            circumstances.icmp = icmp
            circumstances.icmpSender = icmp.sender(destination: endpoint.address, isOurs: LocalAddresses.contains)
        }
        if error.rawValue == EADDRNOTAVAIL {
            circumstances.hasAddressOfFamily = LocalAddresses.hasAny(of: endpoint.address.family)
        }
    }
}
