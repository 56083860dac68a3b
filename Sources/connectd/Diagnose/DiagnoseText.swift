import Diagnosis

/// Formats a diagnosis as text: the sentence, then what it rests on.
struct DiagnoseText {
    let palette: Palette

    func text(_ report: DiagnosisReport) -> String {
        var lines = [painted(report)]
        if report.verdict != .ok {
            lines.append("  verdict: \(report.verdict.rawValue), \(report.confidence.rawValue)")
        }
        lines += section("findings", report.findings.map { line(for: $0) })
        lines += section("ruled out", ruledOut(report.ruledOut))
        lines += section("next", report.next.map { "\(location(of: $0)): \($0.command)   # \($0.why)" })
        return lines.joined(separator: "\n")
    }

    private func painted(_ report: DiagnosisReport) -> String {
        let sentence = TerminalText.clean(report.sentence)
        switch report.verdict {
        case .ok: return palette.good(sentence)
        case .unknown: return palette.pending(sentence)
        case .target, .network, .prober, .resolver, .request: return palette.bad(sentence)
        }
    }

    private func section(_ title: String, _ entries: [String]) -> [String] {
        guard !entries.isEmpty else { return [] }
        return ["  \(title):"] + entries.map { "    - \(TerminalText.clean($0))" }
    }

    private func line(for finding: Finding) -> String {
        let evidence = finding.evidence.members.compactMap { member in
            finding.evidence.text(member.name).map { "\(member.name)=\($0)" }
        }
        return evidence.isEmpty ? finding.observation : "\(finding.observation) [\(evidence.joined(separator: ", "))]"
    }

    /// Causes with the same reason are on one line.
    private func ruledOut(_ entries: [RuledOutCause]) -> [String] {
        var reasons: [String] = []
        for entry in entries where !reasons.contains(entry.because) { reasons.append(entry.because) }
        return reasons.map { reason in
            let causes = entries.filter { $0.because == reason }.map { title(of: $0.cause) }
            return "\(causes.joined(separator: ", ")): \(reason)"
        }
    }

    private func title(of cause: Cause) -> String {
        cause.rawValue.split(separator: "_").joined(separator: " ")
    }

    private func location(of command: NextCommand) -> String {
        switch command.location {
        case .here: "here"
        case .target: "on the target"
        case .path: "on the path"
        }
    }
}
