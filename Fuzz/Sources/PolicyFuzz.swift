@testable internal import AccessPolicy
internal import NetworkTypes

/// Policies of any rules, and addresses to judge.
enum PolicyFuzz {
    /// The verdict equals that of `PolicyReference`, which works on octets and on the texts of blocks.
    static func run(_ bytes: [UInt8]) {
        var reader = InputReader(bytes)
        let options = reader.byte()
        var policy = Policy(profile: Policy.Profile.allCases[Int(options & 3)])
        if options & 4 != 0 { policy.ownPorts = [80, 443] }
        if options & 8 != 0, let prefix = prefix(&reader) { policy.nat64Prefixes = [prefix] }
        for _ in 0..<(options >> 4) { if let rule = rule(&reader) { policy.rules.append(rule) } }
        repeat {
            let transport: Transport = reader.byte() & 1 == 0 ? .tcp : .udp
            let endpoint = IPEndpoint(address: address(&reader), port: reader.port())
            compare(policy, endpoint, transport)
        } while !reader.isEmpty
    }

    private static func compare(_ policy: Policy, _ endpoint: IPEndpoint, _ transport: Transport) {
        let decision = policy.decision(on: endpoint, transport: transport, isLocal: isLocal)
        let expected = PolicyReference(policy, endpoint.port, transport, isLocal).verdict(on: endpoint.address)
        expect(
            decision.verdict == expected, "\(endpoint.text): \(decision.verdict), and by the reference \(expected)")
        expect(decision.rule.map(policy.rules.indices.contains) ?? true, "no such rule")
        if let embedded = decision.embedded { expect(embedded.family == .ipv4, "no embedded address") }
    }

    /// Every second address is one of this machine.
    @Sendable private static func isLocal(_ address: IPAddress) -> Bool {
        PolicyReference.octets(address).last.map { $0 & 1 == 0 } ?? false
    }

    private static func rule(_ reader: inout InputReader) -> PolicyRule? {
        let kind = reader.byte()
        let (address, length) = (address(&reader), Int(reader.byte()))
        // Most bytes would give a block with bits after its prefix.
        let octets = PolicyReference.octets(address)
        let bits = length % (octets.count * 8 + 1)
        let base = octets.enumerated().map { index, octet in
            octet & (bits >= index * 8 + 8 ? 0xFF : bits <= index * 8 ? 0 : 0xFF << UInt8(index * 8 + 8 - bits))
        }
        let first = Int(reader.port())
        let ports = kind & 2 == 0 ? nil : (try? PortRange(first: first, last: first + Int(reader.byte()))).map { [$0] }
        return try? PolicyRule(
            action: kind & 1 == 0 ? .allow : .deny, cidr: "\(self.address(of: base).text)/\(bits)", ports: ports,
            transports: kind & 4 == 0 ? nil : kind & 8 == 0 ? [.tcp] : [.udp, .unix])
    }

    private static func prefix(_ reader: inout InputReader) -> NAT64Prefix? {
        let length = NAT64Prefix.lengths[Int(reader.byte()) % NAT64Prefix.lengths.count]
        let base = address(of: reader.octets(length / 8) + [UInt8](repeating: 0, count: 16 - length / 8))
        return (try? AddressRange(base: base, prefixLength: length)).flatMap { try? NAT64Prefix($0) }
    }

    /// An address of any bits, or one with the first octets of a block that policies treat specially.
    private static func address(_ reader: inout InputReader) -> IPAddress {
        let kind = reader.byte()
        if kind & 1 == 0 { return address(of: reader.octets(4)) }
        let beginnings: [[UInt8]] = [
            [], [UInt8](repeating: 0, count: 12), [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF],
            [0, 0x64, 0xFF, 0x9B] + [UInt8](repeating: 0, count: 8), [0, 0x64, 0xFF, 0x9B, 0, 1], [0x20, 0x02],
            [0x20, 0x01, 0, 0], [UInt8](repeating: 0, count: 8) + [0xFF, 0xFF, 0, 0],
        ]
        let beginning = beginnings[Int(kind >> 1) % beginnings.count]
        return address(of: beginning + reader.octets(16 - beginning.count))
    }

    private static func address(of octets: [UInt8]) -> IPAddress {
        octets.count == 4
            ? .v4(IPv4Address(bits: octets.reduce(0) { $0 << 8 | UInt32($1) }))
            : .v6(IPv6Address(bits: octets.reduce(0) { $0 << 8 | UInt128($1) }))
    }
}
