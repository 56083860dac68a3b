import Testing

@testable import HTTPServer

/// The state transitions of a TLS relay, as test vectors.
@Suite struct RelayStateTests {
    typealias Vector = (
        inbound: RelayState.Inbound, outbound: RelayState.Outbound, event: RelayState.Event,
        nextInbound: RelayState.Inbound, nextOutbound: RelayState.Outbound
    )

    static let vectors: [Vector] = [
        (.open, .open, .clientFinished, .ended, .open),
        (.discarding, .flushing, .clientFinished, .endedDiscarding, .flushing),
        (.ended, .open, .clientFinished, .ended, .open),
        (.open, .open, .libraryStoppedReading, .discarding, .open),
        (.ended, .open, .libraryStoppedReading, .endedDiscarding, .open),
        (.open, .open, .libraryClosed, .discarding, .draining),
        (.ended, .open, .libraryClosed, .endedDiscarding, .draining),
        (.open, .flushing, .libraryClosed, .discarding, .flushing),
        (.ended, .finished, .libraryClosed, .endedDiscarding, .finished),
        (.open, .open, .libraryFinished, .open, .flushing),
        (.discarding, .draining, .libraryFinished, .discarding, .flushing),
        (.open, .finished, .libraryFinished, .open, .finished),
        (.open, .open, .protocolFailed, .discarding, .flushing),
        (.ended, .draining, .protocolFailed, .endedDiscarding, .flushing),
        (.open, .finished, .protocolFailed, .discarding, .finished),
        (.open, .flushing, .flushed, .open, .finished),
        (.open, .open, .flushed, .open, .open),
        (.discarding, .draining, .flushed, .discarding, .draining),
    ]

    @Test(arguments: vectors)
    func eachEventLeadsToItsNextState(vector: Vector) {
        var state = RelayState(inbound: vector.inbound, outbound: vector.outbound)
        state.apply(vector.event)
        #expect(state == RelayState(inbound: vector.nextInbound, outbound: vector.nextOutbound))
    }

    /// Repeated events change nothing, so no direction moves backward.
    @Test func everyEventIsIdempotent() {
        for inbound in [RelayState.Inbound.open, .discarding, .ended, .endedDiscarding] {
            for outbound in [RelayState.Outbound.open, .draining, .flushing, .finished] {
                for event in RelayState.Event.allCases {
                    let start = RelayState(inbound: inbound, outbound: outbound)
                    var state = start
                    state.apply(event)
                    let once = state
                    state.apply(event)
                    #expect(state == once)
                    #expect(start.mayReceive || !once.mayReceive)
                    #expect(!start.discards || once.discards)
                    #expect(start.mayRelay || !once.mayRelay)
                }
            }
        }
    }
}
