@testable import CheckEngine
import CheckModel
import NetworkTypes
import SocketIO
import Testing

/// How a dialog went.
struct Held: Sendable {
    let report: DialogReport
    let ending: DialogEnding

    var received: [String] { report.steps.map { String(decoding: $0.received ?? [], as: UTF8.self) } }
    func group(_ name: String) -> String? { report.groups.first { $0.name == name }?.value }
}

/// Holds a dialog with a peer on a reactor with a thread of its own.
func hold(
    _ steps: [DialogStep], with endpoint: Endpoint, isDatagram: Bool = false, milliseconds: Int = 5000,
    alreadySent: Int = 0, cancelsAfter cancelMilliseconds: Int? = nil
) async throws -> Held {
    let dialog = try Dialog(steps: steps)
    let reactor = try Reactor(thread: ReactorThread(index: 0))
    let thread = try WorkerThread(running: reactor)
    let holding = Task(executorPreference: reactor.thread) {
        let socket = try Socket(isDatagram ? .udp(.ipv4) : .tcp(.ipv4))
        try BlockingConnect.connect(socket, to: endpoint, timeoutMilliseconds: 5000)
        if alreadySent > 0, case .send(let text) = steps[0] {
            _ = try socket.send(Array(text.utf8).prefix(alreadySent))
        }
        let token = try await reactor.add(socket.number, for: [.readable, .writable, .peerClosed])
        let (report, ending) = await Conversation(dialog: dialog).run(
            on: socket, token: token, reactor: reactor, isDatagram: isDatagram, alreadySent: alreadySent,
            until: Clock.now().advanced(byMilliseconds: milliseconds))
        await reactor.remove(token)
        return Held(report: report, ending: ending)
    }
    if let cancelMilliseconds {
        try await Task.sleep(for: .milliseconds(cancelMilliseconds))
        holding.cancel()
    }
    let result = await holding.result
    thread.stopAndJoin()
    return try result.get()
}

/// Holds a dialog over TCP with a peer that follows a script.
func hold(
    _ steps: [DialogStep], milliseconds: Int = 5000, alreadySent: Int = 0, cancelsAfter: Int? = nil,
    script: @escaping @Sendable (DialogPeer) -> Void
) async throws -> Held {
    let server = DialogServer(.stream, script: script)
    return try await hold(
        steps, with: server.endpoint, milliseconds: milliseconds, alreadySent: alreadySent, cancelsAfter: cancelsAfter)
}

/// Holds a dialog over UDP with a peer that follows a script from the first datagram on.
func holdByDatagrams(
    _ steps: [DialogStep], milliseconds: Int = 5000, script: @escaping @Sendable (DialogPeer) -> Void
) async throws -> Held {
    let server = DialogServer(.datagram, script: script)
    return try await hold(steps, with: server.endpoint, isDatagram: true, milliseconds: milliseconds)
}
