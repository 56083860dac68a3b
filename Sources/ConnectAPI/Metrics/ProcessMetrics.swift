internal import Metrics

/// What client libraries of Prometheus say of their process.
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
