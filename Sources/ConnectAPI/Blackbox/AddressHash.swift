internal import CheckModel

/// FNV-1a of 32 bits (RFC 9923, formerly draft-eastlake-fnv): the hash of an address in `probe_ip_addr_hash`.
enum AddressHash {
    /// Over the 4 or 16 bytes of the address; one within ::ffff:0:0/96 is that IPv4 address.
    static func of(_ address: IPAddress) -> UInt32 {
        switch address {
        case .v4(let address): hash(address.bits, bytes: 4)
        case .v6(let address) where address.bits >> 32 == 0xFFFF:
            hash(UInt32(truncatingIfNeeded: address.bits), bytes: 4)
        case .v6(let address): hash(address.bits, bytes: 16)
        }
    }

    private static func hash(_ bits: some FixedWidthInteger, bytes count: Int) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5
        for index in (0..<count).reversed() {
            hash = (hash ^ UInt32(UInt8(truncatingIfNeeded: bits >> (8 * index)))) &* 0x0100_0193
        }
        return hash
    }
}
