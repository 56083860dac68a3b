/// The SSLRequest packet of MySQL's and MariaDB's protocol 4.1 ("Connection Phase" in their manuals).
///
/// The server greets, and learns that TLS comes by the ClientHello right behind our packet: it does not answer that.
struct MySQLNegotiation: StartTLSNegotiation {
    private static let clientProtocol41: UInt32 = 0x200
    private static let clientSSL: UInt32 = 0x800
    private static let clientSecureConnection: UInt32 = 0x8000
    private static let utf8mb4: UInt8 = 45

    private var hasAsked = false

    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction {
        if hasAsked { return .ready }
        // Three bytes of length, the lowest first, and the packet's number.
        guard received.count >= 4 else { return .wait }
        let header = Array(received.prefix(4))
        let length = Int(header[0]) | Int(header[1]) << 8 | Int(header[2]) << 16
        guard (1...StartTLSLimits.lineBytes).contains(length), header[3] == 0 else {
            return .refused("this is not MySQL", received)
        }
        guard received.count >= 4 + length else { return .wait }
        let packet = received.dropFirst(4).prefix(length)
        received = received.dropFirst(4 + length)
        return greeting(packet)
    }

    private mutating func greeting(_ packet: ArraySlice<UInt8>) -> StartTLSAction {
        switch packet.first {
        // ERR_Packet: two bytes of number, then the text: the host is blocked, there are too many connections.
        case 0xFF: return .refused("the greeting refuses us", packet.dropFirst(3))
        case 10: break
        case _: return .refused("this is not MySQL's protocol 10", packet)
        }
        // The version up to a zero, 4 bytes of thread, 8 of authentication data, a filler, then what it can.
        guard let end = packet.firstIndex(of: 0), packet.endIndex - end >= 16 else {
            return .refused("this is not MySQL", packet)
        }
        let version = packet[packet.startIndex..<end].dropFirst()
        let capabilities = UInt32(packet[end + 14]) | UInt32(packet[end + 15]) << 8
        guard capabilities & Self.clientSSL != 0 else { return .refused("it does not offer TLS", version) }
        hasAsked = true
        return .send(Self.request)
    }

    /// 32 bytes, packet 1: what we can, the largest packet (16 MiB), the character set, and zeros.
    private static var request: [UInt8] {
        let capabilities = clientProtocol41 | clientSSL | clientSecureConnection
        let numbers = [capabilities, 1 << 24].flatMap { number in
            (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        return [32, 0, 0, 1] + numbers + [utf8mb4] + [UInt8](repeating: 0, count: 23)
    }
}
