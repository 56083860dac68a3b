internal import CheckModel
internal import Configuration
internal import Synchronization

/// The last probes, so that somebody can look at how one went after it has failed.
///
/// Failures outlive successes: one that the last probes push out is kept among the last failures.
final class BlackboxHistory: Sendable {
    /// Of the last probes, and of the failures before them.
    static let limit = 100

    /// One probe, as the list shows it.
    struct Entry: Sendable {
        let id: Int
        let module: String
        let target: String
        let isSuccess: Bool
        let outcome: String
        let startedAtNanoseconds: Int64
        fileprivate let content: Content
    }

    /// What there is to tell of a probe: written when somebody asks, or at once and cut where it is large, so that peers with
    /// much to say do not fill the memory.
    fileprivate enum Content {
        case report(BlackboxReport)
        case text([UInt8])

        static let limitBytes = 65536

        init(_ report: BlackboxReport) {
            self =
                report.weight < Self.limitBytes / 2
                ? .report(report) : .text(Array(BlackboxDebug.text(report).prefix(Self.limitBytes)))
        }

        var text: [UInt8] {
            switch self {
            case .report(let report): BlackboxDebug.text(report)
            case .text(let text): text
            }
        }
    }

    private struct State {
        var nextID = 0
        var recent: [Entry] = []
        var failures: [Entry] = []

        var all: [Entry] { failures + recent }
    }

    private let state = Mutex(State())

    func add(_ report: BlackboxReport) {
        let content = Content(report)
        state.withLock { state in
            state.recent.append(
                Entry(
                    id: state.nextID, module: report.probe.module.name,
                    target: String(report.probe.query.target.prefix(1024)), isSuccess: report.isSuccess,
                    outcome: report.result.outcome.word, startedAtNanoseconds: report.result.startedAtNanoseconds,
                    content: content))
            state.nextID += 1
            guard state.recent.count > Self.limit else { return }
            let oldest = state.recent.removeFirst()
            if oldest.isSuccess { return }
            state.failures.append(oldest)
            if state.failures.count > Self.limit { state.failures.removeFirst() }
        }
    }

    /// What `/logs` shows of a probe.
    func text(id: Int) -> [UInt8]? {
        state.withLock { $0.all.first { $0.id == id } }?.content.text
    }

    /// The same of the newest probe of a target, of one module where that is named.
    func text(target: String, module: String?) -> [UInt8]? {
        state.withLock { $0.all.last { $0.target == target && (module == nil || module == $0.module) } }?.content.text
    }

    /// All of them, the newest first.
    var all: [Entry] { state.withLock { $0.all.reversed() } }
}

extension BlackboxReport {
    /// About how many bytes of others it holds.
    fileprivate var weight: Int {
        let steps = result.dialog?.steps.reduce(0) { $0 + ($1.received?.count ?? 0) + 128 } ?? 0
        let certificates = (result.tls?.chain ?? []) + (result.tls?.verifiedChain ?? [])
        return certificates.reduce(steps + probe.query.target.utf8.count) { sum, certificate in
            certificate.subjectAlternativeNames.reduce(
                sum + certificate.subject.utf8.count + certificate.issuer.utf8.count + 512
            ) { $0 + $1.utf8.count }
        }
    }
}
