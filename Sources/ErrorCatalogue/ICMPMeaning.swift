public import NetworkTypes

extension ICMPMessage {
    /// The meaning of type and code, as the IANA registries name it: "port unreachable".
    ///
    /// Only errors have a name (RFC 792, 1122, 1812; RFC 4443, 8754, 8883); other messages show their numbers.
    public var meaning: String {
        let known =
            switch family {
            case .ipv4: Self.meaningOfIPv4(type: type, code: code)
            case .ipv6: Self.meaningOfIPv6(type: type, code: code)
            }
        return known ?? "type \(type), code \(code)"
    }

    /// Whether a firewall or router prohibits the traffic, as opposed to a missing route.
    public var isProhibited: Bool {
        switch family {
        case .ipv4: type == 3 && [9, 10, 13].contains(code)
        case .ipv6: type == 1 && [1, 5, 6].contains(code)
        }
    }

    /// Whether the last hop got no answer for the address from ARP (3/1) or neighbor discovery (1/3).
    public var isHostUnreachable: Bool {
        switch family {
        case .ipv4: type == 3 && code == 1
        case .ipv6: type == 1 && code == 3
        }
    }

    /// Whether the hop limit ran out on the path.
    public var isTimeExceeded: Bool {
        switch family {
        case .ipv4: type == 11
        case .ipv6: type == 3
        }
    }

    private static func meaningOfIPv4(type: UInt8, code: UInt8) -> String? {
        switch type {
        case 3: name(of: code, in: unreachableIPv4) ?? "destination unreachable, code \(code)"
        case 4: "source quench"
        case 5: name(of: code, in: redirectIPv4) ?? "redirect, code \(code)"
        case 11: name(of: code, in: timeExceeded) ?? "time exceeded, code \(code)"
        case 12: name(of: code, in: parameterProblemIPv4) ?? "parameter problem, code \(code)"
        default: nil
        }
    }

    private static func meaningOfIPv6(type: UInt8, code: UInt8) -> String? {
        switch type {
        case 1: name(of: code, in: unreachableIPv6) ?? "destination unreachable, code \(code)"
        case 2: "packet too big"
        case 3: name(of: code, in: timeExceeded) ?? "time exceeded, code \(code)"
        case 4: name(of: code, in: parameterProblemIPv6) ?? "parameter problem, code \(code)"
        default: nil
        }
    }

    private static func name(of code: UInt8, in names: [String]) -> String? {
        names.indices.contains(Int(code)) ? names[Int(code)] : nil
    }

    /// ICMP type 3, by code.
    private static let unreachableIPv4 = [
        "network unreachable",
        "host unreachable",
        "protocol unreachable",
        "port unreachable",
        "fragmentation needed",
        "source route failed",
        "destination network unknown",
        "destination host unknown",
        "source host isolated",
        "network administratively prohibited",
        "host administratively prohibited",
        "network unreachable for this type of service",
        "host unreachable for this type of service",
        "administratively prohibited",
        "host precedence violation",
        "precedence cutoff in effect",
    ]

    /// ICMP type 5, by code.
    private static let redirectIPv4 = [
        "redirect for the network", "redirect for the host", "redirect for the type of service and network",
        "redirect for the type of service and host",
    ]

    /// ICMP type 11 and ICMPv6 type 3, by code.
    private static let timeExceeded = ["time exceeded in transit", "fragment reassembly time exceeded"]

    /// ICMP type 12, by code.
    private static let parameterProblemIPv4 = [
        "parameter problem", "parameter problem: required option missing", "parameter problem: bad length",
    ]

    /// ICMPv6 type 1, by code.
    private static let unreachableIPv6 = [
        "no route to destination",
        "administratively prohibited",
        "beyond scope of source address",
        "address unreachable",
        "port unreachable",
        "source address failed ingress or egress policy",
        "reject route to destination",
        "error in source routing header",
        "headers too long",
    ]

    /// ICMPv6 type 4, by code.
    private static let parameterProblemIPv6 = [
        "erroneous header field",
        "unrecognized next header",
        "unrecognized IPv6 option",
        "first fragment has incomplete header chain",
        "segment routing upper-layer header error",
        "unrecognized next header at an intermediate node",
        "extension header too big",
        "extension header chain too long",
        "too many extension headers",
        "too many options in extension header",
        "option too big",
    ]
}

/// The sender of an ICMP message, as far as it decides the fault.
public enum ICMPSender: Hashable, Sendable {
    /// The peer itself.
    case target
    /// This machine: a local firewall, or the kernel itself for a neighbor that did not answer.
    case prober
    /// Any other device: a router or firewall on the path.
    case intermediate
}

extension ICMPMessage {
    /// Returns who sent the message.
    ///
    /// If this machine checks one of its own addresses, the sender is the target. The comparison ignores zones, and
    /// treats `::ffff:a.b.c.d` as the IPv4 address.
    /// - Parameters:
    ///   - destination: The destination of the connect.
    ///   - isOurs: Whether an address belongs to this machine; called only if the target is not the sender.
    public func sender(destination: IPAddress, isOurs: (IPAddress) -> Bool) -> ICMPSender {
        if from.isSameHost(as: destination) { return .target }
        return isOurs(from) ? .prober : .intermediate
    }
}

extension IPAddress {
    /// Whether both are the same address, ignoring zones and IPv4-mapped notation.
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
