public import CheckModel
public import ErrorCatalogue
public import NetworkTypes
public import SocketIO

/// Runs a dialog over a connected socket.
///
/// It is an object because frames of functions that wait would otherwise contain copies of its members.
public final class DialogRunner {
    /// The steps that have begun so far.
    public private(set) var report = DialogReport()
    private let dialog: Dialog
    private let stream: DialogStream
    private let tls: (any DialogTLS)?
    private var memory: DialogMemory

    /// - Parameters:
    ///   - socket: its deadline ends the dialog.
    ///   - tls: for the step that starts TLS, and for a dialog within TLS; nil if there is neither.
    @inline(never)
    public init(
        _ dialog: Dialog, on socket: SocketStream, framing: MessageFraming, tls: (any DialogTLS)? = nil
    ) {
        self.dialog = dialog
        self.tls = tls
        stream = DialogStream(on: socket, framing: framing, tls: tls)
        memory = DialogMemory(dialog: dialog)
    }

    /// Runs the steps in order, until one fails or all are complete. Call it once.
    ///
    /// It does not wait after the last `send`: a dialog without an `expect` reports what the kernel said until then.
    /// - Parameter alreadySent: how many bytes of the first step were sent before (TCP Fast Open).
    public func run(alreadySent: Int = 0) async -> DialogOutcome {
        for index in dialog.steps.indices {
            let begin = Clock.now()
            let result = await run(index, alreadySent: index == 0 ? alreadySent : 0)
            note(result, of: index, since: begin)
            if let outcome = result.outcome { return outcome }
        }
        return .completed(hasReceived: stream.hasReceived)
    }

    private func run(_ index: Int, alreadySent: Int) async -> StepResult {
        switch dialog.steps[index] {
        case .expect(let pattern): await stream.expect(pattern)
        case .expectBytes(let bytes): await stream.expect(bytes)
        case .expectLine(let pattern, _): await stream.expectLine(pattern)
        case .expectExactly(let bytes): await stream.expectExactly(bytes)
        case .send, .sendBytes, .sendLine: await send(index, alreadySent: alreadySent)
        case .reject(let pattern): reject(pattern, step: index)
        case .startTLS: await startTLS()
        case .startTLSAgain: Self.startTLSAgain
        }
    }

    private func send(_ index: Int, alreadySent: Int) async -> StepResult {
        guard let bytes = bytesToSend(index) else {
            return StepResult(
                outcome: .mismatch(hasReceived: true),
                detail: "with its groups it has more than \(DialogLimits.filledSendBytes) bytes")
        }
        if case .sendLine = dialog.steps[index], bytes.isEmpty { return StepResult() }
        return await stream.send(bytes, from: min(alreadySent, bytes.count))
    }

    /// - Returns: nil if the groups make them more than a step may send.
    private func bytesToSend(_ index: Int) -> [UInt8]? {
        switch dialog.steps[index] {
        case .send(let template): return template.filled(with: memory.values)
        case .sendBytes(let bytes): return bytes
        case .sendLine(let template):
            guard let bytes = template.filled(with: memory.values) else { return nil }
            return bytes.isEmpty ? bytes : bytes + [UInt8(ascii: "\n")]
        case .expect, .expectBytes, .expectLine, .expectExactly, .reject, .startTLS, .startTLSAgain: return []
        }
    }

    private func reject(_ pattern: Pattern, step: Int) -> StepResult {
        stream.addReject(pattern, step: step)
        return StepResult()
    }

    private func startTLS() async -> StepResult {
        guard let tls else { preconditionFailure("a dialog with a starttls step needs TLS") }
        if let result = await stream.receiveGoAhead() { return result }
        if let injection = stream.injection { return StepResult(outcome: .handshake(.failed(injection))) }
        let outcome = await tls.start(on: stream.socket)
        guard outcome == .completed, tls.isEstablished else { return StepResult(outcome: .handshake(outcome)) }
        stream.switchToTLS()
        return StepResult()
    }

