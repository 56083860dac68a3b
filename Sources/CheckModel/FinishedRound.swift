public import ErrorCatalogue
public import NetworkTypes

/// One finished round of a repeated check, as statistics need it.
public struct FinishedRound: Sendable {
    public var outcome: Outcome
    /// Whether the outcome is the expected one.
    public var ok: Bool
    /// How long the target took: the connect, TLS and the dialog, without the queue, the resolver and the hold.
    public var durationNanoseconds: Int64
    /// SYNs that left this machine, retransmissions included; 0 for other transports than TCP.
    public var synSent: Int
    /// How many of `synSent` repeat an earlier SYN.
    public var synRetransmits: Int
    /// Requests of the round that can be lost: SYNs, or 1 for another transport. 0 if nothing was sent.
    public var packetsSent: Int
    /// How many of `packetsSent` got no answer from the target: neither SYN-ACK nor RST, for TCP.
    public var packetsLost: Int
    /// The kernel's round-trip time; nil if it has none.
    public var rttMicroseconds: UInt32?
    /// The address that decided the round; nil if there is none.
    public var address: IPAddress?
    public var start: MonotonicTime
    public var end: MonotonicTime

    public init(
        outcome: Outcome, ok: Bool, durationNanoseconds: Int64, synSent: Int = 0, synRetransmits: Int = 0,
        packetsSent: Int = 0, packetsLost: Int = 0, rttMicroseconds: UInt32? = nil, address: IPAddress? = nil,
        start: MonotonicTime, end: MonotonicTime
    ) {
        self.outcome = outcome
        self.ok = ok
        self.durationNanoseconds = durationNanoseconds
        self.synSent = synSent
        self.synRetransmits = synRetransmits
        self.packetsSent = packetsSent
        self.packetsLost = packetsLost
        self.rttMicroseconds = rttMicroseconds
        self.address = address
        self.start = start
        self.end = end
    }
}

extension FinishedRound {
    /// Makes the round from a check's result.
    /// - Parameters:
    ///   - start: when the check began.
    ///   - end: when it had ended.
    public init(_ result: CheckResult, start: MonotonicTime, end: MonotonicTime) {
        let timings = result.timings
        self.init(
            outcome: result.outcome, ok: result.ok,
            durationNanoseconds: timings[.connect] + timings[.tls] + timings[.dialog], start: start, end: end)
        for attempt in result.attempts { note(attempt) }
        let decisive = result.attempts.last { $0.outcome == result.outcome } ?? result.attempts.last
        address = decisive?.address
        if let rtt = decisive?.tcpInformation?.rttMicroseconds, rtt > 0 { rttMicroseconds = rtt }
    }

    private mutating func note(_ attempt: AttemptResult) {
        let sent: Int
        if let information = attempt.tcpInformation {
            sent = Int(information.synSent)
            synSent += sent
            synRetransmits += max(sent - 1, 0)
        } else {
            sent = attempt.hasSent ? 1 : 0
        }
        packetsSent += sent
        packetsLost += attempt.isAnswered ? max(sent - 1, 0) : sent
    }
}

extension AttemptResult {
    var address: IPAddress? {
        guard case .ip(let endpoint) = endpoint else { return nil }
        return endpoint.address
    }

    /// Whether the attempt got as far as sending something.
    fileprivate var hasSent: Bool {
        switch phase {
        case .policy, .resolve, .socket, .bind: false
        case .connect, .hold, .tls, .dialog, .done: error.map(\.fault.isAboutTarget) ?? true
        }
    }

    /// Whether the target's host answered the connect. For UDP, the dialog is the answer.
    fileprivate var isAnswered: Bool {
        switch outcome {
        case .failed(.timeout), .failed(.unreachable): phase != .connect && tcpInformation != nil
        case .connected, .associated, .answered, .failed: true
        }
    }
}
