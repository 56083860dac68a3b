import CheckEngine
import CheckModel
import Dispatch
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Synchronization

/// The output of `wait`: a line for each change of a target's state, repeated every ten seconds.
struct WaitReport {
    private struct Shown {
        var state: String
        var time: MonotonicTime
    }

    /// A target that changes often gets at most one line per second.
    private static let leastPause: Int64 = 1_000_000_000
    private static let repeatPause: Int64 = 10_000_000_000

    private let requests: [CheckRequest]
    private let condition: WaitCondition
    private let palette: Palette
    private let layout: ReportLayout
    private var shown: [Int: Shown] = [:]
    private var latest: [Int: CheckResult] = [:]
    private var met: Set<Int> = []
    private var hinted: Set<String> = []

    init(requests: [CheckRequest], condition: WaitCondition = .up, palette: Palette) {
        self.requests = requests
        self.condition = condition
        self.palette = palette
        layout = ReportLayout(requests.map(\.target))
    }

    /// The line for a result; nil if it contains nothing new. A hint about a datagram socket follows once.
    mutating func line(for result: CheckResult, at index: Int, now: MonotonicTime = Clock.now()) -> String? {
        latest[index] = result
        let isMet = condition.isMet(by: result, of: requests[index])
        if isMet { met.insert(index) }
        let state = "\(isMet) \(result.outcome.word) \(result.error?.name ?? "") \(result.phase.rawValue)"
        if !isMet, let last = shown[index] {
            let pause = now.since(last.time)
            guard pause >= (state == last.state ? Self.repeatPause : Self.leastPause) else { return nil }
        }
        shown[index] = Shown(state: state, time: now)
        let word = isMet ? palette.good("ok  ") : palette.pending("wait")
        let line = HumanReport.line(result, of: requests[index], word: word, layout: layout)
        guard !isMet, result.isUnverified(requests[index]) else { return line }
        let hint = Unverified.hint(acceptance: condition.acceptance)
        return hinted.insert(hint).inserted ? "\(line)\n\(HumanReport.indent)\(hint)" : line
    }

    /// `2 of 5 ready, 12 s, 48 s left`.
    func progress(elapsedNanoseconds elapsed: Int64, leftNanoseconds left: Int64?) -> String {
        let end = left.map { ", \(TimeText.whole(seconds: max($0, 0) / 1_000_000_000)) left" } ?? ""
        return
            "\(met.count) of \(requests.count) \(condition.word), \(TimeText.whole(seconds: elapsed / 1_000_000_000))\(end)"
    }

    /// The report if some targets are not ready: the last result of each, and each hint once.
    /// - Parameter reason: The reason why the wait ended.
    func failure(_ reason: String) -> String {
        let missing = requests.indices.filter { !met.contains($0) }
        let count =
            "\(missing.count) of \(requests.count) targets \(missing.count == 1 ? "is" : "are") not \(condition.word)"
        var hints = HintCollection(acceptance: condition.acceptance)
        var lines: [String] = []
        for index in missing {
            guard let result = latest[index] else {
                let target = TerminalText.clean(requests[index].target.text).padded(to: layout.target)
                lines.append("\(palette.bad("FAIL"))  \(target)  not checked yet")
                continue
            }
            hints.add(result, of: requests[index])
            let hint = HintCollection.text(for: result, of: requests[index], acceptance: condition.acceptance)
            let word = result.isUnverified(requests[index]) ? palette.pending("????") : palette.bad("FAIL")
            lines.append(
                HumanReport.text(
                    result, of: requests[index], word: word, layout: layout, hint: missing.count == 1 ? hint : nil))
        }
        if missing.count > 1 { lines += hints.lines }
        return (["connectd: \(reason): \(count)"] + lines).joined(separator: "\n")
    }
}

/// Runs asynchronous work and blocks until it is done. It needs no descriptor, so a reload works even if none is left.
enum BlockingTask {
    static func result<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Value {
        let handover = Handover<Value>()
        Task { handover.put(await work()) }
        return handover.take()
    }
}

/// Passes one value from any thread to a thread that waits for it.
final class Handover<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    func put(_ value: Value) {
        self.value.withLock { $0 = value }
        isThere.signal()
    }

    /// Waits for the value.
    func take() -> Value {
        while true {
            isThere.wait()
            if let value = value.withLock({ $0 }) { return value }
        }
    }
}
