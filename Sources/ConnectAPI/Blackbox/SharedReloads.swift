internal import Synchronization

/// Reloads that many ask for at once: whoever asks while one is under way shares the next one with all who wait, so that a
/// storm of requests costs two, and SIGHUP does not stand behind hundreds.
final class SharedReloads: Sendable {
    private struct State {
        var reload: (@Sendable () -> String?)?
        /// The reload under way.
        var current: Task<String?, Never>?
        /// The one that begins when that has ended.
        var next: Task<String?, Never>?
    }

    private let state = Mutex(State())

    /// - Parameter reload: gives the reason where nothing has changed; nil: there is none any more.
    func offer(_ reload: (@Sendable () -> String?)?) {
        state.withLock { $0.reload = reload }
    }

    /// A reload that begins after this call, away from the thread of the worker: files are read for it.
    /// - Returns: why nothing has changed; nil where it has.
    func reload() async -> String? {
        let task = state.withLock { state -> Task<String?, Never> in
            if let next = state.next { return next }
            let former = state.current
            let task = Task.detached { [self] () -> String? in
                _ = await former?.value
                begin()
                defer { end() }
                guard let reload = self.state.withLock({ $0.reload }) else { return "the service is stopping" }
                return reload()
            }
            state.next = task
            return task
        }
        return await task.value
    }

    /// Who asks from here on needs another one: this one may have read the files already.
    private func begin() {
        state.withLock { state in
            state.current = state.next
            state.next = nil
        }
    }

    private func end() {
        state.withLock { $0.current = nil }
    }
}
