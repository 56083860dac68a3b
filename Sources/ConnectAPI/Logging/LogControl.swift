package import Logging
internal import Synchronization

/// What is logged, and how: one for all copies of a logger, so that a reload reaches each.
package final class LogControl: Sendable {
    private let state: Mutex<(level: Logger.Level, format: ServiceLogHandler.Format)>
    /// The level's rank, which every check asks for.
    private let rank: Atomic<Int>

    package init(level: Logger.Level, format: ServiceLogHandler.Format) {
        state = Mutex((level, format))
        rank = Atomic(Self.rank(of: level))
    }

    package func set(level: Logger.Level, format: ServiceLogHandler.Format) {
        state.withLock { $0 = (level, format) }
        rank.store(Self.rank(of: level), ordering: .relaxed)
    }

    /// Made once: each check asks.
    private static let levels = Logger.Level.allCases

    var level: Logger.Level { Self.levels[rank.load(ordering: .relaxed)] }
    var format: ServiceLogHandler.Format { state.withLock { $0.format } }

    private static func rank(of level: Logger.Level) -> Int {
        levels.firstIndex(of: level) ?? 0
    }
}
