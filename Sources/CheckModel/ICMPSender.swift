/// Who an ICMP message came from, as far as it moves the fault.
public enum ICMPSender: Hashable, Sendable {
    /// The peer itself.
    case target
    /// This machine: a local firewall, or a neighbour that did not answer.
    case ourselves
    /// Anybody else: a router or firewall on the way.
    case somebodyElse
}

extension ICMPMessage {
    /// Tells who sent the message.
    ///
    /// A check of one's own address counts as the target's answer. Zones are left out of the comparison, and an IPv4
    /// address inside an IPv6 one (`::ffff:a.b.c.d`) is the IPv4 address.
    /// - Parameters:
    ///   - destination: the address that was connected to.
    ///   - isOurs: whether an address belongs to this machine; asked only if the target did not send it.
    public func sender(destination: IPAddress, isOurs: (IPAddress) -> Bool) -> ICMPSender {
        if from.isSameHost(as: destination) { return .target }
        return isOurs(from) ? .ourselves : .somebodyElse
    }
}

extension ICMPMessage {
    /// Whether its sender may be shown to clients that must not learn of internal addresses: a host of the internet.
    ///
    /// An IPv4 address inside an IPv6 one has to be global, too.
    public var isFromInternet: Bool {
        let sender = IPEndpoint(address: from, port: 0)
        return Policy(profile: .public).judge(sender, transport: .udp, isLocal: { _ in false }) == .allow
    }
}

extension IPAddress {
    /// Whether both are one address, zones and IPv4-mapped notation aside.
    fileprivate func isSameHost(as other: IPAddress) -> Bool {
        unmappedBits == other.unmappedBits
    }

    /// The address in 128 bits, an IPv4 address as `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2).
    private var unmappedBits: UInt128 {
        switch self {
        case .v4(let address): 0xFFFF << 32 | UInt128(address.bits)
        case .v6(let address): address.bits
        }
    }
}
