internal import CLinux

/// The zone of an IPv6 address, RFC 4007 section 11.
enum Zone {
    /// The interface's name, where the zone may be its number: if_indextoname(3). Nil if there is no such interface.
    static func interfaceName(of zone: String) -> String? {
        guard let number = UInt32(zone) else { return zone }
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard if_indextoname(number, &name) != nil else { return nil }
        return name.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
    }
}
