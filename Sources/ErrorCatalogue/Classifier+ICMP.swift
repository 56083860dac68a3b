import Glibc
internal import NetworkTypes

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

/// What ICMP evidence says, by who sent the message.
extension Hints {
    static let prohibitedByTarget = """
        The target's own firewall prohibits this port (the target itself sent the ICMP message): allow the prober's \
        address in its rules.
        """
    static let prohibitedByOurselves = """
        A firewall on the prober itself prohibits this connect (ICMP from its own address): look at its output rules with \
        `nft list ruleset`.
        """
    static let prohibitedOnTheWay = """
        A firewall or router on the way prohibits this connect: icmp.from names it; ask its owner to allow the prober's \
        address and this port.
        """
    static let prohibitedOnTheWayIPv6 = """
        A firewall on the way, named by icmp.from, prohibits this connect: ask its owner to allow it; over IPv6 Linux says \
        EACCES, over IPv4 EHOSTUNREACH.
        """
    static let hostUnreachableFromTarget = """
        The target's address itself reports the host as unreachable: it forwards this port to a host behind it that does \
        not answer, or its firewall says so.
        """
    static let deadNeighbour = """
        Nobody on the prober's own link answers for the next hop (ARP or neighbour discovery): the host is off, the \
        address unused, or VLAN or prefix is wrong.
        """
    static let hostUnreachableFromRouter = """
        The last router (icmp.from) finds no host at this address: the host is off, its address unused, or its own link is \
        down.
        """
    static let timeExceeded = """
        The packet's hop limit ran out at icmp.from: raise socket.ttl if the request sets it; otherwise look for a routing \
        loop with traceroute.
        """
    static let icmpFromTarget = """
        The target itself answered with an ICMP error: "icmp" says which; look at its firewall's reject rules and at \
        whether it speaks this protocol.
        """
    static let icmpFromOurselves = """
        The prober itself answered with an ICMP error: look at its output rules (`nft list ruleset`) and at its routes \
        with `ip route get`.
        """
    static let icmpFromSomebody = """
        A device on the way answered with an ICMP error: icmp.from names it and icmp.meaning says what it lacks, mostly a \
        route; ask its owner.
        """

    static let icmp = [
        prohibitedByTarget, prohibitedByOurselves, prohibitedOnTheWay, prohibitedOnTheWayIPv6,
        hostUnreachableFromTarget, deadNeighbour, hostUnreachableFromRouter, timeExceeded, icmpFromTarget,
        icmpFromOurselves, icmpFromSomebody,
    ]
}
