package import Configuration
internal import Logging
internal import NetworkTypes
package import SocketIO

/// Connects a command to the fleet: it asks, and never answers.
package enum FleetClient {
    /// How long to wait for a broker, in milliseconds.
    private static let connectMilliseconds = 5000
    /// How long to wait for the first instance, and for a further one after each, in milliseconds.
    private static let firstAnswerMilliseconds = 1000
    private static let nextAnswerMilliseconds = 200
    private static let pauseMilliseconds = 10

    /// Connects, and waits until the instances have said who they are.
    /// - Parameter reactors: those of the workers, which must run; not empty.
    /// - Returns: the connection; close it when the command ends.
    /// - Throws: a sentence that says why there is no connection.
    package static func connect(
        settings: FleetSettings, version: String, reactors: [Reactor]
    ) async throws(FleetFailure) -> FleetMember {
        let logger = Logger(label: "fleet") { _ in SwiftLogNoOpLogHandler() }
        let member = FleetMember(settings, version: version, reactors: reactors, logger: logger)
        try member.start(answeringWith: nil)
        let begin = Clock.now()
        while !member.isConnected {
            let isOver = Clock.now().since(begin) >= Int64(connectMilliseconds) * 1_000_000
            guard !isOver, await pause(reactors[0]) else {
                member.close()
                throw FleetFailure(description: "fleet: \(member.lastProblem ?? "no broker answered in time")")
            }
        }
        await waitForInstances(of: member, reactors[0])
        return member
    }

    private static func waitForInstances(of member: FleetMember, _ reactor: Reactor) async {
        let begin = Clock.now()
        while true {
            let now = Clock.now()
            if let last = member.lastDiscovery {
                if now.since(last) >= Int64(nextAnswerMilliseconds) * 1_000_000 { return }
            } else if now.since(begin) >= Int64(firstAnswerMilliseconds) * 1_000_000 {
                return
            }
            guard await pause(reactor) else { return }
        }
    }

    private static func pause(_ reactor: Reactor) async -> Bool {
        await reactor.sleep(until: Clock.now().advanced(byMilliseconds: pauseMilliseconds)) == .deadline
    }
}
