internal import Glibc
internal import NetworkTypes

/// The rules for errors that an ICMP message caused: the message refines the class, and its sender tells the fault.
extension Classification {
    mutating func applyICMP(to errno: Errno, _ circumstances: Circumstances) {
        guard let icmp = circumstances.icmp else { return }
        let isForbidden = errno.rawValue == EACCES || errno.rawValue == EPERM
        if icmp.isProhibited || isForbidden {
            errorClass = .unreachable
            retryable = false
        }
        assignFaultBySender(circumstances)
        hint = Self.hint(icmp, errorClass, circumstances)
    }

    /// Sets the fault by the sender of the ICMP message; does nothing without one.
    mutating func assignFaultBySender(_ circumstances: Circumstances) {
        guard let icmp = circumstances.icmp else { return }
        switch circumstances.icmpSender {
        case .target: fault = .target
        // For a neighbor that did not answer, the kernel itself is the sender: this is not a local firewall.
        case .prober: fault = icmp.isHostUnreachable ? .network : .prober
        case .intermediate: fault = .network
        }
    }

    private static func hint(_ icmp: ICMPMessage, _ errorClass: ErrorClass, _ circumstances: Circumstances) -> String {
        if icmp.isProhibited { return prohibitedHint(icmp, circumstances.icmpSender) }
        if icmp.isHostUnreachable { return hostUnreachableHint(circumstances.icmpSender) }
        if icmp.isTimeExceeded { return Hints.timeExceeded }
        if errorClass == .refused { return refusedHint(circumstances) }
        switch circumstances.icmpSender {
        case .target: return Hints.icmpFromTarget
        case .prober: return Hints.icmpFromProber
        case .intermediate: return Hints.icmpFromPath
        }
    }

    private static func prohibitedHint(_ icmp: ICMPMessage, _ sender: ICMPSender) -> String {
        switch sender {
        case .target: Hints.prohibitedByTarget
        case .prober: Hints.prohibitedByProber
        case .intermediate: icmp.family == .ipv4 ? Hints.prohibitedOnPath : Hints.prohibitedOnPathIPv6
        }
    }

    private static func hostUnreachableHint(_ sender: ICMPSender) -> String {
        switch sender {
        case .target: Hints.hostUnreachableFromTarget
        case .prober: Hints.deadNeighbor
        case .intermediate: Hints.hostUnreachableFromRouter
        }
    }

    private static func refusedHint(_ circumstances: Circumstances) -> String {
        switch circumstances.icmpSender {
        case .target: circumstances.transport == .udp ? Hints.udpRefused : Hints.tcpRefusedByICMP
        case .prober: Hints.refusedByProber
        case .intermediate: Hints.refusedOnPath
        }
    }
}

/// The hints for ICMP messages, by sender.
extension Hints {
    static let prohibitedByTarget = """
        Allow the prober's address in the target's own firewall: the target itself sent the ICMP message that \
        prohibits this port.
        """
    static let prohibitedByProber = """
        Check the prober's output rules with `nft list ruleset`: its own firewall prohibits this connection (the ICMP \
        message came from its own address).
        """
    static let prohibitedOnPath = """
        Ask the owner of the device in icmp.from to allow the prober's address and this port: this firewall or router \
        on the path prohibits the connection.
        """
    static let prohibitedOnPathIPv6 = """
        Ask the owner of the device in icmp.from to allow this connection: a firewall on the path prohibits it; Linux \
        reports EACCES over IPv6, EHOSTUNREACH over IPv4.
        """
    static let hostUnreachableFromTarget = """
        Check the target's port forwarding and firewall: its address reports the host as unreachable; a host that it \
        forwards to does not answer, or a rule says so.
        """
    static let deadNeighbor = """
        Check that the host is up and that its address, prefix and VLAN are right: nothing on the prober's link \
        answered ARP or neighbor discovery for the next hop.
        """
    static let hostUnreachableFromRouter = """
        Check that the host is up and uses this address: the last router (icmp.from) finds no host there, or its link \
        to the host is down.
        """
    static let timeExceeded = """
        Raise socket.ttl if the request sets it; otherwise look for a routing loop with traceroute: the packet's hop \
        limit ran out at icmp.from.
        """
    static let icmpFromTarget = """
        Check the target's firewall for reject rules, and whether it speaks this protocol: it answered with the ICMP \
        error in "icmp".
        """
    static let icmpFromProber = """
        Check the prober's output rules (`nft list ruleset`) and routes (`ip route get`): the prober itself answered \
        with an ICMP error.
        """
    static let icmpFromPath = """
        Ask the owner of the device in icmp.from: it answered with an ICMP error, often because it lacks a route; \
        icmp.meaning has the details.
        """

    static let icmp = [
        prohibitedByTarget, prohibitedByProber, prohibitedOnPath, prohibitedOnPathIPv6,
        hostUnreachableFromTarget, deadNeighbor, hostUnreachableFromRouter, timeExceeded, icmpFromTarget,
        icmpFromProber, icmpFromPath,
    ]
}
