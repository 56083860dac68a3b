@testable import CheckEngine
import Testing

@Suite struct AdmissionTests {
    /// The answer to a request for a permit, as a comparable value.
    private enum PermitAnswer: Equatable {
        case admitted, full, cancelled
    }

    /// Requests a permit, and returns it at once.
    private func request(_ admission: Admission) async -> PermitAnswer {
        switch await admission.acquire() {
        case .admitted: .admitted
        case .full: .full
        case .cancelled: .cancelled
        }
    }

    /// Requests a permit, and holds it while `body` runs.
    private func holding(_ admission: Admission, _ body: () async -> Void) async {
        guard case .admitted(let permit) = await admission.acquire() else {
            Issue.record("no permit")
            return
        }
        await body()
        _ = consume permit
    }

    private func waitUntil(_ condition: () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    @Test func aPermitIsReturnedByItsDeinit() async {
        let admission = Admission(limit: 1, queueLimit: 0)
        await holding(admission) { #expect(admission.inFlight == 1) }
        #expect(admission.inFlight == 0)
        #expect(await request(admission) == .admitted)
    }

    @Test func withoutAQueueTheSecondRequestIsRejected() async {
        let admission = Admission(limit: 1, queueLimit: 0)
        await holding(admission) {
            #expect(await request(admission) == .full)
        }
    }

    @Test func theQueueIsBoundedAndFIFO() async {
        let admission = Admission(limit: 1, queueLimit: 2)
        var waiting: [Task<PermitAnswer, Never>] = []
        await holding(admission) {
            for position in 1...2 {
                waiting.append(Task { await request(admission) })
                await waitUntil { admission.queued == position }
            }
            #expect(await request(admission) == .full)
        }
        for task in waiting { #expect(await task.value == .admitted) }
        #expect(admission.inFlight == 0)
        #expect(admission.queued == 0)
    }

    @Test func aCanceledRequestLeavesTheQueue() async {
        let admission = Admission(limit: 1, queueLimit: 1)
        await holding(admission) {
            let waiter = Task { await request(admission) }
            await waitUntil { admission.queued == 1 }
            waiter.cancel()
            #expect(await waiter.value == .cancelled)
            #expect(admission.queued == 0)
        }
        #expect(await request(admission) == .admitted)
    }

    @Test func `if sockets are scarce, further sockets use at most half`() async {
        let admission = Admission(limit: 1000, queueLimit: 0, socketLimit: 1000)
        #expect(admission.furtherSocketLimit == 500)
        let greedy = SocketShare(of: admission)
        // One check gets at most half of that, so that others get some.
        #expect(greedy.takeAtOnce(upTo: 900) == 250)
        let modest = SocketShare(of: admission)
        #expect(modest.takeAtOnce(upTo: 900) == 3)
        #expect(admission.furtherSockets == 253)
        greedy.giveBack(250)
        modest.giveBack(7)
        #expect(admission.furtherSockets == 0)
    }

    @Test(arguments: [(1, 129, 128), (64, 192, 128), (4096, 6144, 2048)])
    func `with enough sockets, one check can try all addresses at once`(limit: Int, sockets: Int, further: Int) {
        let admission = Admission(limit: limit, queueLimit: 0)
        #expect(admission.socketLimit == sockets && admission.furtherSocketLimit == further)
    }

    @Test func `permits and further sockets share the socket limit`() async {
        let admission = Admission(limit: 4, queueLimit: 4, socketLimit: 4)
        let share = SocketShare(of: admission)
        #expect(share.takeAtOnce(upTo: 4) == 2)
        var permits: [PermitBox] = []
        while let permit = admission.acquireAtOnce() { permits.append(PermitBox(permit)) }
        #expect(permits.count == 2)
        let waiter = Task { await request(admission) }
        await waitUntil { admission.queued == 1 }
        // A returned socket admits the next check.
        share.giveBack(1)
        #expect(await waiter.value == .admitted)
        permits = []
    }

    @Test func `a share returns all its sockets in its deinit`() {
        let admission = Admission(limit: 10, queueLimit: 0, socketLimit: 20)
        func take() { _ = SocketShare(of: admission).takeAtOnce(upTo: 5) }
        take()
        #expect(admission.furtherSockets == 0)
    }

    @Test func manyCancellationsLoseNoPermit() async {
        let admission = Admission(limit: 3, queueLimit: 1000)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<1000 {
                group.addTask {
                    let task = Task { await holdingBriefly(admission) }
                    if number.isMultiple(of: 3) { task.cancel() }
                    await task.value
                }
            }
        }
        #expect(admission.inFlight == 0)
        #expect(admission.queued == 0)
    }
}

/// Arrays cannot hold noncopyable values.
private final class PermitBox {
    private let permit: Permit

    init(_ permit: consuming Permit) {
        self.permit = permit
    }
}

private func holdingBriefly(_ admission: Admission) async {
    guard case .admitted(let permit) = await admission.acquire() else { return }
    await Task.yield()
    _ = consume permit
}
