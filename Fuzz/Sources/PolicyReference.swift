internal import AccessPolicy
internal import NetworkTypes

/// A policy's verdict, written a second time: on octets instead of integers, with blocks as the registries write them.
struct PolicyReference {
    private let policy: Policy
    private let port: UInt16
    private let transport: Transport
    private let isLocal: (IPAddress) -> Bool
    /// The block of each rule, and of each NAT64 prefix.
    private let blocks: [Block?]
    private let prefixes: [(block: Block, length: Int)]

    init(_ policy: Policy, _ port: UInt16, _ transport: Transport, _ isLocal: @escaping (IPAddress) -> Bool) {
        self.policy = policy
        self.port = port
        self.transport = transport
        self.isLocal = isLocal
        blocks = policy.rules.map { rule in
            guard case .addresses(let range) = rule.matcher else { return nil }
            return Block(range.text)
        }
        prefixes = policy.nat64Prefixes.map { (Block($0.range.text), $0.range.prefixLength) }
    }

    func verdict(on address: IPAddress) -> Verdict {
        let outer = ruling(on: address)
        let inner = embedded(in: address).map { IPAddress.v4(IPv4Address(bits: $0.reduce(0) { $0 << 8 | UInt32($1) })) }
        if let denial = outer.denial { return .deny(denial) }
        if let exact = outer.exactRule {
            // Only a rule that denies the embedded address, and comes first, has precedence.
            let denials = (0..<exact).filter { index in
                policy.rules[index].action == .deny && inner.contains { matches(index, $0) }
            }
            return denials.first.map { .deny(.rule(index: $0)) } ?? .allow
        }
        return inner.lazy.compactMap { ruling(on: $0).denial }.first.map(Verdict.deny) ?? .allow
    }

    private struct Ruling {
        var denial: DenialReason?
        /// The rule that allows exactly this address.
        var exactRule: Int?
    }

    private func ruling(on address: IPAddress) -> Ruling {
        let hard = hardDenial(of: address)
        let decisive = policy.rules.indices.first { index in
            guard matches(index, address) else { return false }
            return policy.rules[index].action == .deny || isExact(index) || hard == nil
        }
        guard let decisive else {
            return Ruling(denial: hard ?? (profileAllows(address) ? nil : .profile))
        }
        if policy.rules[decisive].action == .deny { return Ruling(denial: .rule(index: decisive)) }
        return Ruling(exactRule: isExact(decisive) ? decisive : nil)
    }

    private func matches(_ index: Int, _ address: IPAddress) -> Bool {
        let rule = policy.rules[index]
        guard let block = blocks[index], block.contains(Self.octets(address)) else { return false }
        let hasPort = rule.ports?.contains { ($0.first...$0.last).contains(port) } ?? true
        return hasPort && rule.transports?.contains(transport) ?? true
    }

    private func isExact(_ index: Int) -> Bool {
        blocks[index]?.isSingleAddress ?? false
    }

    private func hardDenial(of address: IPAddress) -> DenialReason? {
        let octets = Self.octets(address)
        let special = Self.special.first { $0.block.contains(octets) }?.reason
        let isUnassigned = octets.count == 16 && !Self.assigned.contains { $0.contains(octets) }
        if let reason = special ?? (isUnassigned ? .reserved : nil), reason != .reserved || !isTranslated(octets) {
            return reason
        }
        return policy.ownPorts.contains(port) && (isLoopback(octets) || isLocal(address)) ? .ownListener : nil
    }

    private func profileAllows(_ address: IPAddress) -> Bool {
        let octets = Self.octets(address)
        switch policy.profile {
        case .rules: return false
        case .sidecar: return isLoopback(octets)
        case .internal: return true
        case .public:
            let isUnicast = octets.count == 4 || Self.unicast.contains(octets)
            let isExcluded = Self.notGlobal.contains { $0.contains(octets) }
            let isGlobal = isUnicast && (!isExcluded || Self.globalInside.contains { $0.contains(octets) })
            return isGlobal || Self.wellKnown.contains(octets) || isTranslated(octets)
        }
    }

    private func isLoopback(_ octets: [UInt8]) -> Bool {
        Self.loopback.contains { $0.contains(octets) }
    }

    private func isTranslated(_ octets: [UInt8]) -> Bool {
        prefixes.contains { $0.block.contains(octets) }
    }

    // MARK: Embedded addresses

