internal import Glibc

/// ICMP evidence: what a message behind an error says, and whose fault its sender makes it.
extension Judgement {
    mutating func weighICMP(behind errno: Errno, _ circumstances: Circumstances) {
        guard let icmp = circumstances.icmp else { return }
        let isForbidden = errno.rawValue == EACCES || errno.rawValue == EPERM
        if icmp.isProhibited || isForbidden {
            errorClass = .unreachable
            retryable = false
        }
        moveFault(circumstances)
        hint = Self.hint(icmp, errorClass, circumstances)
    }

    /// The sender of the message tells whose side the error is on.
    mutating func moveFault(_ circumstances: Circumstances) {
        guard let icmp = circumstances.icmp else { return }
        switch circumstances.icmpSender {
        case .target: fault = .target
        // The kernel itself reports a neighbour that did not answer, in its own name: no firewall of ours.
        case .ourselves: fault = icmp.isHostUnreachable ? .network : .prober
        case .somebodyElse: fault = .network
        }
    }

    private static func hint(_ icmp: ICMPMessage, _ errorClass: ErrorClass, _ circumstances: Circumstances) -> String {
        if icmp.isProhibited { return prohibitedHint(icmp, circumstances.icmpSender) }
        if icmp.isHostUnreachable { return hostUnreachableHint(circumstances.icmpSender) }
        if icmp.isTimeExceeded { return Hints.timeExceeded }
        if errorClass == .refused { return refusedHint(circumstances) }
        switch circumstances.icmpSender {
        case .target: return Hints.icmpFromTarget
        case .ourselves: return Hints.icmpFromOurselves
        case .somebodyElse: return Hints.icmpFromSomebody
        }
    }

    private static func prohibitedHint(_ icmp: ICMPMessage, _ sender: ICMPSender) -> String {
        switch sender {
        case .target: Hints.prohibitedByTarget
        case .ourselves: Hints.prohibitedByOurselves
        case .somebodyElse: icmp.family == .ipv4 ? Hints.prohibitedOnTheWay : Hints.prohibitedOnTheWayIPv6
        }
    }

    private static func hostUnreachableHint(_ sender: ICMPSender) -> String {
        switch sender {
        case .target: Hints.hostUnreachableFromTarget
        case .ourselves: Hints.deadNeighbour
        case .somebodyElse: Hints.hostUnreachableFromRouter
        }
    }

    private static func refusedHint(_ circumstances: Circumstances) -> String {
        switch circumstances.icmpSender {
        case .target: circumstances.transport == .udp ? Hints.udpRefused : Hints.tcpRefusedByICMP
        case .ourselves: Hints.refusedByOurselves
        case .somebodyElse: Hints.refusedOnTheWay
        }
    }
}
