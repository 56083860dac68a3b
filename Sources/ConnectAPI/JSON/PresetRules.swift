internal import CheckModel
internal import NetworkTypes

/// Rules for `preset` and `quic://` together with other members.
enum PresetRules {
    static func flaws(of request: CheckRequest) -> [ConsistencyRules.Flaw] {
        guard let preset = request.preset else { return [] }
        let target = request.target
        guard case .udp = target.peer else {
            let text = QuotedText.text(target.text)
            return [flaw(["preset"], "requires a UDP target: write udp://host:port, got \(text)")]
        }
        var flaws: [ConsistencyRules.Flaw] = []
        if target.impliesQUIC, preset != .quic {
            flaws.append(
                flaw(["preset"], "must be quic for a quic:// target: write udp:// for the preset \(preset.rawValue)"))
        }
        if !request.dialog.isEmpty {
            flaws.append(
                target.impliesQUIC
                    ? flaw(["dialog"], "excludes a quic:// target, which has the preset quic: write udp://")
                    : flaw(["dialog"], "excludes preset, which is a question of its own: omit one of them"))
        }
        return flaws
    }

    private static func flaw(_ path: [String], _ detail: String) -> ConsistencyRules.Flaw {
        ConsistencyRules.Flaw(path, detail)
    }
}
