import CheckModel
import SocketIO

/// What `wait` says while it waits: a line where a target's state changes, and the same one again now and then.
struct WaitReport {
    private struct Shown {
        var state: String
        var time: MonotonicTime
    }

    /// A target that changes all the time has a line a second at most.
    private static let leastPause: Int64 = 1_000_000_000
    private static let repeatPause: Int64 = 10_000_000_000

    private let requests: [CheckRequest]
    private let palette: Palette
    private var shown: [Int: Shown] = [:]
    private var latest: [Int: CheckResult] = [:]

    init(requests: [CheckRequest], palette: Palette) {
        self.requests = requests
        self.palette = palette
    }

    /// The line for a result, or nil where it would say nothing new.
    mutating func line(for result: CheckResult, at index: Int, now: MonotonicTime = Clock.now()) -> String? {
        latest[index] = result
        let state = "\(result.outcome.word) \(result.error?.name ?? "") \(result.phase.rawValue)"
        if !result.ok, let last = shown[index] {
            let pause = now.since(last.time)
            guard pause >= (state == last.state ? Self.repeatPause : Self.leastPause) else { return nil }
        }
        shown[index] = Shown(state: state, time: now)
        let word = result.ok ? palette.good("ok  ") : palette.pending("wait")
        return "\(word)  \(requests[index].target.text)  \(HumanReport.summary(of: result))"
    }

    /// What is said at the end where not all were there: each of them as it was last, with what helps.
    func failure(_ ending: WaitSession.Ending, after timeout: Duration) -> String {
        let missing = requests.indices.filter { latest[$0].map { !$0.ok } ?? true }
        let count = "\(missing.count) of \(requests.count) targets \(missing.count == 1 ? "is" : "are") not there"
        let reason =
            switch ending {
            case .complete, .timedOut: "timed out after \(timeout)"
            case .denied: "denied by the policy"
            }
        let lines = missing.map { index in
            latest[index].map { HumanReport.text($0, of: requests[index], in: palette) }
                ?? "\(palette.bad("FAIL"))  \(requests[index].target.text)  not checked yet"
        }
        return (["connectd: \(reason): \(count)"] + lines).joined(separator: "\n")
    }
}
