/// The SSLRequest packet of MySQL's and MariaDB's protocol 4.1 ("Connection Phase" in their manuals).
///
/// The server sends a greeting. It does not answer our packet: the ClientHello follows the packet directly.
struct MySQLNegotiation: StartTLSNegotiation {
    private static let clientProtocol41: UInt32 = 0x200
    private static let clientSSL: UInt32 = 0x800
    private static let clientSecureConnection: UInt32 = 0x8000
    private static let utf8mb4: UInt8 = 45

    private var hasAsked = false

    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction {
        if hasAsked { return .ready }
        // The length in three bytes, lowest first, and the packet's number.
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
        // ERR_Packet: an error number of two bytes and a text. The host is blocked, or there are too many connections.
        case 0xFF: return Self.refusal(packet.dropFirst())
        case 10: break
        case _: return .refused("this is not MySQL's protocol 10", packet)
        }
        // The version up to a zero, 4 bytes of thread ID, 8 of authentication data, a filler, then the capabilities.
        guard let end = packet.firstIndex(of: 0), packet.endIndex - end >= 16 else {
            return .refused("this is not MySQL", packet)
        }
        let version = packet[packet.startIndex..<end].dropFirst()
        let capabilities = UInt32(packet[end + 14]) | UInt32(packet[end + 15]) << 8
        guard capabilities & Self.clientSSL != 0 else { return .refused("it does not offer TLS", version, .notOffered) }
        hasAsked = true
        return .send(Self.request)
    }

    /// - Parameter error: the number, lowest byte first, an optional `#` with an SQLSTATE, and the text.
    private static func refusal(_ error: ArraySlice<UInt8>) -> StartTLSAction {
        guard error.count >= 2 else { return .refused("the greeting refuses us", error, .service(isTemporary: false)) }
        let number = Int(error[error.startIndex]) | Int(error[error.startIndex + 1]) << 8
        var text = error.dropFirst(2)
        if text.first == UInt8(ascii: "#"), text.count >= 6 { text = text.dropFirst(6) }
        let isTemporary =
            passingErrors.contains(number)
            || !lastingErrors.contains(number) && RefusalText.isTemporary(text)
        return .refused("the greeting refuses us with error \(number)", text, .service(isTemporary: isTemporary))
    }

    /// Too many connections (in total, or of this user), no memory, no thread, shutdown, or a limit of an account.
    private static let passingErrors: Set<Int> = [1040, 1041, 1053, 1135, 1152, 1158, 1159, 1160, 1161, 1203, 1226]
    /// The host is blocked until an administrator unblocks it, or is not allowed, or access is denied.
    private static let lastingErrors: Set<Int> = [1044, 1045, 1129, 1130, 1698]

    /// 32 bytes as packet 1: the capabilities, the largest packet (16 MiB), the character set, and zeros.
    private static var request: [UInt8] {
        let capabilities = clientProtocol41 | clientSSL | clientSecureConnection
        let numbers = [capabilities, 1 << 24].flatMap { number in
            (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        return [32, 0, 0, 1] + numbers + [utf8mb4] + [UInt8](repeating: 0, count: 23)
    }
}
