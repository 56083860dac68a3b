internal import HTTPServer
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Limits how often `/metrics` is written. A flood of requests for it would occupy the workers: one takes as long as ten
/// checks.
///
/// The two kinds of listeners have limits of their own, so that a flood of one does not keep a scrape from the other.
final class MetricsPace: Sendable {
    private struct Window {
        var begin = MonotonicTime(nanoseconds: 0)
        var count = 0
    }

    static let windowMilliseconds = 100
    /// How many times in each window.
    static let limit = 32

    private let service = Mutex(Window())
    private let health = Mutex(Window())

    /// Whether the metrics may be written now; counts it.
    func admits(_ purpose: Listener.Purpose, at now: MonotonicTime = Clock.now()) -> Bool {
        switch purpose {
        case .service: service.withLock { Self.admits(&$0, at: now) }
        case .health: health.withLock { Self.admits(&$0, at: now) }
        }
    }

    private static func admits(_ window: inout Window, at now: MonotonicTime) -> Bool {
        if now >= window.begin.advanced(byMilliseconds: windowMilliseconds) { window = Window(begin: now) }
        window.count += 1
        return window.count <= limit
    }
}
