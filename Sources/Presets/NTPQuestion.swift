internal import CheckModel

/// RFC 5905: version 4, mode client. The answer has mode server, and our transmit timestamp as its origin.
///
/// The timestamp is random: it identifies the question, and says nothing about the prober's clock.
struct NTPQuestion: PresetQuestion {
    let bytes: [UInt8]
    private let transmitTimestamp: ArraySlice<UInt8>

    init(using generator: inout some RandomNumberGenerator) {
        bytes = [0x23] + [UInt8](repeating: 0, count: 39) + generator.bytes(8)
        transmitTimestamp = bytes.suffix(8)
    }

    func content(of datagram: [UInt8], _ times: ExchangeTimes) throws(AnswerFlaw) -> PresetAnswer.Content {
        var reader = ByteReader(datagram)
        let first = try reader.byte()
        guard first & 7 == 4 else { throw AnswerFlaw("is not in the mode of a server") }
        let version = first >> 3 & 7
        guard 1...4 ~= version else { throw AnswerFlaw("has the unknown version \(version)") }
        let stratum = try reader.byte()
        try reader.skip(1)
        let precision = Int8(bitPattern: try reader.byte())
        let rootDelay = try reader.uint32()
        let rootDispersion = try reader.uint32()
        let reference = Array(try reader.bytes(4))
        try reader.skip(8)
        guard try reader.bytes(8) == transmitTimestamp else { throw AnswerFlaw("has another origin timestamp") }
        let server = ServerTimes(receive: try reader.uint64(), transmit: try reader.uint64())
        let isSynchronized = first >> 6 != 3 && 1...15 ~= stratum
        return .ntp(
            NTPAnswer(
                version: version, leap: first >> 6, stratum: stratum, precision: precision,
                rootDelayNanoseconds: Self.nanoseconds(short: rootDelay),
                rootDispersionNanoseconds: Self.nanoseconds(short: rootDispersion),
                referenceID: stratum == 0 ? nil : Self.referenceID(reference, stratum: stratum),
                kissCode: stratum == 0 ? Self.text(reference) : nil,
                measurement: isSynchronized ? server.measurement(times) : nil))
    }

    /// 16 bits of seconds and 16 bits of fraction.
    private static func nanoseconds(short: UInt32) -> Int64 { (Int64(short) * 1_000_000_000) >> 16 }

    private static func referenceID(_ bytes: [UInt8], stratum: UInt8) -> String {
        if stratum == 1, let text = text(bytes) { return text }
        return bytes.map(String.init).joined(separator: ".")
    }

    /// Up to four visible ASCII characters, filled up with zeros; nil for anything else.
    private static func text(_ bytes: [UInt8]) -> String? {
        let text = bytes.prefix { $0 != 0 }
        let isText = text.allSatisfy { 0x21...0x7E ~= $0 } && bytes.dropFirst(text.count).allSatisfy { $0 == 0 }
        return text.isEmpty || !isText ? nil : String(decoding: text, as: UTF8.self)
    }
}

/// The timestamps of a server: 32 bits of seconds, which start again at zero every 136 years, and 32 bits of fraction.
private struct ServerTimes {
    let receive: UInt64
    let transmit: UInt64

    /// - Returns: nil if the timestamps cannot be right.
    func measurement(_ times: ExchangeTimes) -> NTPAnswer.Measurement? {
        let sent = Self.timestamp(times.sentNanoseconds)
        let received = Self.timestamp(times.receivedNanoseconds)
        let processing = Self.nanoseconds(from: receive, to: transmit)
        let delay = Self.nanoseconds(from: sent, to: received) - processing
        guard receive != 0, transmit != 0, processing >= 0, delay >= 0 else { return nil }
        let offset = (Self.nanoseconds(from: sent, to: receive) + Self.nanoseconds(from: received, to: transmit)) / 2
        return NTPAnswer.Measurement(offsetNanoseconds: offset, delayNanoseconds: delay)
    }

    /// The seconds from 1900 to 1970.
    private static let secondsToUnixEpoch: UInt64 = 2_208_988_800

    private static func timestamp(_ nanoseconds: Int64) -> UInt64 {
        let (seconds, fraction) = UInt64(max(nanoseconds, 0)).quotientAndRemainder(dividingBy: 1_000_000_000)
        return (seconds + secondsToUnixEpoch) << 32 | (fraction << 32) / 1_000_000_000
    }

    /// At most 68 years, so that the sum of two of them fits.
    private static func nanoseconds(from: UInt64, to: UInt64) -> Int64 {
        let difference = Int64(bitPattern: to &- from)
        return (difference >> 32) * 1_000_000_000 + (((difference & 0xFFFF_FFFF) * 1_000_000_000) >> 32)
    }
}
