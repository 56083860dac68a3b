import Testing

@testable import ConnectAPI

/// The table of all clients: what one client uses does not change what another one may do.
struct ClientTableTests {
    private let ann = Client.token("ann")
    private let bob = Client.token("bob")

    @Test func eachClientHasItsOwnRate() {
        let table = ClientTable(limitBytes: 1 << 20)
        #expect(table.take(ann, rate: 1) == 0)
        #expect(table.take(ann, rate: 1) > 0)
        #expect(table.take(bob, rate: 1) == 0)
    }

    @Test func permitsAreLimitedAndReturned() {
        let table = ClientTable(limitBytes: 1 << 20)
        #expect(table.acquire(upTo: 3, for: ann, limit: 5) == 3)
        #expect(table.acquire(upTo: 3, for: ann, limit: 5) == 2)
        #expect(table.acquire(upTo: 3, for: ann, limit: 5) == 0)
        #expect(table.acquire(upTo: 9, for: bob, limit: 5) == 5)
        table.release(2, of: ann)
        #expect(table.acquire(upTo: 3, for: ann, limit: 5) == 2)
    }

    @Test func aPermitReturnsWhatItHas() {
        let table = ClientTable(limitBytes: 1 << 20)
        do {
            let permit = ClientPermit(table.acquire(upTo: 2, for: ann, limit: 2), of: ann, in: table)
            #expect(permit.count == 2)
            #expect(table.acquire(upTo: 1, for: ann, limit: 2) == 0)
        }
        #expect(table.acquire(upTo: 2, for: ann, limit: 2) == 2)
    }

    @Test func targetsOfAllClientsAreBounded() {
        let table = ClientTable(limitBytes: 1)
        var counted = 0
        for hash in 0..<5000 as Range<UInt32> {
            let client = Client.token("client-\(hash % 7)")
            if table.note(target: hash, of: client, limit: 1_000_000) == 0 { counted += 1 }
        }
        #expect(counted == 1024)
        #expect(table.note(target: 0, of: .token("client-0"), limit: 1_000_000) == 0, "a known target")
    }

    @Test func addressesShareAnEntryOfAFullTableAndTokensDoNot() {
        let table = ClientTable(limitBytes: 1 << 20, mostClients: 10)
        for number in 0..<10 { #expect(table.acquire(upTo: 1, for: .connection("\(number)"), limit: 1) == 1) }
        #expect(table.acquire(upTo: 1, for: .connection("new"), limit: 1) == 1)
        #expect(table.acquire(upTo: 1, for: .connection("newer"), limit: 1) == 0, "shares an entry with the one before")
        #expect(table.acquire(upTo: 1, for: .connection("3"), limit: 1) == 0, "has its own entry")
        #expect(table.acquire(upTo: 1, for: ann, limit: 1) == 1)
        #expect(table.acquire(upTo: 1, for: bob, limit: 1) == 1)
    }

    @Test func quietClientsMakeRoom() {
        let table = ClientTable(limitBytes: 1 << 20, mostClients: 10)
        for number in 0..<1000 {
            let client = Client.connection("\(number)")
            #expect(table.acquire(upTo: 1, for: client, limit: 1) == 1)
            table.release(1, of: client)
        }
        #expect(table.clientCount <= 11)
        #expect(table.acquire(upTo: 1, for: .connection("new"), limit: 1) == 1)
        #expect(table.acquire(upTo: 1, for: .connection("newer"), limit: 1) == 1)
    }

    @Test func aClientHasOneLineInTenSeconds() {
        let table = ClientTable(limitBytes: 1 << 20)
        #expect(table.refusalsToLog(of: ann) == 1)
        for _ in 0..<100 { #expect(table.refusalsToLog(of: ann) == nil) }
        #expect(table.refusalsToLog(of: bob) == 1)
    }
}
