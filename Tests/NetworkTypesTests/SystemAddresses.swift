import Glibc
import NetworkTypes

/// inet_pton(3) and inet_ntop(3): the reference for the parser and the writer.
enum SystemAddresses {
    static func parse(_ text: String) -> IPAddress? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            return .v4(IPv4Address(bits: UInt32(bigEndian: v4.s_addr)))
        }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        let bits = withUnsafeBytes(of: v6) { $0.loadUnaligned(as: UInt128.self) }
        return .v6(IPv6Address(bits: UInt128(bigEndian: bits)))
    }

    static func text(_ address: IPAddress) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        switch address {
        case .v4(let address):
            var bits = address.bits.bigEndian
            inet_ntop(AF_INET, &bits, &buffer, socklen_t(buffer.count))
        case .v6(let address):
            var bits = address.bits.bigEndian
            inet_ntop(AF_INET6, &bits, &buffer, socklen_t(buffer.count))
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