    private static var startTLSAgain: StepResult {
        var failure = TLSHandshakeFailure(.protocolViolation, message: "TLS has begun already")
        failure.subject = .preparation
        return StepResult(outcome: .handshake(.failed(failure)))
    }

    /// Adds a step that has ended to the report, and remembers its groups.
    ///
    /// If a rejected pattern matched, the step that rejects it has failed, not the step that waited.
    ///
    /// Not inlined: the frame of `run` would contain its temporaries while a step waits.
    @inline(never)
    private func note(_ result: StepResult, of index: Int, since begin: MonotonicTime) {
        if let rejecting = result.rejectingStep {
            report.steps[rejecting] = stream.report(of: dialog.steps[rejecting], result, since: begin)
            report.failedStep = rejecting
            return
        }
        var labels: [Label] = []
        switch dialog.steps[index] {
        case .expect(let pattern): noteMatch(result, of: pattern.groups, step: index)
        case .expectLine(let pattern, let templates):
            noteMatch(result, of: pattern.groups, step: index)
            if result.outcome == nil { labels = memory.filled(templates) }
        case .expectBytes, .expectExactly: stream.noteMatch(result)
        case .send, .sendBytes, .sendLine, .reject, .startTLS, .startTLSAgain: break
        }
        report.steps.append(stream.report(of: dialog.steps[index], result, since: begin))
        report.steps[index].labels = labels
        report.groups = memory.groups
        if let outcome = result.outcome, outcome != .handshake(.expectedAlert) { report.failedStep = index }
    }

    private func noteMatch(_ result: StepResult, of groups: PatternGroups, step: Int) {
        if let ranges = result.groups { memory.note(ranges, of: groups, step: step, in: stream.inbox.bytes) }
        stream.noteMatch(result)
    }
}

/// How a socket divides what is sent into messages.
public enum MessageFraming: Sendable {
    /// TCP, and UNIX stream sockets: not at all.
    case stream
    /// SOCK_SEQPACKET: each send is one packet; nothing means EOF.
    case packets
    /// Each send is one datagram, even an empty one. There is no EOF.
    case datagrams

    public init(_ kind: SocketKind) {
        switch kind {
        case .tcp, .mptcp, .unix(.stream): self = .stream
        case .unix(.seqpacket): self = .packets
        case .udp, .unix(.dgram): self = .datagrams
        }
    }
}

/// How a dialog ended.
public enum DialogOutcome: Hashable, Sendable {
    /// All steps are complete. `hasReceived`: the peer has sent something, at least an empty datagram.
    case completed(hasReceived: Bool)
    /// The deadline came, or what was received cannot match any more, or takes too long to match. `hasReceived` is false if
    /// the deadline came, and nothing was received since the last step that expected something.
    case mismatch(hasReceived: Bool)
    /// The deadline came before connectd had a thread to match with: nothing is known about the peer.
    case proberBusy
    /// The stream ended while a step expected something.
    case closed
    /// send(2) or recv(2) failed. The socket's error queue still has the ICMP message, if there was one.
    case failed(Errno)
    /// An alert, or a violation of TLS, after the handshake. Indirect, so that frames have room for a reference only.
    indirect case brokenTLS(TLSHandshakeFailure)
    /// The handshake of a step failed, or it ended the check with the expected alert.
    case handshake(TLSHandshakeOutcome)
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

/// The result of one step.
struct StepResult {
    /// nil if the step is complete.
    var outcome: DialogOutcome?
    /// Why it failed, if the outcome does not say it.
    var detail: String?
    /// Where the match of a step that expects ended.
    var end = 0
    /// The groups of the match, for a step with a pattern.
    var groups: [Range<Int>?]?
    /// The step whose pattern matched but must not; `outcome` is `rejected`.
    var rejectingStep: Int?
    /// How many bytes a step that sends has sent.
    var sentCount = 0
}

/// Bytes from the network as text for a result.
enum PrintableBytes {
    /// The first 1 KiB: unchanged if the bytes are UTF-8, else with `\xNN`, `\\`, `\r`, `\n` and `\t`.
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
