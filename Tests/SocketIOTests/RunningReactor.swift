import SocketIO

/// Runs `body` with a reactor on a thread of its own, and stops both.
func withReactor<Result: Sendable>(_ body: (Reactor) async throws -> Result) async throws -> Result {
    let reactor = try Reactor(thread: ReactorThread(index: 0))
    let thread = try WorkerThread(running: reactor)
    do {
        let result = try await body(reactor)
        thread.stopAndJoin()
        return result
    } catch {
        thread.stopAndJoin()
        throw error
    }
}

/// Runs `body` as a task on the reactor's thread, as the service runs its checks.
func onThread<Result: Sendable>(
    of reactor: Reactor, _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await Task(executorPreference: reactor.thread, operation: body).value
}
