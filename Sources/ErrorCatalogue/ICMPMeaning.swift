public import NetworkTypes

extension ICMPMessage {
    /// What the type and code stand for, in the words of the IANA registries: "port unreachable".
    ///
    /// Errors only (RFC 792, 1122, 1812; RFC 4443, 8754, 8883); anything else is told by its numbers.
    public var meaning: String {
        let known =
            switch family {
            case .ipv4: Self.meaningOfIPv4(type: type, code: code)
            case .ipv6: Self.meaningOfIPv6(type: type, code: code)
            }
        return known ?? "type \(type), code \(code)"
    }

    /// Whether somebody forbids the traffic: a firewall's or a router's "prohibited", not a mere lack of a way.
    public var isProhibited: Bool {
        switch family {
        case .ipv4: type == 3 && [9, 10, 13].contains(code)
        case .ipv6: type == 1 && [1, 5, 6].contains(code)
        }
    }

    /// Whether the last hop found nobody at the address: ARP (3/1) or neighbour discovery (1/3) went unanswered.
    public var isHostUnreachable: Bool {
        switch family {
        case .ipv4: type == 3 && code == 1
        case .ipv6: type == 1 && code == 3
        }
    }

    /// Whether the hop limit ran out on the way.
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

/// Who an ICMP message came from, as far as it moves the fault.
public enum ICMPSender: Hashable, Sendable {
    /// The peer itself.
    case target
    /// This machine: a local firewall, or a neighbour that did not answer.
    case prober
    /// Anybody else: a router or firewall on the way.
    case intermediate
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
        return isOurs(from) ? .prober : .intermediate
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
