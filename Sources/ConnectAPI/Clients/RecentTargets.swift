/// The distinct targets of one client in the last hour, by their hashes. Two targets with the same hash count once, which
/// is rare enough.
struct RecentTargets {
    /// When each was last used, in seconds of CLOCK_MONOTONIC.
    private var lastUse: [UInt32: UInt32] = [:]
    /// Nothing expires before this second.
    private var nextExpiry: UInt32 = 0

    static let periodSeconds: UInt32 = 3600
    /// What one target takes in the dictionary, in bytes, as measured.
    static let targetBytes = 20

    var count: Int { lastUse.count }

    /// Counts a target, up to the limit. A target that is counted already is only marked as used.
    /// - Parameters:
    ///   - now: seconds of CLOCK_MONOTONIC.
    ///   - limit: the most targets.
    /// - Returns: nil if it counts; otherwise the seconds until a target expires.
    mutating func note(_ hash: UInt32, at now: UInt32, limit: Int) -> UInt32? {
        if lastUse.isEmpty { nextExpiry = now + Self.periodSeconds }
        if lastUse.updateValue(now, forKey: hash) != nil { return nil }
        if lastUse.count <= limit { return nil }
        lastUse[hash] = nil
        guard now >= nextExpiry else { return nextExpiry - now }
        forgetExpired(at: now)
        guard lastUse.count < limit else { return max(nextExpiry, now + 1) - now }
        lastUse[hash] = now
        return nil
    }

    /// Counts another target in the place of one that is counted.
    mutating func replace(_ old: UInt32, by new: UInt32, at now: UInt32) {
        guard old != new, lastUse.removeValue(forKey: old) != nil else { return }
        lastUse[new] = now
    }

    /// Forgets the targets that were not used for an hour.
    mutating func forgetExpired(at now: UInt32) {
        guard now >= nextExpiry else { return }
        lastUse = lastUse.filter { now - $0.value < Self.periodSeconds }
        nextExpiry = (lastUse.values.min() ?? now) + Self.periodSeconds
    }
}
