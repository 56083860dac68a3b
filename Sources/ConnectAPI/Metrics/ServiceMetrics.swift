internal import CheckModel
internal import ErrorCatalogue
internal import Metrics
internal import Synchronization

/// The counters of the service. Each worker counts its checks separately, so that no two threads write to the same
/// memory; rare refusals share one counter.
package final class ServiceMetrics: Sendable {
    private final class WorkerCounts: Sendable {
        let counts = Mutex(CheckCounts())
    }

    private let workers: [WorkerCounts]
    private let rejections = Mutex<[Problem.Kind: UInt64]>([:])
    /// By the names of configured tokens and of client certificates.
    private let clients = Mutex<[String: UInt64]>([:])
    private let denials = Atomic<UInt64>(0)
    private let skippedRounds = Atomic<UInt64>(0)

    /// - Parameter workerCount: at least 1.
    package init(workerCount: Int) {
        workers = (0..<workerCount).map { _ in WorkerCounts() }
    }

    /// - Parameter client: the name of the client's token or certificate; also in the next two functions.
    func note(_ result: CheckResult, on worker: Int, for client: String? = nil) {
        workers[worker % workers.count].counts.withLock { $0.note(result) }
        noteCheck(of: client)
    }

    /// Counts a check that the policy denied.
    func noteDenied(on worker: Int, for client: String?) {
        denials.add(1, ordering: .relaxed)
        note(.denied, on: worker, for: client)
    }

    /// Counts a check of a batch that is not valid.
    func noteInvalid(on worker: Int, for client: String?) {
        note(.invalid, on: worker, for: client)
    }

    /// Counts a check that its client canceled.
    func noteCancelled(on worker: Int, for client: String?) {
        note(.cancelled, on: worker, for: client)
    }

    private func note(_ errorClass: ErrorClass, on worker: Int, for client: String?) {
        workers[worker % workers.count].counts.withLock {
            $0.note(.init(outcome: .failed(errorClass), fault: .request))
        }
        noteCheck(of: client)
    }

    /// The number of certificates, and of askers in the fleet, with their own count. A CA may issue a new certificate to
    /// each client every day, and an asker chooses its name.
    private static let countedNames = 100

    private func noteCheck(of client: String?) {
        guard let client else { return }
        clients.withLock { counts in
            var key = client
            if counts[client] == nil, let prefix = RequestOrigin.openPrefix(of: client),
                counts.keys.count(where: { $0.hasPrefix(prefix) }) >= Self.countedNames
            {
                key = prefix + "(others)"
            }
            counts[key, default: 0] += 1
        }
    }

    /// Counts a policy denial of a check that its result already counts.
    func noteDenial() {
        denials.add(1, ordering: .relaxed)
    }

    /// Counts a request that was answered with a problem.
    package func noteRejection(_ kind: Problem.Kind) {
        rejections.withLock { $0[kind, default: 0] += 1 }
    }

    func noteSkippedRound() {
        skippedRounds.add(1, ordering: .relaxed)
    }

    var checks: CheckCounts {
        workers.reduce(into: CheckCounts()) { sum, worker in sum.add(worker.counts.withLock { $0 }) }
    }

    var rejectionCounts: [Problem.Kind: UInt64] { rejections.withLock { $0 } }
    var clientCounts: [String: UInt64] { clients.withLock { $0 } }
    var denialCount: UInt64 { denials.load(ordering: .relaxed) }
    var skippedRoundCount: UInt64 { skippedRounds.load(ordering: .relaxed) }
}

/// The process metrics of Prometheus client libraries.
enum ProcessMetrics {
    static func write(to writer: inout ExpositionWriter) {
        let usage = ProcessUsage()
        if let seconds = usage.cpuSeconds {
            writer.family(
                "process_cpu_seconds_total", .counter, help: "Total user and system CPU time spent in seconds.")
            writer.sample("process_cpu_seconds_total", [], seconds)
        }
        gauge("process_resident_memory_bytes", "Resident memory size in bytes.", usage.residentBytes, to: &writer)
        gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", usage.virtualBytes, to: &writer)
        gauge("process_open_fds", "Number of open file descriptors.", usage.openDescriptors, to: &writer)
        gauge("process_max_fds", "Maximum number of open file descriptors.", usage.maximumDescriptors, to: &writer)
        gauge("process_threads", "Number of threads of the process.", usage.threads, to: &writer)
        if let seconds = usage.startTimeSeconds {
            writer.family(
                "process_start_time_seconds", .gauge, help: "Start time of the process since unix epoch in seconds.")
            writer.sample("process_start_time_seconds", [], seconds)
        }
    }

    private static func gauge(
        _ name: String, _ help: String, _ value: UInt64?, to writer: inout ExpositionWriter
    ) {
        guard let value else { return }
        writer.family(name, .gauge, help: help)
        writer.sample(name, [], value)
    }
}
