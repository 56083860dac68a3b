internal import CLinux
internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes

/// What one probe of a trace led to.
enum ProbeOutcome: Sendable {
    case answered(ProbeAnswer)
    case silent
    /// This machine sent nothing, for example because it has no route to the target.
    case unsent(Errno)
    case cancelled
}

/// The answer to one probe. It does no I/O.
struct ProbeAnswer: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// A router's ICMP message that the TTL has run out: the path continues.
        case timeExceeded
        /// The path ends here, and the trace for this reason.
        case final(TraceStop)
    }
    let kind: Kind
    let from: IPAddress
    let rttNanoseconds: Int64
    /// nil if the target answered with a packet of its own protocol.
    let icmp: ICMPMessage?
    /// Whether the sender is the target.
    let isFromTarget: Bool

    /// The target answered without an ICMP message.
    /// - Parameter stop: `reached`, or `refused` for a reset.
    init(of target: IPAddress, _ stop: TraceStop, rttNanoseconds: Int64) {
        kind = .final(stop)
        from = target
        self.rttNanoseconds = rttNanoseconds
        icmp = nil
        isFromTarget = true
    }

    /// An ICMP message answered.
    /// - Parameter error: the errno that it causes.
    init(_ icmp: ICMPMessage, causing error: Errno, target: IPAddress, rttNanoseconds: Int64) {
        from = icmp.from
        self.rttNanoseconds = rttNanoseconds
        self.icmp = icmp
        isFromTarget = icmp.from.isSameNode(as: target)
        if icmp.isTimeExceeded {
            kind = .timeExceeded
        } else {
            kind = .final(isFromTarget && error.rawValue == ECONNREFUSED ? .refused : .unreachable)
        }
    }

    /// Why the trace ends here; nil if the path continues.
    var stop: TraceStop? {
        switch kind {
        case .timeExceeded: nil
        case .final(let stop): stop
        }
    }
}

extension IPAddress {
    /// Whether both are the same address, whatever their zones.
    func isSameNode(as other: IPAddress) -> Bool {
        switch (self, other) {
        case (.v4(let one), .v4(let other)): one == other
        case (.v6(let one), .v6(let other)): one.bits == other.bits
        case (.v4, .v6), (.v6, .v4): false
        }
    }
}
