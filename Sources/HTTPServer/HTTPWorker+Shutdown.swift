internal import CheckModel
internal import SocketIO
internal import Synchronization

/// The end of a worker.
extension HTTPWorker {
    /// From here on every answer closes its connection.
    func startDraining() {
        isDraining = true
    }

    func cancelHandlers() {
        startDraining()
        for case let connection? in connections { connection.task?.cancel() }
    }

    /// Waits until every request is answered in full.
    /// - Returns: false where the deadline came first.
    func drain(until deadline: MonotonicTime) async -> Bool {
        while inFlight.load(ordering: .relaxed) > 0 {
            guard Clock.now() < deadline else { return false }
            _ = await reactor.sleep(until: min(deadline, Clock.now().advanced(byMilliseconds: 2)))
        }
        return true
    }

    /// Cancels what is in flight, sends the answers that come of it, and ends the library.
    ///
    /// A handler that does not heed its cancellation is answered for: the library must not be stopped with a suspended
    /// connection.
    func shutDown() async {
        cancelHandlers()
        if await !drain(until: Clock.now().advanced(byMilliseconds: limits.cancellationMilliseconds)) {
            answerForHandlers()
            _ = await drain(until: Clock.now().advanced(byMilliseconds: 1000))
        }
        stop()
    }

    private func answerForHandlers() {
        for case let connection? in connections {
            guard case .suspended = connection.phase else { continue }
            resume(connection, with: handler.problem(status: 503, detail: "The service is shutting down."))
        }
    }
}
