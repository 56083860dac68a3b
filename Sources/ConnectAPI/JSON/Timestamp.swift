package import StrictJSON

/// RFC 3339 timestamps in UTC.
package enum Timestamp {
    /// Writes `2026-01-01T00:00:00.000Z` as a value. The fraction is truncated, so that no timestamp is in the future.
    package static func write(nanosecondsSince1970: Int64, to writer: inout JSONWriter) {
        writer.plainString(atMost: size) { put(nanosecondsSince1970, at: $0) }
    }

    /// Writes `2026-01-01T00:00:00Z` as a value, for sources without a fraction, such as certificates.
    ///
    /// A year without four digits becomes the nearest year with four.
    static func write(secondsSince1970: Int64, to writer: inout JSONWriter) {
        let seconds = min(max(secondsSince1970, firstSecond), lastSecond)
        writer.plainString(atMost: wholeSize) { putSeconds(seconds, then: "Z", at: $0) }
    }

    /// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
    private static let firstSecond: Int64 = -62_167_219_200
    private static let lastSecond: Int64 = 253_402_300_799

    /// The date as text: `2026-01-01`.
    package static func day(secondsSince1970: Int64) -> String {
        let seconds = min(max(secondsSince1970, firstSecond), lastSecond)
        let text = String(unsafeUninitializedCapacity: wholeSize) { memory in
            memory.baseAddress.map { putSeconds(seconds, then: "Z", at: $0) } ?? 0
        }
        return String(text.prefix(10))
    }

    /// The timestamp with milliseconds, as text.
    package static func text(nanosecondsSince1970: Int64) -> String {
        String(unsafeUninitializedCapacity: size) { memory in
            memory.baseAddress.map { put(nanosecondsSince1970, at: $0) } ?? 0
        }
    }

    private static let size = 24
    private static let wholeSize = 20

    private static func put(_ nanosecondsSince1970: Int64, at memory: UnsafeMutablePointer<UInt8>) -> Int {
        let (seconds, nanoseconds) = divide(nanosecondsSince1970, by: 1_000_000_000)
        _ = putSeconds(seconds, then: ".", at: memory)
        write(nanoseconds / 1_000_000, 3, at: 20, then: "Z", to: memory)
        return size
    }

    private static func putSeconds(
        _ seconds: Int64, then separator: Unicode.Scalar, at memory: UnsafeMutablePointer<UInt8>
    ) -> Int {
        let (days, secondOfDay) = divide(seconds, by: 86400)
        let (year, month, day) = civilDate(daysSince1970: days)
        write(year, 4, at: 0, then: "-", to: memory)
        write(month, 2, at: 5, then: "-", to: memory)
        write(day, 2, at: 8, then: "T", to: memory)
        write(secondOfDay / 3600, 2, at: 11, then: ":", to: memory)
        write(secondOfDay / 60 % 60, 2, at: 14, then: ":", to: memory)
        write(secondOfDay % 60, 2, at: 17, then: separator, to: memory)
        return wholeSize
    }

    /// Quotient and remainder; the remainder is never negative.
    private static func divide(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// The Gregorian date of a day. Years are counted from March, so that the leap day comes last.
    private static func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // 719,468 days from 0000-03-01 to 1970-01-01; 400 years have 146,097 days.
        let (era, dayOfEra) = divide(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    }

    private static func write(
        _ value: Int64, _ width: Int, at start: Int, then separator: Unicode.Scalar,
        to memory: UnsafeMutablePointer<UInt8>
    ) {
        var rest = value
        for position in (start..<start + width).reversed() {
            memory[position] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        memory[start + width] = UInt8(ascii: separator)
    }
}
