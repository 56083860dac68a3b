internal import CheckModel
internal import SocketIO

/// Repeats one monitor's check on one worker, until its task is cancelled.
struct MonitorLoop {
    let monitor: Monitor
    let worker: Worker
    let admission: Admission
    /// What checks run under just now: asked anew for each round, so that a reload bears on monitors too.
    let surroundings: @Sendable () -> Surroundings
    let observer: any MonitorObserver

    /// To be run by a task that prefers the worker's thread.
    func run(_ schedule: MonitorSchedule) async {
        var schedule = schedule
        while await worker.reactor.sleep(until: schedule.due) == .deadline {
            await round()
            schedule.advance(now: Clock.now())
        }
    }

    /// One round. It waits for its permit as every check does; a service without room leaves the round out.
    private func round() async {
        let asked = Clock.now()
        switch await admission.acquire() {
        case .cancelled: return
        case .full:
            monitor.noteSkipped()
            observer.monitorSkipped(monitor)
        case .admitted(let permit):
            let answer = await worker.runner.run(
                monitor.definition.check, under: surroundings(), queueNanoseconds: Clock.now().since(asked))
            _ = consume permit
            note(answer)
        }
    }

    private func note(_ answer: CheckAnswer) {
        let result: CheckResult =
            switch answer {
            case .result(let result): result
            case .denied: .denied(monitor.definition.check.request, startedAtNanoseconds: Clock.wallNanoseconds())
            }
        // A round that the service itself broke off says nothing about the target.
        guard result.outcome != .failed(.cancelled) else { return }
        let changed = monitor.note(result)
        observer.monitorFinished(monitor, with: result, changed: changed, on: worker.reactor.thread.index)
    }
}
