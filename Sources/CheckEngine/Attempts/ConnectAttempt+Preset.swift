internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import Presets
internal import SocketIO

// The question of a preset. Its results have the phase `dialog`.
extension ConnectAttempt {
    /// Asks the question, which is a new one for each attempt.
    /// - Returns: whether an answer came.
    func runPreset(on socket: borrowing Socket, _ stream: SocketStream, into record: AttemptRecord) async -> Bool {
        guard let exchange = presetExchange(on: stream) else { return true }
        let begin = Clock.now()
        note(await exchange.run(), of: socket, since: begin, into: record)
        return record.result.error == nil
    }

    @inline(never)
    private func presetExchange(on stream: SocketStream) -> PresetExchange? {
        guard let preset = plan.request.preset, case .ip(let endpoint) = endpoint else { return nil }
        return PresetExchange(preset.question(port: endpoint.port), on: stream)
    }

    @inline(never)
    private func note(
        _ outcome: PresetExchange.Outcome, of socket: borrowing Socket, since begin: MonotonicTime,
        into record: AttemptRecord
    ) {
        var report: PhaseReport?
        switch outcome {
        case .answered(let answer):
            record.result.outcome = .answered
            report = .answer(answer)
        case .mismatch(let flaw, let received):
            let name = plan.request.preset?.rawValue ?? ""
            let mismatch = Classifier.presetMismatch(name, flaw: flaw.detail, received: received)
            enter(mismatch, in: .dialog, into: record)
        case .deadline where lacksTime(in: .dialog, record):
            enter(Classifier.report(for: .proberBusy), in: .dialog, into: record)
        case .deadline:
            enter(
                Classifier.deadlineReport(in: plan.circumstances(in: .dialog, of: endpoint)), in: .dialog, into: record)
        case .failed(let error): noteFailure(error, of: socket, in: .dialog, into: record)
        case .cancelled: noteCancelled(into: record, in: .dialog)
        }
        record.phases.append(PhaseOutcome(.dialog, nanoseconds: Clock.now().since(begin), report: report))
    }
}