    /// RFC 6052, 2.2: where the octets of the IPv4 address are.
    private static let places = [
        32: [4, 5, 6, 7], 40: [5, 6, 7, 9], 48: [6, 7, 9, 10], 56: [7, 9, 10, 11], 64: [9, 10, 11, 12],
        96: [12, 13, 14, 15],
    ]

    private func embedded(in address: IPAddress) -> [[UInt8]] {
        let octets = Self.octets(address)
        guard octets.count == 16 else { return [] }
        func at(_ places: [Int]) -> [UInt8] { places.map { octets[$0] } }
        let configured = prefixes.filter { $0.block.contains(octets) }
        var found = configured.map { at(Self.places[$0.length, default: []]) }
        if Self.endsInIPv4(octets) { found.append(at([12, 13, 14, 15])) }
        if Self.localNAT64.contains(octets), configured.isEmpty {
            let readings = [48, 56, 64, 96].map { at(Self.places[$0, default: []]) }
            let likely = readings.filter { $0[0] != 0 }
            found += likely.isEmpty ? readings : likely
        }
        if Self.sixToFour.contains(octets) { found.append(at([2, 3, 4, 5])) }
        if Self.teredo.contains(octets) { found += [at([4, 5, 6, 7]), at([12, 13, 14, 15]).map { ~$0 }] }
        return found
    }

    private static func endsInIPv4(_ octets: [UInt8]) -> Bool {
        if ending.contains(where: { $0.contains(octets) }) { return true }
        if compatible.contains(octets) { return !notCompatible.contains(octets) }
        return octets[8] < 4 && Array(octets[9...11]) == [0, 0x5E, 0xFE]
    }

    // MARK: Registries

    static func octets(_ address: IPAddress) -> [UInt8] {
        switch address {
        case .v4(let address): withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
        case .v6(let address): withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
        }
    }

    private static let special: [(block: Block, reason: DenialReason)] = {
        let reasons: [(DenialReason, [String])] = [
            (
                .cloudMetadata,
                [
                    "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192",
                    "168.63.129.16", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
                ]
            ),
            (.unspecified, ["0.0.0.0/8", "::"]), (.linkLocal, ["169.254.0.0/16", "fe80::/10"]),
            (.multicast, ["224.0.0.0/4", "ff00::/8"]), (.broadcast, ["255.255.255.255"]), (.reserved, ["240.0.0.0/4"]),
        ]
        return reasons.flatMap { reason, blocks in blocks.map { (Block($0), reason) } }
    }()

    private static let unicast = Block("2000::/3")
    private static let loopback = [Block("127.0.0.0/8"), Block("::1")]
    private static let wellKnown = Block("64:ff9b::/96")
    private static let localNAT64 = Block("64:ff9b:1::/48")
    private static let sixToFour = Block("2002::/16")
    private static let teredo = Block("2001::/32")
    private static let ending = ["::ffff:0:0/96", "64:ff9b::/96", "::ffff:0:0:0/96"].map(Block.init)
    private static let compatible = Block("::/96")
    private static let notCompatible = Block("::/127")

    private static let assigned = [
        "2000::/3", "fc00::/7", "::1", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "5f00::/16",
    ].map(Block.init)

    private static let notGlobal = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "2001::/23", "2001:db8::/32", "3fff::/20",
    ].map(Block.init)

    private static let globalInside = [
        "192.0.0.9", "192.0.0.10", "2001:1::1", "2001:1::2", "2001:1::3", "2001:3::/32", "2001:4:112::/48",
        "2001:20::/28", "2001:30::/28",
    ].map(Block.init)
}

/// A block of addresses, compared bit by bit.
private struct Block {
    private let octets: [UInt8]
    private let length: Int

    /// - Parameter text: an address, or an address and the length of its prefix.
    init(_ text: String) {
        let parts = text.split(separator: "/")
        guard let address = IPAddress(parsing: parts[0]) else { fatalError("not a block: \(text)") }
        octets = PolicyReference.octets(address)
        length = parts.dropFirst().first.flatMap { Int($0) } ?? octets.count * 8
    }

    var isSingleAddress: Bool { length == octets.count * 8 }

    func contains(_ address: [UInt8]) -> Bool {
        guard address.count == octets.count else { return false }
        for bit in 0..<length where (address[bit / 8] ^ octets[bit / 8]) & (0x80 >> UInt8(bit % 8)) != 0 {
            return false
        }
        return true
    }
}
