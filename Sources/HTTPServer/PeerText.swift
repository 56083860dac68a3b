internal import CLinux
internal import CheckModel

/// Addresses as text: inet_ntop(3).
enum PeerText {
    static func text(of address: IPAddress) -> String {
        switch address {
        case .v4(let address):
            return text(AF_INET, address.bits.bigEndian)
        case .v6(let address):
            let text = text(AF_INET6, address.bits.bigEndian)
            return address.zone.map { "\(text)%\($0)" } ?? text
        }
    }

    private static func text<Bits>(_ family: Int32, _ bits: Bits) -> String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let capacity = socklen_t(buffer.count)
        _ = withUnsafePointer(to: bits) { inet_ntop(family, $0, &buffer, capacity) }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
