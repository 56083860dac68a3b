internal import ArgumentParser
import CheckModel

/// The options of `check` for traces.
struct TraceArguments: ParsableArguments {
    @Flag(help: "Then trace the path to each target, as `connectd trace` does.")
    var trace = false

    @Flag(help: "The same, but only for targets that are not ok.")
    var traceFailures = false

    func validate() throws {
        if trace, traceFailures { throw ValidationError("use either --trace or --trace-failures") }
    }

    /// nil for no trace.
    var options: TraceOptions? {
        if trace { return TraceOptions(when: .always) }
        return traceFailures ? TraceOptions(when: .onFailure) : nil
    }
}
