internal import NetworkTypes

/// Addresses that policies treat apart.
enum SpecialAddresses {
    /// Why no profile lets this address through; nil for an ordinary unicast address.
    static func hardDenial(of address: IPAddress) -> DenialReason? {
        switch address {
        case .v4(let address): hardDenial(ofIPv4: address.bits)
        case .v6(let address): hardDenial(ofIPv6: address.bits)
        }
    }

    /// `127.0.0.0/8` and `::1`.
    static func isLoopback(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let address): address.bits >> 24 == 127
        case .v6(let address): address.bits == 1
        }
    }

    /// `0.0.0.0/8` and `::`, through which the kernel reaches loopback.
    static func isUnspecified(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let address): address.bits >> 24 == 0
        case .v6(let address): address.bits == 0
        }
    }

    private static func hardDenial(ofIPv4 bits: UInt32) -> DenialReason? {
        if metadataIPv4.contains(bits) { return .cloudMetadata }
        if bits >> 24 == 0 { return .unspecified }
        if bits >> 16 == 0xA9FE { return .linkLocal }
        if bits >> 28 == 0xE { return .multicast }
        if bits == .max { return .broadcast }
        return bits >> 28 == 0xF ? .reserved : nil
    }

    private static func hardDenial(ofIPv6 bits: UInt128) -> DenialReason? {
        if metadataIPv6.contains(bits) { return .cloudMetadata }
        if bits == 0 { return .unspecified }
        if bits >> 118 == 0xFE80 >> 6 { return .linkLocal }
        if bits >> 120 == 0xFF { return .multicast }
        return isAssigned(bits) ? nil : .reserved
    }

    /// What the IANA registry of the IPv6 address space does not keep back: `2000::/3` and `fc00::/7`, and those destinations
    /// of the special-purpose registry that lie in reserved space. Compatible, translated and site-local addresses have
    /// been given up, and are reserved again.
    private static func isAssigned(_ bits: UInt128) -> Bool {
        if bits >> 125 == 0b001 || bits >> 121 == 0xFC >> 1 { return true }
        let loopback: UInt128 = 1
        let isMapped = bits >> 32 == 0xFFFF
        let isWellKnownNAT64 = bits >> 32 == 0x0064_FF9B_0000_0000_0000_0000
        let isLocalNAT64 = bits >> 80 == 0x0064_FF9B_0001
        let isDiscardOnly = bits >> 64 == 0x0100_0000_0000_0000
        let isSegmentIdentifier = bits >> 112 == 0x5F00
        return bits == loopback || isMapped || isWellKnownNAT64 || isLocalNAT64 || isDiscardOnly || isSegmentIdentifier
    }

    private static let metadataIPv4: [UInt32] = [
        0xA9FE_A9FE,  // 169.254.169.254: nearly every cloud
        0xA9FE_AA02,  // 169.254.170.2: credentials of ECS tasks
        0xA9FE_AA17,  // 169.254.170.23: EKS Pod Identity
        0x6464_64C8,  // 100.100.100.200: Alibaba Cloud
        0xC000_00C0,  // 192.0.0.192: Oracle Cloud
        0xA83F_8110,  // 168.63.129.16: Azure
    ]

    private static let metadataIPv6: [UInt128] = [
        0xFD00_0EC2_0000_0000_0000_0000_0000_0254,  // fd00:ec2::254: EC2
        0xFD00_0EC2_0000_0000_0000_0000_0000_0023,  // fd00:ec2::23: EKS Pod Identity
        0xFD20_00CE_0000_0000_0000_0000_0000_0254,  // fd20:ce::254: Google Cloud
    ]
}

