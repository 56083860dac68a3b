package import ConnectAPI
package import Configuration
package import Logging
package import CheckModel
internal import Metrics
internal import NATSClient
package import NetworkTypes
package import SocketIO
internal import Synchronization

/// This instance as a member of its fleet: asks other places, and answers them if the configuration says so.
///
/// It does nothing before `start`: then it loads the library, and connects with a thread of its own. Without a broker
/// everything else of the service continues.
package final class FleetMember: FleetAsking {
    /// How often all instances are asked who they are, in milliseconds.
    private static let discoveryMilliseconds = 10_000

    private let settings: FleetSettings
    private let identity: FleetIdentity
    private let subjects: FleetSubjects
    private let reactors: [Reactor]
    private let logger: Logger
    private let outbox = FleetOutbox()
    private let asker: FleetAsker
    private let discovery: FleetDiscovery
    private let answerer = Mutex<FleetAnswerer?>(nil)
    private let problem = Mutex<String?>(nil)
    private let loop = Mutex<Task<Void, Never>?>(nil)

    /// - Parameters:
    ///   - version: the version of connectd, as Semantic Versioning has it.
    ///   - reactors: those of the workers, in their order; not empty.
    package init(_ settings: FleetSettings, version: String, reactors: [Reactor], logger: Logger) {
        self.settings = settings
        self.reactors = reactors
        self.logger = logger
        identity = FleetIdentity(place: settings.place, labels: settings.labels, version: version)
        subjects = FleetSubjects(prefix: settings.prefix)
        asker = FleetAsker(identity, subjects, outbox: outbox, reactors: reactors)
        discovery = FleetDiscovery(identity, subjects, outbox: outbox)
    }

    /// The place of this instance.
    package var place: PlaceName { identity.place }

    /// Connects, and again whenever the connection is lost. Call it once.
    /// - Parameter checks: runs the checks of other places; nil to answer none.
    /// - Throws: a sentence, if the library is missing or an option is invalid. A broker that is away is not an error.
    package func start(answeringWith checks: (@Sendable () -> RemoteChecks)?) throws(FleetFailure) {
        var subscriptions = [asker.subscription, discovery.subscription]
        if let checks {
            let answerer = FleetAnswerer(identity, subjects, outbox: outbox, reactors: reactors) {
                await checks().run($0, askedBy: $1, until: $2, on: $3)
            }
            let description = ServiceDescription(
                identity: identity, subjects: subjects, outbox: outbox, counts: answerer.counts)
            subscriptions += answerer.subscriptions + description.subscriptions
            self.answerer.withLock { $0 = answerer }
        }
        do throws(NATSFailure) {
            outbox.open(try NATSSession(options, subscriptions: subscriptions) { [self] in note($0) })
        } catch {
            throw FleetFailure(description: "fleet: \(error)")
        }
        let task = Task(executorPreference: reactors[0].thread) { [discovery, reactor = reactors[0]] in
            var due = Clock.now()
            while await reactor.sleep(until: due) == .deadline {
                discovery.ask()
                due = Clock.now().advanced(byMilliseconds: Self.discoveryMilliseconds)
            }
        }
        loop.withLock { $0 = task }
    }

    /// Lets other instances have the new requests; those that have arrived are still answered.
    package func stopAnswering() {
        outbox.current?.stopAnswering()
    }

    /// Waits until the checks of other places have their answers, at most until the deadline.
    package func drain(until deadline: MonotonicTime) async {
        guard let answerer = answerer.withLock({ $0 }) else { return }
        while !answerer.isIdle, Clock.now() < deadline {
            _ = await reactors[0].sleep(until: Clock.now().advanced(byMilliseconds: 5))
        }
    }

    /// Sends what waits, and closes the connection. Do not call it on the thread of a worker.
    package func close() {
        loop.withLock { $0 }?.cancel()
        outbox.close()?.close()
    }

    /// Whether it is connected to a broker.
    package var isConnected: Bool { outbox.isConnected }

    /// Why the last attempt to connect failed; nil while it is connected.
    var lastProblem: String? { problem.withLock { $0 } }

    /// When the last instance said who it is; nil before the first.
    var lastDiscovery: MonotonicTime? { discovery.lastAnswer }

    // MARK: FleetAsking

    package func vantages() -> [Vantage] { discovery.vantages }

    package func ask(_ question: FleetQuestion) async -> FleetAnswer { await asker.ask(question) }

    // MARK: Connection

    private var options: NATSOptions {
        var options = NATSOptions(servers: settings.servers, name: "connectd \(identity.place.text)")
        options.credentials =
            switch settings.credentials {
            case nil: nil
            case .file(let path): .file(path)
            case .token(let token): .token(String(decoding: token.reveal(), as: UTF8.self))
            case .user(let user, let password):
                .user(user, password: String(decoding: password.reveal(), as: UTF8.self))
            }
        options.certificate = settings.certificate
        options.authorities = settings.authorities
        return options
    }

    private func note(_ event: NATSEvent) {
        switch event {
        case .connected(let server):
            problem.withLock { $0 = nil }
            logger.notice(
                "fleet: connected", metadata: ["server": "\(server)", "place": "\(identity.place.text)"])
            discovery.ask()
        case .disconnected(let reason):
            problem.withLock { $0 = "the connection was lost: \(reason)" }
            logger.warning("fleet: connection lost", metadata: ["reason": "\(reason)"])
        case .failed(let reason):
            let isNew = problem.withLock { problem in
                defer { problem = reason }
                return problem != reason
            }
            // It repeats every few seconds.
            logger.log(
                level: isNew ? .warning : .debug, "fleet: not connected", metadata: ["reason": "\(reason)"])
        case .refused(let reason): logger.error("fleet: refused by the broker", metadata: ["reason": "\(reason)"])
        case .slowConsumer(let subject):
            logger.warning("fleet: messages were dropped: too many at once", metadata: ["subject": "\(subject)"])
        }
    }
}

/// Why the fleet cannot start.
package struct FleetFailure: Error, Sendable, CustomStringConvertible {
    /// A sentence for people.
    package let description: String
}

extension FleetMember {
    func writeMetrics(to writer: inout ExpositionWriter) {
        writer.family("connectd_fleet_connected", .gauge, help: "Whether this instance is connected to a broker.")
        writer.sample("connectd_fleet_connected", [], isConnected ? 1 : 0 as UInt64)
        writer.family("connectd_fleet_instances", .gauge, help: "Instances that answered lately, with their places.")
        for vantage in vantages() {
            writer.sample(
                "connectd_fleet_instances", [("place", vantage.place.text)], UInt64(vantage.instances))
        }
        writer.family(
            "connectd_fleet_questions_total", .counter, help: "Checks that this instance asked other places to run.")
        for (status, count) in asker.counts.values.sorted(by: { $0.key < $1.key }) {
            writer.sample("connectd_fleet_questions_total", [("status", status)], count)
        }
        writer.family(
            "connectd_fleet_answers_total", .counter, help: "Checks that other places asked for, by HTTP status.")
        for (status, count) in (answerer.withLock { $0 }?.counts.values.byStatus ?? [:]).sorted(by: { $0.key < $1.key })
        {
            writer.sample("connectd_fleet_answers_total", [("code", "\(status)")], count)
        }
        writer.family(
            "connectd_fleet_dropped_messages_total", .counter,
            help: "Messages that were not sent: the broker was away or too slow.")
        writer.sample("connectd_fleet_dropped_messages_total", [], outbox.current?.droppedCount ?? 0)
    }
}
