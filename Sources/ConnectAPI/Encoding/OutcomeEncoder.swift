internal import CheckModel
internal import StrictJSON

/// Writes how a check or an attempt ended: `outcome` and `phase`.
enum OutcomeEncoder {
    static func write(_ outcome: Outcome, _ phase: Phase, to writer: inout JSONWriter) {
        if outcome == .connected, phase == .done {
            writer.piece("\"outcome\":\"connected\",\"phase\":\"done\",")
        } else {
            writer.member("outcome")
            writer.string(outcome.word)
            writer.member("phase")
            writer.string(phase.rawValue)
        }
    }
}
