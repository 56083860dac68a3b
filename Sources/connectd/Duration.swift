import ArgumentParser

/// A time on the command line: `500ms`, `5s`, `1m`.
struct Duration: CustomStringConvertible {
    /// 1 … 60000.
    let milliseconds: Int

    init(milliseconds: Int) {
        self.milliseconds = milliseconds
    }

    init(parsing text: String) throws {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let factors = ["ms": 1, "s": 1000, "m": 60_000]
        guard let number = Int(digits), let factor = factors[String(text.dropFirst(digits.count))],
            number <= 60_000, (1...60_000).contains(number * factor)
        else {
            throw ValidationError("\"\(text)\" is no time from 1ms to 60s with its unit (ms, s, m)")
        }
        milliseconds = number * factor
    }

    var description: String {
        milliseconds.isMultiple(of: 1000) ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }
}
