import HTTPServer
import Testing

@testable import ConnectAPI

@Suite struct DocumentBudgetTests {
    @Test func `documents count until nobody sends them`() throws {
        let budget = DocumentBudget(limitBytes: 100)
        var sent = [try budget.lend { () throws(Problem) in Array(repeating: 0, count: 60) }]
        sent.append(try budget.lend { () throws(Problem) in Array(repeating: 0, count: 60) })
        #expect(budget.lentBytes == 120)
        #expect(throws: Problem.self) {
            try budget.lend { () throws(Problem) in
                Issue.record("it is not even written")
                return []
            }
        }
        sent.removeLast()
        #expect(budget.lentBytes == 60)
        #expect(try budget.lend { () throws(Problem) in [1] }.count == 1)
        sent = []
        #expect(budget.lentBytes == 0)
    }
}
