/// Where a report goes: standard output, a file, or the memory of a test. It collects small writes.
///
/// If the output cannot be written, the process says so and exits with 2, as `Output` does.
final class ReportOutput {
    /// From this size on the buffer is written at once.
    private static let flushSize = 64 << 10

    private var buffer: [UInt8] = []
    private let sink: ([UInt8]) -> Void
    private let commit: () -> Void

    /// - Parameters:
    ///   - sink: Takes the bytes in order.
    ///   - commit: Completes the output after the last bytes.
    init(sink: @escaping ([UInt8]) -> Void, commit: @escaping () -> Void = {}) {
        self.sink = sink
        self.commit = commit
    }

    static func standardOutput() -> ReportOutput { ReportOutput(sink: Output.bytes) }

    /// Opens the file of `--output`; `-` is standard output.
    /// - Parameter isStreamed: Whether the file shows the results as they arrive. Otherwise it appears when complete.
    static func file(_ path: String, isStreamed: Bool) -> ReportOutput {
        if path == "-" { return standardOutput() }
        let file = OutputFile(path, isReplacedWhole: !isStreamed)
        return ReportOutput(sink: file.write, commit: file.commit)
    }

    func write(_ bytes: [UInt8]) {
        buffer += bytes
        if buffer.count >= Self.flushSize { flush() }
    }

    func write(_ text: String) {
        buffer += text.utf8
        if buffer.count >= Self.flushSize { flush() }
    }

    /// Passes on what was written so far.
    func flush() {
        guard !buffer.isEmpty else { return }
        sink(buffer)
        buffer.removeAll(keepingCapacity: true)
    }

    /// Call it once, after the last write.
    func finish() {
        flush()
        commit()
    }
}
