import CheckModel

/// Performance data of monitoring plugins: `'label'=value[unit];[warn];[crit];[min];[max]`.
///
/// What did not connect has no time: it would say nothing about the target.
struct NagiosPerformance {
    let limits: NagiosLimits
    /// With several targets the labels carry their names.
    let labelsTarget: Bool

    func data(of result: CheckResult, _ request: CheckRequest) -> [String] {
        let hasTime = result.outcome.isSuccess && !result.isUnverified(request)
        return [hasTime ? time(of: result, request) : nil, days(of: result, request)].compactMap { $0 }
    }

    private func time(of result: CheckResult, _ request: CheckRequest) -> String {
        let limits = [limits.warning, limits.critical].map { $0.map { Self.seconds($0.milliseconds) } ?? "" }
        let value = Self.seconds(microseconds: result.timings.total / 1000)
        let most = Self.seconds(request.timeoutMilliseconds)
        return "\(label("time", request))=\(value)s;\(limits[0]);\(limits[1]);0;\(most)"
    }

    /// The ranges end in a colon: fewer are beyond them.
    private func days(of result: CheckResult, _ request: CheckRequest) -> String? {
        guard let seconds = NagiosLimits.secondsLeft(of: result) else { return nil }
        let limits = [limits.warningDays, limits.criticalDays].map { $0.map { "\($0):" } ?? "" }
        return "\(label("days", request))=\(NagiosLimits.days(seconds));\(limits[0]);\(limits[1]);;"
    }

    /// Quotation marks are doubled; an equals sign cannot stand in a label. Scalar by scalar: an accent hides none of them.
    private func label(_ name: String, _ request: CheckRequest) -> String {
        guard labelsTarget else { return name }
        let target = request.target.text.unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
            switch scalar {
            case "'": ["'", "'"]
            case "=", "|": ["_"]
            case _: scalar.endsLine ? ["_"] : [scalar]
            }
        }
        return "'\(String(String.UnicodeScalarView(target))) \(name)'"
    }

    /// Without needless zeros: `0.2`, `5`.
    private static func seconds(_ milliseconds: Int) -> String {
        let text = decimal(milliseconds, places: 3)
        let end = text.lastIndex { $0 != "0" } ?? text.startIndex
        return text[end] == "." ? String(text[..<end]) : String(text[...end])
    }

    private static func seconds(microseconds: Int64) -> String { decimal(Int(microseconds), places: 6) }

    private static func decimal(_ value: Int, places: Int) -> String {
        let digits = String(value)
        let padded = String(repeating: "0", count: max(places + 1 - digits.count, 0)) + digits
        return "\(padded.dropLast(places)).\(padded.suffix(places))"
    }
}
