@testable import CheckEngine
import CheckModel
import Glibc
import NetworkTypes
import Testing

/// What the answers to probes say, without any network.
@Suite struct TraceObservationsTests {
    private static let target = address(9)

    private static func address(_ number: UInt32) -> IPAddress { .v4(IPv4Address(bits: 0x0A00_0000 | number)) }

    private static func exceeded(_ router: UInt32, rtt: Int64 = 1000) -> ProbeAnswer {
        answer(type: 11, code: 0, from: address(router), EHOSTUNREACH, rtt: rtt)
    }

    private static func answer(
        type: UInt8, code: UInt8, from: IPAddress, _ errno: Int32, rtt: Int64 = 1000
    ) -> ProbeAnswer {
        let message = ICMPMessage(family: .ipv4, type: type, code: code, from: from)
        return ProbeAnswer(message, causing: Errno(errno), target: target, rttNanoseconds: rtt)
    }

    private static let reached = ProbeAnswer(of: target, .reached, rttNanoseconds: 1000)

    /// Observations of probes with TTL 1 to `count`, and these answers.
    private func observations(_ count: Int, _ answers: [(Int, ProbeAnswer)]) -> TraceObservations {
        var observations = TraceObservations()
        for ttl in 1...count { observations.noteSent(ttl) }
        for (ttl, answer) in answers { observations.note(answer, at: ttl) }
        return observations
    }

    @Test func pathEndsAtTheFirstAnswerOfTheTarget() {
        let found = observations(
            30, [(4, Self.reached), (1, Self.exceeded(1)), (3, Self.reached), (2, Self.exceeded(2))])
        #expect(found.hops().map(\.from) == [Self.address(1), Self.address(2), Self.target])
        #expect(found.stop(isOver: false, hasNoRoute: false) == .reached)
        #expect(found.finalAnswer?.isFromTarget == true)
        #expect(!found.isContradictory)
        #expect(found.silent.isEmpty)
    }

    @Test func fiveSilentHopsAreAGap() {
        let found = observations(30, [(1, Self.exceeded(1)), (3, Self.exceeded(3))])
        #expect(found.hops().map(\.from) == [Self.address(1), nil, Self.address(3), nil, nil, nil, nil, nil])
        #expect(found.silent == [2, 4, 5, 6, 7, 8])
        #expect(found.stop(isOver: true, hasNoRoute: false) == .gap)
    }

    @Test(arguments: [(false, TraceStop.maxTTL), (true, .deadline)])
    func fewerSilentHopsAreNoGap(isOver: Bool, stop: TraceStop) {
        let found = observations(5, [(1, Self.exceeded(1))])
        #expect(found.stop(isOver: isOver, hasNoRoute: false) == stop)
        #expect(found.hops().count == 5)
    }

    @Test func withoutProbesThereAreNoHops() {
        #expect(TraceObservations().hops().isEmpty)
        #expect(TraceObservations().stop(isOver: false, hasNoRoute: true) == .unreachable)
        #expect(TraceObservations().stop(isOver: true, hasNoRoute: false) == .deadline)
    }

    /// Type, code, sender, errno, and the stop with whether it is the target's.
    @Test(
        arguments: [
            (3, 3, 9, ECONNREFUSED, TraceStop.refused, true), (3, 2, 9, ECONNREFUSED, .refused, true),
            (3, 13, 9, EHOSTUNREACH, .unreachable, true), (3, 3, 2, ECONNREFUSED, .unreachable, false),
            (3, 1, 2, EHOSTUNREACH, .unreachable, false), (12, 0, 2, EPROTO, .unreachable, false),
        ] as [(UInt8, UInt8, UInt32, Int32, TraceStop, Bool)])
    func icmpErrorsEndThePath(
        type: UInt8, code: UInt8, sender: UInt32, errno: Int32, stop: TraceStop, isFromTarget: Bool
    ) {
        let end = Self.answer(type: type, code: code, from: Self.address(sender), errno)
        let found = observations(8, [(1, Self.exceeded(1)), (2, end), (3, end)])
        #expect(found.stop(isOver: false, hasNoRoute: false) == stop)
        #expect(found.finalAnswer?.isFromTarget == isFromTarget)
        #expect(found.hops().count == 2)
    }

