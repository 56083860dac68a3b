@testable import ConnectAPI
import HTTPServer
import NetworkTypes
import SocketIO
import Testing

@Suite struct DocumentBudgetTests {
    let budget = DocumentBudget(limitBytes: 100)
    let start = Clock.now()

    private func lend(_ count: Int, afterMilliseconds milliseconds: Int = 0) throws -> SharedBody {
        try budget.lend(at: start.advanced(byMilliseconds: milliseconds)) { () throws(Problem) in
            Array(repeating: 0, count: count)
        }
    }

    @Test func `documents are counted until no response sends them`() throws {
        var sent = [try lend(60), try lend(60)]
        #expect(budget.lentBytes == 120)
        #expect(throws: Problem.self) {
            try budget.lend(at: start) { () throws(Problem) in
                Issue.record("it is not even written")
                return []
            }
        }
        sent.removeLast()
        #expect(budget.lentBytes == 60)
        #expect(try lend(1).count == 1)
        sent = []
        #expect(budget.lentBytes == 0)
    }

    @Test func `the oldest response is aborted for a new one, but not at once`() throws {
        let first = try lend(60)
        let second = try lend(60, afterMilliseconds: 1)
        #expect(throws: Problem.self) { try lend(60, afterMilliseconds: 1999) }
        #expect(!first.isRevoked)
        let third = try lend(60, afterMilliseconds: 2000)
        #expect(first.isRevoked && !second.isRevoked && !third.isRevoked)
        #expect(budget.lentBytes == 120)
        #expect(throws: Problem.self) { try lend(60, afterMilliseconds: 2000) }
    }

    @Test func `as many responses are aborted as necessary`() throws {
        let small = [try lend(40), try lend(40), try lend(200)]
        let next = try lend(1, afterMilliseconds: 5000)
        #expect(small.map(\.isRevoked) == [true, true, true])
        #expect(budget.lentBytes == 1 && !next.isRevoked)
    }

    @Test func `no response is aborted while there is room`() throws {
        let old = try lend(99)
        let new = try lend(60, afterMilliseconds: 60_000)
        #expect(!old.isRevoked && !new.isRevoked)
    }
}
