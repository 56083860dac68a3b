import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import TLS

/// Holds a dialog over a connected socket.
struct Conversation {
    let dialog: Dialog
    /// Begins TLS at the step that asks for it; nil where none does and none was begun before.
    var tlsAttempt: TLSAttempt?

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
            channel: tlsAttempt?.channel)
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
        guard let tlsAttempt else { preconditionFailure("a dialog with a starttls step is held without TLS") }
        if let result = await line.hearGoAhead(on: socket) { return result }
        if let injection = line.injection { return StepResult(ending: .handshake(.failed(injection))) }
        let ending = await tlsAttempt.begin(on: socket, token: line.token)
        guard ending == .completed, let channel = tlsAttempt.channel else {
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

/// How a conversation ended.
enum DialogEnding: Hashable, Sendable {
    /// Every step is done. `heard`: the peer has said something, if only an empty datagram.
    case completed(heard: Bool)
    /// The deadline came, or what came cannot match any more, or costs too much to match. `heard` is false if the deadline
    /// came and no byte arrived since the last step that expected something.
    case mismatch(heard: Bool)
    /// The deadline came before the prober had a thread to match with: nothing is known of the peer.
    case proberBusy
    /// The stream ended while a step expected something.
    case closed
    /// send(2) or recv(2) failed. ICMP messages behind it are in the socket's error queue still.
    case failed(Errno)
    /// An alert, or a breach of TLS, behind its handshake.
    case brokenTLS(TLSHandshakeFailure)
    /// The handshake of a step was not completed, or it ended the check with the alert that was expected.
    case handshake(TLSHandshakeEnding)
    /// A pattern matched that a step rejects.
    case rejected
    /// The task was cancelled.
    case cancelled

    init(_ error: TLSTransferError) {
        switch error {
        case .kernel(let error): self = .failed(error)
        case .tls(let failure): self = .brokenTLS(failure)
        }
    }
}

/// What came of one step.
struct StepResult {
    /// nil: the step is done.
    var ending: DialogEnding?
    /// Why it failed, where the ending does not tell.
    var detail: String?
    /// Where the match ended, of a step that expects.
    var end = 0
    /// The groups of the match, of a step with a pattern.
    var groups: [Range<Int>?]?
    /// The step whose pattern matched although it must not; `ending` is `rejected`.
    var rejectingStep: Int?
    /// How much was sent, of a step that sends.
    var sentCount = 0
}

/// Bytes from the network as text of a result.
enum PrintableBytes {
    /// The first 1 KiB as it is where the bytes are UTF-8, else with `\xNN`, `\\`, `\r`, `\n` and `\t`.
    static func text(_ bytes: ArraySlice<UInt8>) -> String {
        var cut = bytes.prefix(DialogLimits.shownBytes)
        if String(validating: bytes, as: UTF8.self) != nil {
            while cut.endIndex < bytes.endIndex, bytes[cut.endIndex] & 0xC0 == 0x80 { cut.removeLast() }
            return String(decoding: cut, as: UTF8.self)
        }
        return cut.reduce(into: "") { $0 += escape($1) }
    }

    private static func escape(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\\"): "\\\\"
        case UInt8(ascii: "\r"): "\\r"
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\t"): "\\t"
        case 0x20...0x7E: String(UnicodeScalar(byte))
        case _: (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16, uppercase: true)
        }
    }
}
