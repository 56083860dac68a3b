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