    @Test func routerThatForwardsAndThenRejectsIsOnePath() {
        let rejected = Self.answer(type: 3, code: 13, from: Self.address(2), EHOSTUNREACH)
        let found = observations(
            8, [(1, Self.exceeded(1)), (2, Self.exceeded(2)), (3, rejected), (4, rejected)])
        #expect(!found.isContradictory)
        #expect(found.hops().count == 3)
    }

    @Test(arguments: [
        // Two senders at one TTL.
        [(1, exceeded(1)), (2, exceeded(2)), (2, exceeded(3))],
        // One router at two TTLs.
        [(1, exceeded(1)), (2, exceeded(2)), (3, exceeded(2))],
        // A router after the target.
        [(1, exceeded(1)), (2, reached), (3, exceeded(3))],
        // The target, and a router, at one TTL.
        [(1, exceeded(1)), (2, reached), (2, exceeded(2))],
    ])
    func answersOfSeveralPathsContradictEachOther(answers: [(Int, ProbeAnswer)]) {
        #expect(observations(5, answers).isContradictory)
    }

    @Test func otherPathsAreOnlyInOthers() {
        let varied = observations(4, [(1, Self.exceeded(1)), (2, Self.exceeded(2)), (2, Self.exceeded(3))])
        let fixed = observations(3, [(1, Self.exceeded(1)), (2, Self.exceeded(3)), (3, Self.reached)])
        let hops = fixed.hops(others: varied)
        #expect(hops.map(\.from) == [Self.address(1), Self.address(3), Self.target])
        #expect(hops.map(\.others) == [[], [Self.address(2)], []])
    }

    @Test func unsentProbesAreNotSilent() {
        var found = observations(3, [(1, Self.exceeded(1))])
        found.noteUnsent(3)
        #expect(found.silent == [2])
        #expect(found.hops().count == 2)
    }

    @Test func zonesDoNotHideTheTarget() {
        let target = IPAddress.v6(IPv6Address(bits: 1 << 64 | 7, zone: "eth0"))
        #expect(target.isSameNode(as: .v6(IPv6Address(bits: 1 << 64 | 7))))
        #expect(!target.isSameNode(as: Self.target))
    }
}

/// Which probes are sent next.
@Suite struct TraceVolleyTests {
    @Test func sendsInOrder() {
        var volley = TraceVolley([1, 2, 3])
        let first = volley.take(2)
        #expect(!volley.hasSentAll)
        let second = volley.take(2)
        let none = volley.take(-1)
        #expect([first, second, none] == [[1, 2], [3], []])
        #expect(volley.hasSentAll)
        #expect(!volley.isOver)
        for ttl in [1, 2, 3] { volley.noteEnd(of: ttl) }
        #expect(volley.isOver)
    }

    @Test func leavesOutWhatComesAfterTheEnd() {
        var volley = TraceVolley(Array(1...30))
        _ = volley.take(8)
        #expect(volley.pending == Array(1...8))
        volley.leaveOut(after: 4, gapAfter: 4)
        #expect(volley.hasSentAll)
        for ttl in [4, 1, 2] { volley.noteEnd(of: ttl) }
        #expect(!volley.isOver)
        volley.noteEnd(of: 3)
        #expect(volley.isOver)
    }

    @Test func stopsSendingAfterAGap() {
        var volley = TraceVolley(Array(1...30))
        _ = volley.take(8)
        #expect(volley.pending == Array(1...8))
        for ttl in 1...6 { volley.noteEnd(of: ttl) }
        volley.leaveOut(after: nil, gapAfter: 2)
        #expect(!volley.hasSentAll)
        volley.noteEnd(of: 7)
        volley.leaveOut(after: nil, gapAfter: 2)
        #expect(volley.hasSentAll)
    }
}
