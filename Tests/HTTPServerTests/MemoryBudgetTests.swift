import HTTPServer
import Testing

/// The budget of the memory that clients can make the service hold.
@Suite struct MemoryBudgetTests {
    @Test func oneUseCannotExhaustTheBudget() {
        let budget = MemoryBudget(limitBytes: 1000)
        #expect(budget.charge(750, for: .bodies))
        #expect(!budget.charge(1, for: .bodies), "bodies have three quarters")
        #expect(budget.charge(250, for: .handshakes))
        #expect(!budget.charge(1, for: .handshakes), "and all together have the whole")
        budget.release(750, of: .bodies)
        #expect(budget.charge(250, for: .handshakes))
        #expect(!budget.charge(1, for: .handshakes), "handshakes have a half")
        #expect(budget.heldBytes == 500)
    }

    @Test func aRefusedChargeIsNotCounted() {
        let budget = MemoryBudget(limitBytes: 1000)
        for _ in 0..<10 { #expect(!budget.charge(900, for: .heads)) }
        #expect(budget.heldBytes == 0)
        #expect(budget.hasRoom(for: 250, of: .heads) && !budget.hasRoom(for: 251, of: .heads))
    }

    @Test func memoryHeldOverTheLimitIsCounted() {
        let budget = MemoryBudget(limitBytes: 1000)
        #expect(!budget.chargeAnyway(2000, for: .answers))
        #expect(!budget.charge(1, for: .bodies))
        budget.release(2000, of: .answers)
        #expect(budget.charge(1, for: .bodies))
    }

    @Test func shortBodiesAreNotCharged() {
        #expect(MemoryBudget.bodyCharge(1024) == 0)
        #expect(MemoryBudget.bodyCharge(1025) > 1025)
        #expect(MemoryBudget.bodyCharge(16 << 20) < 64 << 20)
    }

    @Test func theBudgetHasALowerAndAnUpperBound() {
        #expect(MemoryBudget.share(ofAvailable: 64 << 20) == 16 << 20)
        #expect(MemoryBudget.share(ofAvailable: 1 << 20) == 4 << 20)
        #expect(MemoryBudget.share(ofAvailable: 1 << 40) == 512 << 20)
    }

    @Test func bodiesOverTheBudgetAreRefusedAndChargesAreReleased() async throws {
        var limits = HTTPLimits()
        limits.memory = MemoryBudget(limitBytes: 16_000)
        try await withService(limits: limits) { service in
            let budget = limits.memory
            let head = "POST /long HTTP/1.1\r\nHost: a\r\nContent-Length: 1900\r\n\r\n"
            let first = try service.client()
            first.send(head + String(repeating: "b", count: 1899))
            #expect(await eventually { budget.heldBytes(by: .bodies) == 1899 * 6 })
            let second = try service.client()
            second.send(head)
            #expect(second.receiveResponse()?.status == 503)
            first.close()
            #expect(await eventually { budget.heldBytes == 0 })
            let third = try service.client()
            third.send(head + String(repeating: "b", count: 1900))
            #expect(third.receiveResponse()?.status == 200)
            #expect(await eventually { budget.heldBytes == 0 })
        }
    }

    @Test func longHeadsAreChargedUntilTheirRequestEnds() async throws {
        try await withService { service in
            let client = try service.client()
            client.send("GET /hang HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 9000))\r\n\r\n")
            let budget = service.memory
            #expect(await eventually { budget.heldBytes(by: .heads) > 9000 })
            client.close()
            #expect(await eventually { budget.heldBytes == 0 })
        }
    }
}
