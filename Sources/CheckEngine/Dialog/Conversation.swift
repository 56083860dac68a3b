internal import CheckModel
internal import SocketIO
internal import TLSClient

/// Holds a dialog over a connected socket.
struct Conversation {
    let dialog: Dialog
    /// Begins TLS at the step that asks for it; nil where none does and none was begun before.
    var security: AttemptTLS?

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
        var line = Line(
            reactor: reactor, token: token, deadline: deadline, kind: socket.kind, isDatagram: isDatagram,
            channel: security?.channel)
        var memory = DialogMemory(dialog: dialog)
        for (index, step) in dialog.steps.enumerated() {
            let begin = Clock.now()
            var result = StepResult()
            switch step {
            case .expect(let pattern):
                result = await line.expect(pattern, on: socket)
                if let groups = result.groups {
                    memory.note(groups, of: pattern.groups, step: index, in: line.inbox.bytes)
                }
                line.meet(result)
            case .expectBytes(let bytes):
                result = await line.expect(bytes, on: socket)
                line.meet(result)
            case .expectLine(let pattern, _):
                result = await line.expectLine(pattern, on: socket)
                if let groups = result.groups {
                    memory.note(groups, of: pattern.groups, step: index, in: line.inbox.bytes)
                }
                line.meet(result)
            case .expectExactly(let bytes):
                result = await line.expectExactly(bytes, on: socket)
                line.meet(result)
            case .send(let template):
                result = await send(template.filled(with: memory.values), index, alreadySent, on: socket, &line)
            case .sendBytes(let bytes):
                result = await send(bytes, index, alreadySent, on: socket, &line)
            case .sendLine(let template):
                result = await sendLine(template.filled(with: memory.values), index, on: socket, &line)
            case .reject(let pattern):
                line.arm(pattern, step: index)
            case .startTLS:
                result = await startTLS(on: socket, &line)
            case .startTLSAgain:
                result = Self.startTLSAgain
            }
            note(result, of: index, since: begin, in: &report, &line)
            if case .expectLine(_, let labels) = step, result.ending == nil {
                report.steps[index].labels = memory.filled(labels)
            }
            if let ending = result.ending {
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
                ending: .mismatch(heard: true),
                detail: "with its groups it has more than \(DialogLimits.filledSendBytes) bytes")
        }
        return await line.send(bytes, from: index == 0 ? min(alreadySent, bytes.count) : 0, on: socket)
    }

    private func sendLine(
        _ bytes: [UInt8]?, _ index: Int, on socket: borrowing Socket, _ line: inout Line
    ) async -> StepResult {
        guard bytes?.isEmpty != true else { return StepResult() }
        return await send(bytes.map { $0 + [UInt8(ascii: "\n")] }, index, 0, on: socket, &line)
    }

    private func startTLS(on socket: borrowing Socket, _ line: inout Line) async -> StepResult {
        guard let security else { preconditionFailure("a dialog with a starttls step is held without TLS") }
        if let result = await line.hearGoAhead(on: socket) { return result }
        if let injection = line.injection { return StepResult(ending: .handshake(.failed(injection))) }
        let ending = await security.begin(on: socket, token: line.token)
        guard ending == .completed, let channel = security.channel else {
            return StepResult(ending: .handshake(ending))
        }
        line.secure(by: channel)
        return StepResult()
    }

    private static var startTLSAgain: StepResult {
        var failure = TLSHandshakeFailure(.protocolViolation, message: "TLS has begun already")
        failure.subject = .preparation
        return StepResult(ending: .handshake(.failed(failure)))
    }

    /// Adds a step that has ended to the report. What was rejected is told of the step that rejects it: the one that was
    /// waiting then has neither failed nor been met.
    private func note(
        _ result: StepResult, of index: Int, since begin: MonotonicTime, in report: inout DialogReport,
        _ line: inout Line
    ) {
        if let rejecting = result.rejectingStep {
            report.steps[rejecting] = line.report(of: dialog.steps[rejecting], result, since: begin)
            report.failedStep = rejecting
            return
        }
        report.steps.append(line.report(of: dialog.steps[index], result, since: begin))
        if result.ending != nil, result.ending != .handshake(.expectedAlert) { report.failedStep = index }
    }
}
