import CheckEngine
import Testing

@Suite struct AdmissionTests {
    /// What came of asking, as a value that can be compared.
    private enum Answer: Equatable {
        case admitted, full, cancelled
    }

    /// Asks, and gives a permit back at once.
    private func ask(_ admission: Admission) async -> Answer {
        switch await admission.acquire() {
        case .admitted: .admitted
        case .full: .full
        case .cancelled: .cancelled
        }
    }

    /// Asks, and holds the permit while `body` runs.
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

    @Test func aPermitIsGivenBackWhenItIsLetGo() async {
        let admission = Admission(limit: 1, queueLimit: 0)
        await holding(admission) { #expect(admission.inFlight == 1) }
        #expect(admission.inFlight == 0)
        #expect(await ask(admission) == .admitted)
    }

    @Test func withoutAQueueTheSecondIsTurnedAway() async {
        let admission = Admission(limit: 1, queueLimit: 0)
        await holding(admission) {
            #expect(await ask(admission) == .full)
        }
    }

    @Test func theQueueIsBoundedAndServedInOrder() async {
        let admission = Admission(limit: 1, queueLimit: 2)
        var waiting: [Task<Answer, Never>] = []
        await holding(admission) {
            for position in 1...2 {
                waiting.append(Task { await ask(admission) })
                await waitUntil { admission.queued == position }
            }
            #expect(await ask(admission) == .full)
        }
        for task in waiting { #expect(await task.value == .admitted) }
        #expect(admission.inFlight == 0)
        #expect(admission.queued == 0)
    }

    @Test func whoeverIsCancelledLeavesTheQueue() async {
        let admission = Admission(limit: 1, queueLimit: 1)
        await holding(admission) {
            let waiter = Task { await ask(admission) }
            await waitUntil { admission.queued == 1 }
            waiter.cancel()
            #expect(await waiter.value == .cancelled)
            #expect(admission.queued == 0)
        }
        #expect(await ask(admission) == .admitted)
    }

    @Test func aStormOfCancellationsLosesNoPermit() async {
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

private func holdingBriefly(_ admission: Admission) async {
    guard case .admitted(let permit) = await admission.acquire() else { return }
    await Task.yield()
    _ = consume permit
}
