import CLinux
@testable import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Synchronization
import Testing

/// Monitors on real workers, with a real listener.
@Suite struct MonitorSetTests {
    private final class Observer: MonitorObserver {
        let rounds = Mutex<[(name: String, outcome: Outcome, changed: Bool)]>([])

        func monitorFinished(_ monitor: Monitor, with result: CheckResult, changed: Bool, on worker: Int) {
            rounds.withLock { $0.append((monitor.definition.name, result.outcome, changed)) }
        }

        func monitorSkipped(_ monitor: Monitor) {}

        func count(_ name: String) -> Int { rounds.withLock { $0.count { $0.name == name } } }
    }

    private func definition(_ name: String, _ target: String, interval: Int = 100) throws -> MonitorDefinition {
        let request = CheckRequest(target: try Target(parsing: target), timeoutMilliseconds: 1000)
        return MonitorDefinition(
            name: name, intervalMilliseconds: interval, check: PreparedCheck(request: request),
            source: "\(target) \(interval)")
    }

    private func withMonitors(
        _ body: (MonitorSet, Observer) async throws -> Void
    ) async throws {
        let pool = try WorkerPool(count: 2, admission: Admission(limit: 100, queueLimit: 100))
        let threads = try pool.start()
        let observer = Observer()
        let monitors = MonitorSet(pool: pool, context: { CheckContext(policy: nil) }, observer: observer)
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(monitors, observer))
        } catch {
            result = .failure(error)
        }
        monitors.stop()
        threads.stopAndJoin()
        try result.get()
    }

    private func eventually(_ condition: () -> Bool) async throws -> Bool {
        for _ in 0..<500 {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    @Test func monitorsRepeatTheirChecksAndTrackTheirState() async throws {
        // The listener never accepts, so connections wait in its backlog. They are connected all the same.
        let listener = try Socket(.tcp(.ipv4))
        try listener.bind(to: IPEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 0))
        #expect(listen(listener.number, 1000) == 0)
        guard let endpoint = listener.localName() else { throw Errno.current }
        try await withMonitors { monitors, observer in
            monitors.replace(with: [
                try definition("open", "127.0.0.1:\(endpoint.port)"), try definition("shut", "127.0.0.1:1"),
            ])
            #expect(monitors.monitors.map(\.definition.name) == ["open", "shut"])
            #expect(try await eventually { observer.count("shut") >= 3 && observer.count("open") >= 3 })
            #expect(monitors.monitors.map(\.state) == [.up, .down])
            #expect(monitors.monitor(named: "shut")?.status.lastResult?.error?.name == "ECONNREFUSED")
            #expect(monitors.monitor(named: "none") == nil)
            let changes = observer.rounds.withLock { $0.filter(\.changed).count }
            #expect(changes == 2)
        }
    }

    @Test func anUnchangedMonitorKeepsItsStateAfterAReload() async throws {
        try await withMonitors { monitors, observer in
            monitors.replace(with: [try definition("a", "127.0.0.1:1"), try definition("b", "127.0.0.1:1")])
            #expect(try await eventually { observer.count("a") >= 1 && observer.count("b") >= 1 })
            monitors.replace(with: [try definition("c", "127.0.0.1:1"), try definition("a", "127.0.0.1:1")])
            #expect(monitors.monitors.map(\.definition.name) == ["c", "a"])
            #expect(monitors.monitor(named: "a")?.state == .down)
            monitors.replace(with: [try definition("a", "127.0.0.1:1", interval: 60_000)])
            #expect(monitors.monitor(named: "a")?.status.history.count ?? 0 <= 1)
        }
    }

    @Test func stopEndsAllRounds() async throws {
        try await withMonitors { monitors, observer in
            monitors.replace(with: [try definition("a", "127.0.0.1:1")])
            #expect(try await eventually { observer.count("a") >= 1 })
            monitors.stop()
            try await Task.sleep(for: .milliseconds(150))
            let count = observer.count("a")
            try await Task.sleep(for: .milliseconds(300))
            #expect(observer.count("a") == count)
            #expect(monitors.monitors.map(\.definition.name) == ["a"], "what they found stays to be read")
        }
    }
}
