@testable import CheckEngine
import CheckModel
import ErrorCatalogue
import NetworkTypes
import SocketIO
import Testing

/// Several addresses of one name, over loopback.
@Suite struct StrategyTests {
    /// A request with any target. The strategies get their endpoints from the caller.
    private func request(_ addresses: ResolveOptions.Addresses) throws -> CheckRequest {
        var request = CheckRequest(target: try Target(parsing: "127.0.0.1:1"))
        request.resolve.addresses = addresses
        return request
    }

    @Test func firstStopsAtTheFirstSuccess() async throws {
        let (closed, open) = (try LoopbackPeer.closed(), try LoopbackPeer.open())
        let request = try request(.first)
        let outcomes = try await withAttempts { fixture in
            await Strategy.first(
                [closed.endpoint, open.endpoint, closed.endpoint], by: fixture.plan(request), until: .after(5000))
        }
        #expect(outcomes.map(\.result.outcome) == [.failed(.refused), .connected])
    }

    @Test func firstGivesEachAddressAnEqualShare() async throws {
        let (silent, open) = (try SilentPeer(), try LoopbackPeer.open())
        let request = try request(.first)
        let outcomes = try await withAttempts { fixture in
            await Strategy.first([silent.endpoint, open.endpoint], by: fixture.plan(request), until: .after(400))
        }
        #expect(outcomes.map(\.result.outcome) == [.failed(.timeout), .connected])
        #expect(outcomes[0].result.durationNanoseconds >= 199_000_000)
    }

    @Test func allKeepsTheOrderOfTheAddresses() async throws {
        let (closed, open) = (try LoopbackPeer.closed(), try LoopbackPeer.open())
        let request = try request(.all)
        let endpoints = [open.endpoint, closed.endpoint, open.endpoint]
        let outcomes = try await withAttempts { fixture in
            await AllAtOnce(plan: fixture.plan(request), endpoints: endpoints, deadline: .after(5000)).run()
        }
        #expect(outcomes.map(\.result.endpoint) == endpoints)
        #expect(outcomes.map(\.result.outcome) == [.connected, .failed(.refused), .connected])
    }

    @Test func anAddressWithoutASocketIsNotTried() async throws {
        let (silent, open) = (try SilentPeer(), try LoopbackPeer.open())
        let request = try request(.all)
        let outcomes = try await withAttempts(
            admission: Admission(limit: 1, queueLimit: 0, socketLimit: 1)
        ) { fixture in
            let endpoints = [silent.endpoint, open.endpoint]
            return await AllAtOnce(plan: fixture.plan(request), endpoints: endpoints, deadline: .after(100)).run()
        }
        #expect(outcomes[0].result.outcome == .failed(.timeout))
        #expect(outcomes[1].result.error?.name == OwnError.proberBusy.rawValue)
        #expect(outcomes[1].result.phase == .socket)
    }

    @Test func aRaceStartsTheNextAttemptAfterAFailure() async throws {
        let (closed, open) = (try LoopbackPeer.closed(), try LoopbackPeer.open())
        let request = try request(.race)
        let outcomes = try await withAttempts { fixture in
            let endpoints = [closed.endpoint, open.endpoint]
            return await Race(plan: fixture.plan(request), endpoints: endpoints, deadline: .after(5000)).run()
        }
        #expect(outcomes.map(\.result.outcome) == [.failed(.refused), .connected])
    }

    @Test func aRaceCancelsTheAttemptsThatLost() async throws {
        let (silent, open) = (try SilentPeer(), try LoopbackPeer.open())
        let request = try request(.race)
        let outcomes = try await withAttempts { fixture in
            let endpoints = [silent.endpoint, open.endpoint, silent.endpoint]
            return await Race(plan: fixture.plan(request), endpoints: endpoints, deadline: .after(5000)).run()
        }
        #expect(outcomes.prefix(2).map(\.result.outcome) == [.failed(.cancelled), .connected])
        // The second attempt starts one Connection Attempt Delay after the first.
        #expect(outcomes[1].result.startNanoseconds >= 249_000_000)
    }
}
