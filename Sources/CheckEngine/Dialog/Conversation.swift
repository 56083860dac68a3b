internal import CheckModel
internal import SocketIO

/// Holds a dialog over a connected socket.
struct Conversation {
    let dialog: Dialog

    /// Runs the steps in order, until one fails or all are done, on the caller's actor.
    ///
    /// Behind the last `send` nothing is waited for: a dialog that expects nothing says what the kernel said until then.
    /// - Parameter socket: connected and non-blocking.
    /// - Parameter token: the socket's place in the reactor, for readable and writable.
    /// - Parameter isDatagram: each `send` is one datagram, even an empty one; what comes is put together for matching.
    /// - Parameter alreadySent: how many bytes of the first step have left (TCP fast open).
    /// - Parameter deadline: for the whole conversation.
    /// - Returns: the steps that were begun, and how the last of them ended.
    func run(
        on socket: borrowing Socket, token: SlotToken, reactor: Reactor, isDatagram: Bool, alreadySent: Int = 0,
        until deadline: MonotonicTime
    ) async -> (DialogReport, DialogEnding) {
        var report = DialogReport()
        var line = Line(reactor: reactor, token: token, deadline: deadline, kind: socket.kind, isDatagram: isDatagram)
        var memory = DialogMemory(dialog: dialog)
        for (index, step) in dialog.steps.enumerated() {
            let begin = Clock.now()
            var result = StepResult()
            switch step {
            case .expect(let pattern):
                result = await line.expect(pattern, on: socket)
                if let groups = result.groups { memory.note(groups, of: pattern, step: index, in: line.inbox.bytes) }
                if result.ending == nil { line.inbox.consume(to: result.end) }
            case .expectBytes(let bytes):
                result = await line.expect(bytes, on: socket)
                if result.ending == nil { line.inbox.consume(to: result.end) }
            case .send(let template):
                result = await send(template.filled(with: memory.values), index, alreadySent, on: socket, &line)
            case .sendBytes(let bytes):
                result = await send(bytes, index, alreadySent, on: socket, &line)
            case .reject, .startTLS: break
            }
            report.steps.append(line.report(of: step, result, since: begin))
            if let ending = result.ending {
                report.failedStep = index
                report.groups = memory.groups
                return (report, ending)
            }
        }
        report.groups = memory.groups
        return (report, .completed(heard: line.heard))
    }

    private func send(
        _ bytes: [UInt8]?, _ index: Int, _ alreadySent: Int, on socket: borrowing Socket, _ line: inout Line
    ) async -> StepResult {
        guard let bytes else {
            return StepResult(
                ending: .mismatch(heard: line.heard),
                detail: "with its groups it has more than \(DialogLimits.filledSendBytes) bytes")
        }
        return await line.send(bytes, from: index == 0 ? min(alreadySent, bytes.count) : 0, on: socket)
    }
}
