internal import CheckModel
internal import SocketIO

// hosts(5) and resolv.conf(5), read on another thread.
extension Resolver {
    /// The hosts file as it is, or as it was a moment ago.
    /// - Throws: `timeout` at the deadline where it has not been read yet; `cancelled`.
    func readHosts(until deadline: MonotonicTime) async throws(ResolveFailure) -> HostsTable {
        if let look = hostsFile.beginLook(at: Clock.now()) {
            start(look) { $0.ended(before: $0.hostsFile.endLook($1, at: Clock.now())) }
        }
        while let limit = hostsFile.waitLimit(within: deadline), limit > Clock.now() {
            try await waitForFiles(until: limit)
        }
        guard let hosts = hostsFile.content else { throw .timeout }
        return hosts
    }

    /// resolv.conf as it is, or as it was a moment ago.
    /// - Throws: as `readHosts`.
    func readSettings(until deadline: MonotonicTime) async throws(ResolveFailure) -> ResolverSettings {
        if let look = resolvConf.beginLook(at: Clock.now()) {
            start(look) { $0.ended(before: $0.resolvConf.endLook($1, at: Clock.now())) }
        }
        while let limit = resolvConf.waitLimit(within: deadline), limit > Clock.now() {
            try await waitForFiles(until: limit)
        }
        guard let settings = resolvConf.content else { throw .timeout }
        return settings
    }

    private func start<Content: Sendable>(
        _ look: FileLook<Content>,
        end: @escaping @Sendable (isolated Resolver, FileLook<Content>.Finding) -> Void
    ) {
        let thread = reactor.thread
        do throws(Errno) {
            try BackgroundThread.run {
                let finding = look.run()
                Task(executorPreference: thread) { await end(self, finding) }
            }
        } catch {
            // Without a thread there is no other way; the file is small as a rule.
            end(self, look.run())
        }
    }

    /// - Parameter earlier: The content that does not count any more.
    private func ended<Content: Sendable>(before earlier: consuming Content?) {
        Self.giveUp(earlier)
        for signal in fileSignals { reactor.signalOnThread(signal) }
    }

    /// Frees a content elsewhere: that of a large file is in a million pieces.
    private static func giveUp<Content: Sendable>(_ content: consuming Content?) {
        guard let content else { return }
        try? BackgroundThread.run { _ = content }
    }

    private func waitForFiles(until limit: MonotonicTime) async throws(ResolveFailure) {
        let signal = reactor.makeSignalOnThread()
        fileSignals.insert(signal)
        let outcome = await reactor.waitOnThread(signal, for: .readable, until: limit)
        fileSignals.remove(signal)
        reactor.removeOnThread(signal)
        if outcome == .cancelled { throw .cancelled }
    }
}
