import CheckModel
import ConnectAPI
import NetworkTypes

/// Formats the answer to a preset as text.
enum HumanAnswer {
    private static let shownItems = 4

    /// One line, with texts of the peer in it.
    static func line(for answer: PresetAnswer) -> String {
        let said =
            switch answer.content {
            case .dns(let answer): parts(of: answer)
            case .ntp(let answer): parts(of: answer)
            case .stun(let answer): parts(of: answer)
            case .snmp(let answer): parts(of: answer)
            case .ike(let answer): parts(of: answer)
            case .quic(let answer): ["versions \(list(answer.versions.map(HexText.version)))"]
            }
        return (["\(answer.preset.rawValue): \(said[0])"] + said.dropFirst() + ["\(answer.byteCount) bytes"])
            .joined(separator: ", ")
    }

    private static func parts(of answer: DNSAnswer) -> [String] {
        let flags = [
            answer.isAuthoritative ? "authoritative" : nil, answer.isTruncated ? "truncated" : nil,
            answer.isRecursionAvailable ? "recursion available" : nil,
        ]
        let count = answer.answerCount == 1 ? "1 answer" : "\(answer.answerCount) answers"
        return [answer.responseCodeName, count] + flags.compactMap { $0 }
    }

    private static func parts(of answer: NTPAnswer) -> [String] {
        if let code = answer.kissCode { return ["stratum 0", "kiss code \(code)"] }
        guard answer.leap != 3, answer.stratum > 0 else { return ["the clock is not synchronized"] }
        let offset = answer.measurement.map { measurement in
            let error = HumanReport.milliseconds(measurement.delayNanoseconds / 2)
            return "offset \(signed(measurement.offsetNanoseconds)) ± \(error)"
        }
        return ["stratum \(answer.stratum)", answer.referenceID.map { "reference \($0)" }, offset].compactMap { $0 }
    }

    private static func signed(_ nanoseconds: Int64) -> String {
        (nanoseconds < 0 ? "-" : "+") + HumanReport.milliseconds(abs(nanoseconds))
    }

    private static func parts(of answer: STUNAnswer) -> [String] {
        let result =
            answer.errorCode.map { code in
                "error \(code)" + (answer.reason.map { " \"\(HumanTLS.printable($0))\"" } ?? "")
            }
            ?? answer.mappedAddress.map { "this prober is \(HumanReport.text($0))" } ?? "no mapped address"
        return [result, answer.software.map { "software \"\(HumanTLS.printable($0))\"" }].compactMap { $0 }
    }

    private static func parts(of answer: SNMPAnswer) -> [String] {
        [
            "engine \(HexText.text(answer.engineID))", "\(answer.engineBoots) boots",
            "up \(ValidityText.span(Int64(answer.engineTimeSeconds)))",
        ]
    }

    private static func parts(of answer: IKEAnswer) -> [String] {
        let names = answer.notifications.map { $0.name ?? "notification \($0.type)" }
        let verdict = answer.acceptsProposal ? "accepts the proposal" : list(names)
        return [verdict] + (answer.acceptsProposal && !names.isEmpty ? [list(names)] : [])
    }

    private static func list(_ items: [String]) -> String {
        let rest = items.count - shownItems
        return items.prefix(shownItems).joined(separator: " ") + (rest > 0 ? " and \(rest) more" : "")
    }
}
