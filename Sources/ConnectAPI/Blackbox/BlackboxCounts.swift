internal import Metrics
internal import SocketIO
internal import Synchronization

/// What blackbox_exporter says of itself at `/metrics`.
final class BlackboxCounts: Sendable {
    private struct Reload {
        var isSuccessful = true
        var succeededAtNanoseconds = Clock.wallNanoseconds()
    }

    private let unknownModules = Atomic<UInt64>(0)
    /// The start is the first load of the configuration.
    private let reload = Mutex(Reload())

    func noteUnknownModule() {
        unknownModules.add(1, ordering: .relaxed)
    }

    func noteReload(isSuccessful: Bool) {
        reload.withLock { reload in
            reload.isSuccessful = isSuccessful
            if isSuccessful { reload.succeededAtNanoseconds = Clock.wallNanoseconds() }
        }
    }

    func write(to writer: inout ExpositionWriter) {
        let last = reload.withLock { $0 }
        writer.family(
            "blackbox_exporter_config_last_reload_success_timestamp_seconds", .gauge,
            help: "Timestamp of the last successful configuration reload.")
        writer.sample(
            "blackbox_exporter_config_last_reload_success_timestamp_seconds", [],
            Double(last.succeededAtNanoseconds) / 1e9)
        writer.family(
            "blackbox_exporter_config_last_reload_successful", .gauge,
            help: "Blackbox exporter config loaded successfully.")
        writer.sample("blackbox_exporter_config_last_reload_successful", [], UInt64(last.isSuccessful ? 1 : 0))
        writer.family(
            "blackbox_module_unknown_total", .counter, help: "Count of unknown modules requested by probes")
        writer.sample("blackbox_module_unknown_total", [], unknownModules.load(ordering: .relaxed))
    }
}
