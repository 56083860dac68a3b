internal import CheckModel
internal import SocketIO
internal import TLSClient

/// What is known of an attempt while it is under way. An object of its own: the frames of the functions that wait would
/// have to hold it otherwise, each a copy.
final class AttemptRecord {
    var result: AttemptResult
    /// There once TLS was begun.
    var security: AttemptTLS?
    var dialog: DialogReport?
    var dialogNanoseconds: Int64 = 0
    private let begin: MonotonicTime

    @inline(never)
    init(of endpoint: Endpoint, checkStart: MonotonicTime) {
        begin = Clock.now()
        result = AttemptResult(
            endpoint: endpoint, outcome: .connected, phase: .done, startNanoseconds: begin.since(checkStart))
    }

    /// The attempt's outcome, with its duration up to now.
    @inline(never)
    func finished() -> AttemptOutcome {
        let tlsNanoseconds = security?.nanoseconds ?? 0
        result.durationNanoseconds = Clock.now().since(begin) - tlsNanoseconds - dialogNanoseconds
        return AttemptOutcome(
            result: result, tls: security?.channel?.report, dialog: dialog, tlsNanoseconds: tlsNanoseconds,
            dialogNanoseconds: dialogNanoseconds)
    }
}
