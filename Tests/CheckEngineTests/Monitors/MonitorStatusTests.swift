@testable import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import Testing

@Suite struct MonitorStatusTests {
    private func definition(upAfter: Int = 1, downAfter: Int = 1) throws -> MonitorDefinition {
        let target = try Target(parsing: "127.0.0.1:9")
        return MonitorDefinition(
            name: "m", upAfter: upAfter, downAfter: downAfter,
            check: PreparedCheck(request: CheckRequest(target: target)), source: "")
    }

    private func result(_ ok: Bool, at nanoseconds: Int64 = 0) -> CheckResult {
        let error = ok ? nil : Classifier.report(for: Errno(111), in: Circumstances(phase: .connect, transport: .tcp))
        return CheckResult(
            ok: ok, outcome: ok ? .connected : .failed(.refused), phase: ok ? .done : .connect, error: error,
            attempts: [], resolution: nil, timings: Timings(), startedAtNanoseconds: nanoseconds)
    }

    private func states(_ rounds: [Bool], upAfter: Int = 1, downAfter: Int = 1) throws -> [MonitorState] {
        var status = MonitorStatus(nowNanoseconds: 0)
        let definition = try definition(upAfter: upAfter, downAfter: downAfter)
        return rounds.map { ok in
            let before = status.state
            let changed = status.note(result(ok), of: definition)
            #expect(changed == (status.state != before))
            return status.state
        }
    }

    @Test func oneRoundChangesTheStateByDefault() throws {
        #expect(try states([true, false, true]) == [.up, .down, .up])
    }

    @Test func theConfiguredNumberOfRoundsMakesItUpOrDown() throws {
        #expect(
            try states([true, true, false, true, false, false, true, true], upAfter: 2, downAfter: 2)
                == [.pending, .up, .up, .up, .up, .down, .down, .up])
    }

    @Test func alternatingResultsLeaveAMonitorPending() throws {
        #expect(try states([true, false, true, false], upAfter: 2, downAfter: 2).allSatisfy { $0 == .pending })
    }

    @Test func theStateHasItsStartTime() throws {
        var status = MonitorStatus(nowNanoseconds: 5)
        #expect(status.sinceNanoseconds == 5)
        _ = status.note(result(true, at: 7), of: try definition())
        _ = status.note(result(true, at: 9), of: try definition())
        #expect(status.sinceNanoseconds == 7)
        #expect(status.consecutiveCount == 2)
        #expect(status.lastResult?.startedAtNanoseconds == 9)
    }

    @Test func theHistoryKeepsTheLatest500Rounds() throws {
        var history = MonitorHistory()
        for index in 0..<750 { history.append(result(index.isMultiple(of: 2), at: Int64(index) * 1_000_000)) }
        let entries = history.entries
        #expect(entries.map(\.startedAtMilliseconds) == Array(250..<750))
        #expect(entries[0].outcome == .connected && entries[0].ok && entries[0].errorName == nil)
        #expect(entries[1].outcome == .failed(.refused) && entries[1].errorName == "ECONNREFUSED")
        #expect(MemoryLayout<MonitorHistory.Entry>.stride == 16)
    }

    @Test(arguments: [523, 133, 4000]) func anUnknownErrnoKeepsItsName(_ number: Int32) {
        let error = Classifier.report(for: Errno(number), in: Circumstances(phase: .connect, transport: .tcp))
        let result = CheckResult(
            ok: false, outcome: .failed(error.errorClass), phase: .connect, error: error, attempts: [],
            resolution: nil, timings: Timings(), startedAtNanoseconds: 0)
        #expect(MonitorHistory.Entry(result).errorName == error.name)
    }

    /// With a trace for failures, only the round whose failure would change the state has it.
    @Test func onlyTheFailureThatChangesTheStateIsTraced() throws {
        var request = CheckRequest(target: try Target(parsing: "127.0.0.1:9"))
        request.trace = TraceOptions(when: .onFailure)
        let monitor = Monitor(
            MonitorDefinition(name: "m", downAfter: 2, check: PreparedCheck(request: request), source: ""))
        var traced: [Bool] = []
        for ok in [true, false, false, false, true, false, false] {
            traced.append(monitor.nextCheck.request.trace != nil)
            _ = monitor.note(result(ok))
        }
        #expect(traced == [false, false, true, false, false, false, true])
    }

    @Test func tracesOfEveryRoundStay() throws {
        var request = CheckRequest(target: try Target(parsing: "127.0.0.1:9"))
        request.trace = TraceOptions(when: .always)
        let monitor = Monitor(MonitorDefinition(name: "m", check: PreparedCheck(request: request), source: ""))
        for ok in [false, false, true] {
            #expect(monitor.nextCheck.request.trace?.when == .always)
            _ = monitor.note(result(ok))
        }
    }
}
