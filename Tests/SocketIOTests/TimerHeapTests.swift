@testable import SocketIO
import TestSupport
import Testing

@Suite struct TimerHeapTests {
    /// A sorted array as the reference for the heap: slow, but obviously correct.
    private struct Model {
        var deadlines: [UInt32: UInt64] = [:]

        var next: UInt64? { deadlines.values.min() }

        /// The tokens that may be popped first: any of those with equal deadlines.
        func expired(at now: UInt64) -> Set<UInt32> {
            guard let next, next <= now else { return [] }
            return Set(deadlines.filter { $0.value == next }.keys)
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>) func aHeapBehavesLikeASortedArray(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var heap = TimerHeap()
        var model = Model()
        for _ in 0..<10_000 {
            let identifier = UInt32.random(in: 0..<200, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                // Few different values, so that many are equal; sometimes the ends of the range.
                let deadline =
                    [0, .max].randomElement(using: &generator).flatMap { Bool.random(using: &generator) ? nil : $0 }
                    ?? UInt64.random(in: 0..<100, using: &generator)
                heap.schedule(identifier, at: deadline)
                model.deadlines[identifier] = deadline
            case 5..<8:
                heap.cancel(identifier)
                model.deadlines[identifier] = nil
            default:
                let now = UInt64.random(in: 0..<100, using: &generator)
                let allowed = model.expired(at: now)
                let popped = heap.popExpired(at: now)
                #expect(popped.map(allowed.contains) ?? allowed.isEmpty)
                popped.map { model.deadlines[$0] = nil }
            }
            #expect(heap.next == model.next)
            #expect(heap.count == model.deadlines.count)
        }
        var last: UInt64 = 0
        while let identifier = heap.popExpired(at: .max) {
            let deadline = model.deadlines.removeValue(forKey: identifier) ?? 0
            #expect(deadline >= last)
            last = deadline
        }
        #expect(model.deadlines.isEmpty)
    }

    @Test func nothingIsPoppedBeforeItsDeadline() {
        var heap = TimerHeap()
        heap.schedule(7, at: 100)
        #expect(heap.popExpired(at: 99) == nil)
        #expect(heap.popExpired(at: 100) == 7)
        #expect(heap.popExpired(at: .max) == nil)
    }
}
