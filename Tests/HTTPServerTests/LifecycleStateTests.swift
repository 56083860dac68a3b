import Testing

@testable import HTTPServer

/// The states of connections and daemons, as test vectors.
@Suite struct LifecycleStateTests {
    private func advance<State: LifecycleState>(_ state: State, to next: State) -> State {
        var state = state
        state.advance(to: next)
        return state
    }

    private func expectOrder<State: LifecycleState & CaseIterable>(_ type: State.Type) {
        let states = Array(State.allCases)
        for (index, state) in states.enumerated() {
            for (next, other) in states.enumerated() {
                #expect(advance(state, to: other) == states[max(index, next)], "\(state) to \(other)")
            }
        }
    }

    @Test func statesNeverMoveBackward() {
        expectOrder(ClientState.self)
        expectOrder(PersistenceState.self)
        expectOrder(DaemonState.self)
    }

    @Test func statesMoveForwardInOrder() {
        #expect(ClientState.allCases == [.connected, .finished, .left])
        #expect(PersistenceState.allCases == [.persistent, .closing, .retired])
        #expect(DaemonState.allCases == [.serving, .draining, .ending, .canceled])
    }
}
