import ArgumentParser

/// A time on the command line: `500ms`, `5s`, `1m`, `1h`.
struct Duration: CustomStringConvertible {
    let milliseconds: Int

    init(milliseconds: Int) {
        self.milliseconds = milliseconds
    }

    /// The time that one check may take: 1 … 60000 ms.
    init(parsing text: String) throws {
        guard let time = Self.read(text), (1...60_000).contains(time) else {
            throw ValidationError("\"\(text)\" is not a duration from 1ms to 60s with a unit (ms, s, m)")
        }
        milliseconds = time
    }

    /// A time to wait: up to a day, and 0 with a unit or without one.
    init(parsingWait text: String) throws {
        guard let time = text == "0" ? 0 : Self.read(text), (0...86_400_000).contains(time) else {
            throw ValidationError("\"\(text)\" is not a duration from 0 to 24h with a unit (ms, s, m, h)")
        }
        milliseconds = time
    }

    private static let factors = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000]

    /// nil for what is no time, or more milliseconds than can be counted.
    private static func read(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), let factor = factors[String(text.dropFirst(digits.count))] else { return nil }
        let (product, isTooLarge) = number.multipliedReportingOverflow(by: factor)
        return isTooLarge ? nil : product
    }

    var description: String {
        milliseconds.isMultiple(of: 1000) ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}
