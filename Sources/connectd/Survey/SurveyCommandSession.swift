import CLinux
import CheckEngine
import Configuration
import ConnectAPI
import Fleet
import NetworkTypes
import SocketIO

/// Runs one survey without a service.
struct SurveyCommandSession {
    /// An event of the run, delivered on the calling thread.
    enum Event {
        case planned(SurveyPlan)
        case entry(SurveyEntry)
    }

    enum Outcome {
        case finished(SurveyConclusion, [SurveyEntry])
        /// There is no connection to the fleet.
        case failed(String)
        case interrupted(Int32)
    }

    private enum WorkerEvent: Sendable {
        case connected(FleetMember)
        case planned(SurveyPlan)
        case entry(Int, SurveyEntry)
        case finished
        case failed(String)
    }

    let survey: SurveyRequest
    let context: CheckContext
    /// nil if no other place is asked.
    let fleet: FleetSettings?

    func run(_ onEvent: (Event) -> Void) throws -> Outcome {
        let pool = try WorkerPool(count: 1, admission: Admission(limit: 1, queueLimit: 1))
        let events = try BlockingQueue<WorkerEvent>()
        var interrupts = Interrupts()
        let threads = try pool.start()
        let task = Task(executorPreference: pool.workers[0].reactor.thread) { [self] in
            await work(pool, events)
        }
        var member: FleetMember?
        var plan: SurveyPlan?
        var entries: [Int: SurveyEntry] = [:]
        var outcome: Outcome?
        while outcome == nil {
            switch events.next(until: nil, or: interrupts) {
            case .element(.connected(let connected)): member = connected
            case .element(.planned(let made)):
                plan = made
                onEvent(.planned(made))
            case .element(.entry(let index, let entry)):
                entries[index] = entry
                onEvent(.entry(entry))
            case .element(.finished):
                let ordered = entries.sorted { $0.key < $1.key }.map(\.value)
                let conclusion = SurveyConclusion(
                    of: ordered, quorum: survey.quorum, unmatched: plan?.unmatched ?? [])
                outcome = .finished(conclusion, ordered)
            case .element(.failed(let reason)): outcome = .failed(reason)
            case .signal(let number): outcome = .interrupted(number)
            case .deadline: continue
            }
        }
        task.cancel()
        member?.close()
        threads.stopAndJoin()
        interrupts.restore()
        return outcome ?? .failed("the survey ended early")
    }

    private func work(_ pool: WorkerPool, _ events: BlockingQueue<WorkerEvent>) async {
        var member: FleetMember?
        if let fleet {
            do throws(FleetFailure) {
                let connected = try await FleetClient.connect(
                    settings: fleet, version: Version.number, reactors: pool.workers.map(\.reactor))
                events.append(.connected(connected))
                member = connected
            } catch {
                return events.append(.failed("\(error)"))
            }
        }
        // The service of this machine is another prober than the caller, so `here` is not a place of the fleet.
        let plan = SurveyPlan(survey.from, among: member?.vantages() ?? [], own: SurveyPlan.Instance())
        guard plan.stops.count <= VantageSelector.maximumPlaces else {
            return events.append(.failed("--from selects \(plan.stops.count) places: limit its labels"))
        }
        events.append(.planned(plan))
        let run = SurveyRun(survey, plan, fleet: member, local: { await answerHere(pool) })
        // Nothing in the closure throws.
        try? await run.run { index, entry in events.append(.entry(index, entry)) }
        events.append(.finished)
    }

    private func answerHere(_ pool: WorkerPool) async -> SurveyRun.LocalAnswer {
        let service = LocalCheckService(pool, worker: 0, isBalanced: false)
        switch await service.run(survey.check, in: context, until: nil) {
        case .result(let result):
            let encoder = ResultEncoder(prober: HostName.current)
            return .finished(encoder.line(result, of: survey.check.request).dropLast())
        case .denied: return .forbidden("the policy of \(HostName.current) does not allow this target")
        case .overloaded, .cancelled: return .unavailable("the check did not run")
        }
    }
}