/// Which addresses are reachable over the whole internet, after the IANA special-purpose address registries (RFC 6890).
enum GlobalAddresses {
    /// Whether the address is global unicast, as far as the registries say.
    ///
    /// 6to4 addresses and those under the Well-Known Prefix of NAT64 are as global as the IPv4 address inside, which has
    /// to be judged apart. Each exception lies inside of a block that is not global, so an address is in both or in
    /// neither.
    static func contains(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let address):
            address.bits >> 28 < 0xE && (IPv4Block.isIn(notGlobalIPv4, address) == IPv4Block.isIn(globalIPv4, address))
        case .v6(let address):
            address.isWellKnownNAT64
                || address.bits >> 125 == 0b001
                    && IPv6Block.isIn(notGlobalIPv6, address) == IPv6Block.isIn(globalIPv6, address)
        }
    }

    private static let notGlobalIPv4: [IPv4Block] = [
        IPv4Block(0x0000_0000, 8),  // 0.0.0.0/8: "this network", RFC 791
        IPv4Block(0x0A00_0000, 8),  // 10.0.0.0/8: private use, RFC 1918
        IPv4Block(0x6440_0000, 10),  // 100.64.0.0/10: shared address space, RFC 6598
        IPv4Block(0x7F00_0000, 8),  // 127.0.0.0/8: loopback, RFC 1122
        IPv4Block(0xA9FE_0000, 16),  // 169.254.0.0/16: link-local, RFC 3927
        IPv4Block(0xAC10_0000, 12),  // 172.16.0.0/12: private use, RFC 1918
        IPv4Block(0xC000_0000, 24),  // 192.0.0.0/24: IETF protocol assignments, RFC 6890
        IPv4Block(0xC000_0200, 24),  // 192.0.2.0/24: documentation, RFC 5737
        IPv4Block(0xC058_6300, 24),  // 192.88.99.0/24: 6to4 relay anycast, given up by RFC 7526
        IPv4Block(0xC0A8_0000, 16),  // 192.168.0.0/16: private use, RFC 1918
        IPv4Block(0xC612_0000, 15),  // 198.18.0.0/15: benchmarking, RFC 2544
        IPv4Block(0xC633_6400, 24),  // 198.51.100.0/24: documentation, RFC 5737
        IPv4Block(0xCB00_7100, 24),  // 203.0.113.0/24: documentation, RFC 5737
    ]

    /// Inside of those.
    private static let globalIPv4: [IPv4Block] = [
        IPv4Block(0xC000_0009, 32),  // 192.0.0.9: Port Control Protocol anycast, RFC 7723
        IPv4Block(0xC000_000A, 32),  // 192.0.0.10: TURN anycast, RFC 8155
    ]

    /// Inside of 2000::/3.
    private static let notGlobalIPv6: [IPv6Block] = [
        IPv6Block(0x2001_0000, 23),  // 2001::/23: IETF protocol assignments, RFC 2928; Teredo among them
        IPv6Block(0x2001_0DB8, 32),  // 2001:db8::/32: documentation, RFC 3849
        IPv6Block(0x3FFF_0000, 20),  // 3fff::/20: documentation, RFC 9637
    ]

    /// Inside of those.
    private static let globalIPv6: [IPv6Block] = [
        IPv6Block(0x2001_0001 << 96 | 1, length: 128),  // 2001:1::1: Port Control Protocol anycast, RFC 7723
        IPv6Block(0x2001_0001 << 96 | 2, length: 128),  // 2001:1::2: TURN anycast, RFC 8155
        IPv6Block(0x2001_0001 << 96 | 3, length: 128),  // 2001:1::3: DNS-SD registration anycast, RFC 9665
        IPv6Block(0x2001_0003, 32),  // 2001:3::/32: AMT, RFC 7450
        IPv6Block(0x2001_0004_0112 << 80, length: 48),  // 2001:4:112::/48: AS112, RFC 7535
        IPv6Block(0x2001_0020, 28),  // 2001:20::/28: ORCHIDv2, RFC 7343
        IPv6Block(0x2001_0030, 28),  // 2001:30::/28: drone remote identification, RFC 9374
    ]
}

private struct IPv4Block {
    let bits: UInt32
    let length: UInt32

    init(_ bits: UInt32, _ length: UInt32) {
        self.bits = bits
        self.length = length
    }

    static func isIn(_ blocks: [IPv4Block], _ address: IPv4Address) -> Bool {
        blocks.contains { ($0.bits ^ address.bits) >> (32 - $0.length) == 0 }
    }
}

private struct IPv6Block {
    let bits: UInt128
    let length: UInt128

    init(_ bits: UInt128, length: UInt128) {
        self.bits = bits
        self.length = length
    }

    /// A block that its first 32 bits tell.
    init(_ upper: UInt32, _ length: UInt128) {
        self.init(UInt128(upper) << 96, length: length)
    }

    static func isIn(_ blocks: [IPv6Block], _ address: IPv6Address) -> Bool {
        blocks.contains { ($0.bits ^ address.bits) >> (128 - $0.length) == 0 }
    }
}
