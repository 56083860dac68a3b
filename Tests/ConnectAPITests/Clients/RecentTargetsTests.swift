import Testing

@testable import ConnectAPI

/// Distinct targets in an hour, at made-up times.
struct RecentTargetsTests {
    @Test func aKnownTargetIsAlwaysAllowed() {
        var targets = RecentTargets()
        for hash in 1...3 as ClosedRange<UInt32> { #expect(targets.note(hash, at: 100, limit: 3) == nil) }
        for second in 100...200 as ClosedRange<UInt32> { #expect(targets.note(2, at: second, limit: 3) == nil) }
        #expect(targets.count == 3)
    }

    @Test func oneTooManyWaitsForTheOldest() {
        var targets = RecentTargets()
        for hash in 0..<3 as Range<UInt32> { #expect(targets.note(hash, at: 100 + hash, limit: 3) == nil) }
        #expect(targets.note(9, at: 200, limit: 3) == 3500)
        #expect(targets.note(9, at: 3699, limit: 3) == 1)
        #expect(targets.note(9, at: 3700, limit: 3) == nil)
        #expect(targets.note(10, at: 3700, limit: 3) == 1)
        #expect(targets.count == 3)
    }

    @Test func useKeepsATarget() {
        var targets = RecentTargets()
        #expect(targets.note(1, at: 100, limit: 1) == nil)
        #expect(targets.note(1, at: 3000, limit: 1) == nil)
        #expect(targets.note(2, at: 3701, limit: 1) == 2899)
        #expect(targets.note(2, at: 6600, limit: 1) == nil)
    }

    @Test func aReplacedTargetIsUnknown() {
        var targets = RecentTargets()
        for hash in 0..<2 as Range<UInt32> { #expect(targets.note(hash, at: 100, limit: 2) == nil) }
        targets.replace(0, by: 7, at: 100)
        targets.replace(8, by: 9, at: 100)
        #expect(targets.note(7, at: 101, limit: 2) == nil)
        #expect(targets.note(0, at: 101, limit: 2) != nil)
        #expect(targets.note(9, at: 101, limit: 2) != nil)
    }

    @Test func noTargetFitsALimitOfZero() {
        var targets = RecentTargets()
        #expect((targets.note(1, at: 100, limit: 0) ?? 0) > 0)
        #expect(targets.count == 0)
    }

    @Test func aLowerLimitAppliesToNewTargets() {
        var targets = RecentTargets()
        for hash in 0..<10 as Range<UInt32> { #expect(targets.note(hash, at: 100, limit: 10) == nil) }
        #expect(targets.note(3, at: 101, limit: 2) == nil)
        #expect(targets.note(99, at: 101, limit: 2) != nil)
    }
}
