import CheckModel
@testable import Dialog
import NetworkTypes
import SocketIO
import TestSupport
import Testing

/// The result of a dialog.
struct DialogRun: Sendable {
    let report: DialogReport
    let outcome: DialogOutcome

    var received: [String] { report.steps.map { String(decoding: $0.received ?? [], as: UTF8.self) } }
    func group(_ name: String) -> String? { report.groups.first { $0.name == name }?.value }
}

/// Runs a dialog with a peer, on a reactor with its own thread.
func runDialog(
    _ steps: [DialogStep], with endpoint: Endpoint, isDatagram: Bool = false, milliseconds: Int = 5000,
    alreadySent: Int = 0, cancelsAfter cancelMilliseconds: Int? = nil,
    tls: (@Sendable () -> any DialogTLS)? = nil
) async throws -> DialogRun {
    let dialog = try Dialog(steps: steps)
    let reactor = try Reactor(thread: ReactorThread(index: 0))
    let thread = try WorkerThread(running: reactor)
    let task = Task(executorPreference: reactor.thread) {
        let socket = try Socket(isDatagram ? .udp(.ipv4) : .tcp(.ipv4))
        try BlockingConnect.connect(socket, to: endpoint, timeoutMilliseconds: 5000)
        if alreadySent > 0, case .send(let text) = steps[0] {
            _ = try socket.send(Array(text.utf8).prefix(alreadySent))
        }
        let token = try reactor.addOnThread(socket.number, for: .anything)
        defer { reactor.removeOnThread(token) }
        let stream = SocketStream(
            on: socket.number, token: token, reactor: reactor,
            until: Clock.now().advanced(byMilliseconds: milliseconds))
        let runner = DialogRunner(dialog, on: stream, framing: MessageFraming(socket.kind), tls: tls?())
        let outcome = await runner.run(alreadySent: alreadySent)
        return DialogRun(report: runner.report, outcome: outcome)
    }
    if let cancelMilliseconds {
        try await Task.sleep(for: .milliseconds(cancelMilliseconds))
        task.cancel()
    }
    let result = await task.result
    thread.stopAndJoin()
    return try result.get()
}

/// Runs a dialog over TCP with a peer that follows a script.
func runDialog(
    _ steps: [DialogStep], milliseconds: Int = 5000, alreadySent: Int = 0, cancelsAfter: Int? = nil,
    tls: (@Sendable () -> any DialogTLS)? = nil, script: @escaping @Sendable (DialogPeer) -> Void
) async throws -> DialogRun {
    let server = DialogServer(.stream, script: script)
    return try await runDialog(
        steps, with: server.endpoint, milliseconds: milliseconds, alreadySent: alreadySent, cancelsAfter: cancelsAfter,
        tls: tls)
}

/// Runs a dialog over UDP with a peer that follows a script from the first datagram on.
func runDatagramDialog(
    _ steps: [DialogStep], milliseconds: Int = 5000, script: @escaping @Sendable (DialogPeer) -> Void
) async throws -> DialogRun {
    let server = DialogServer(.datagram, script: script)
    return try await runDialog(steps, with: server.endpoint, isDatagram: true, milliseconds: milliseconds)
}
