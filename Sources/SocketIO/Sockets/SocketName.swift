public import CLinux
public import NetworkTypes

/// Conversions between addresses and struct sockaddr.
public enum SocketName {
    /// Calls `body` with a struct sockaddr for an internet endpoint, valid during the call.
    /// - Throws: ENODEV if the zone of the address is not an interface of this machine.
    public static func withName<Result>(
        of endpoint: IPEndpoint, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        switch endpoint.address {
        case .v4(let address):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = endpoint.port.bigEndian
            name.sin_addr.s_addr = address.bits.bigEndian
            return try pass(&name, body)
        case .v6(let address):
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = endpoint.port.bigEndian
            name.sin6_scope_id = try scope(of: address)
            withUnsafeMutableBytes(of: &name.sin6_addr) { $0.storeBytes(of: address.bits.bigEndian, as: UInt128.self) }
            return try pass(&name, body)
        }
    }

    /// Calls `body` with a struct sockaddr_un.
    /// - Throws: ENAMETOOLONG if the name has more than 107 bytes: it is never truncated. ENOENT for an empty path, and
    ///   EINVAL for one with a NUL, which the kernel would read as an abstract name or truncate.
    public static func withName<Result>(
        of address: UnixAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        if case .path(let bytes) = address {
            guard !bytes.isEmpty else { throw Errno(ENOENT) }
            guard !bytes.contains(0) else { throw Errno(EINVAL) }
        }
        var name = sockaddr_un()
        let length =
            switch address {
            case .path(let bytes): connectd_fill_unix(&name, bytes, bytes.count, 0)
            case .abstract(let bytes): connectd_fill_unix(&name, bytes, bytes.count, 1)
            }
        guard length > 0 else { throw Errno(ENAMETOOLONG) }
        return try pass(&name, length: length, body)
    }

    /// Returns the endpoint in a struct sockaddr; nil for another family.
    public static func endpoint(from storage: sockaddr_storage) -> IPEndpoint? {
        withUnsafeBytes(of: storage) { bytes in
            switch Int32(storage.ss_family) {
            case AF_INET:
                let name = bytes.loadUnaligned(as: sockaddr_in.self)
                let address = IPv4Address(bits: UInt32(bigEndian: name.sin_addr.s_addr))
                return IPEndpoint(address: .v4(address), port: UInt16(bigEndian: name.sin_port))
            case AF_INET6:
                let name = bytes.loadUnaligned(as: sockaddr_in6.self)
                let bits = withUnsafeBytes(of: name.sin6_addr) {
                    UInt128(bigEndian: $0.loadUnaligned(as: UInt128.self))
                }
                let address = IPv6Address(bits: bits, zone: zone(of: name.sin6_scope_id))
                return IPEndpoint(address: .v6(address), port: UInt16(bigEndian: name.sin6_port))
            default:
                return nil
            }
        }
    }

    private static func pass<Name, Result>(
        _ name: inout Name, length: socklen_t = socklen_t(MemoryLayout<Name>.size),
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try withUnsafePointer(to: &name) { (pointer: UnsafePointer<Name>) throws(Errno) -> Result in
            // SAFETY: every socket address begins as struct sockaddr does, and C reads no more than `length` bytes.
            try body(UnsafeRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    /// A name comes before a number, as in getaddrinfo(3): an interface may have a name of digits.
    private static func scope(of address: IPv6Address) throws(Errno) -> UInt32 {
        guard let zone = address.zone else { return 0 }
        // C would read only the part before the NUL.
        guard !zone.utf8.contains(0) else { throw Errno(ENODEV) }
        let index = if_nametoindex(zone)
        if index != 0 { return index }
        guard zone.utf8.first != UInt8(ascii: "+"), let number = UInt32(zone) else { throw Errno(ENODEV) }
        // With the number of no interface, connect(2) fails as if the network were at fault.
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard number > 0, if_indextoname(number, &name) != nil else { throw Errno(ENODEV) }
        return number
    }

    private static func zone(of scope: UInt32) -> String? {
        guard scope != 0 else { return nil }
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard if_indextoname(scope, &name) != nil else { return String(scope) }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
