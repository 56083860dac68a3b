import CLinux
import CheckEngine
import CheckModel
import Configuration
import ConnectAPI
import ErrorCatalogue
import Fleet
import NetworkTypes
import SocketIO

/// Runs the checks of `check --from`: each in one place of the fleet.
struct PlacedCheckSession {
    /// The result of one check as JSON.
    struct Finished: Sendable {
        let index: Int
        let document: [UInt8]
    }

    enum EndReason {
        case complete
        /// There is no connection to the fleet.
        case failed(String)
        case interrupted(by: Int32)
    }

    private enum WorkerEvent: Sendable {
        case connected(FleetMember)
        case finished(Finished)
        case failed(String)
        case complete
    }

    let plan: CheckPlan
    let context: CheckContext
    /// nil if `places` is only `here`.
    let fleet: FleetSettings?
    let places: VantageArguments.Places
    /// The most checks at once, at least 1.
    let concurrency: Int

    /// - Parameter onResult: called on the calling thread.
    func run(_ onResult: (Finished) -> Void) throws -> EndReason {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: concurrency, queueLimit: concurrency))
        let events = try BlockingQueue<WorkerEvent>()
        var interrupts = Interrupts()
        let threads = try pool.start()
        let task = Task(executorPreference: pool.workers[0].reactor.thread) { [self] in
            await work(pool, events)
        }
        var member: FleetMember?
        var reason: EndReason?
        while reason == nil {
            switch events.next(until: nil, or: interrupts) {
            case .element(.connected(let connected)): member = connected
            case .element(.finished(let result)): onResult(result)
            case .element(.failed(let text)): reason = .failed(text)
            case .element(.complete): reason = .complete
            case .signal(let number): reason = .interrupted(by: number)
            case .deadline: continue
            }
        }
        task.cancel()
        member?.close()
        threads.stopAndJoin()
        interrupts.restore()
        return reason ?? .complete
    }

    private func work(_ pool: WorkerPool, _ events: BlockingQueue<WorkerEvent>) async {
        var destinations: BatchPlaces?
        var member: FleetMember?
        if let fleet {
            do throws(FleetFailure) {
                let connected = try await FleetClient.connect(
                    settings: fleet, version: Version.number, reactors: pool.workers.map(\.reactor))
                events.append(.connected(connected))
                member = connected
                destinations = places.destinations(in: connected)
            } catch {
                return events.append(.failed("\(error)"))
            }
        }
        await withTaskGroup(of: Finished.self) { [member, destinations] group in
            var next = 0
            while next < min(concurrency, plan.count) {
                start(next, at: destinations, member, pool, in: &group)
                next += 1
            }
            while let finished = await group.next() {
                events.append(.finished(finished))
                guard next < plan.count, !Task.isCancelled else { continue }
                start(next, at: destinations, member, pool, in: &group)
                next += 1
            }
        }
        events.append(.complete)
    }

    private func start(
        _ index: Int, at destinations: BatchPlaces?, _ member: FleetMember?, _ pool: WorkerPool,
        in group: inout TaskGroup<Finished>
    ) {
        let destination = destinations?.destination(of: index) ?? .here
        group.addTask {
            let check = plan.check(at: index)
            let placed = PlacedCheck(check.request, body: plan.body(at: index), at: destination)
            if let member, destination != .here {
                return Finished(index: index, document: await placed.ask(member))
            }
            let service = LocalCheckService(pool, worker: 0, isBalanced: false)
            let answer = await service.run(check, in: context, until: nil)
            let result =
                answer.result(of: check)
                ?? .notStarted(check.request, because: .cancelled, startedAtNanoseconds: Clock.wallNanoseconds())
            return Finished(index: index, document: placed.bytes(of: result, prober: HostName.current))
        }
    }
}
