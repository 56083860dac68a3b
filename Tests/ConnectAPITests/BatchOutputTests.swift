import CheckModel
@testable import ConnectAPI
import ErrorCatalogue
import HTTPServer
import Testing

/// The order and the bounds of a batch's results.
@Suite struct BatchOutputTests {
    private let memory = MemoryBudget(limitBytes: 1 << 30)

    private func output(_ form: BatchForm, _ count: Int = 3) -> BatchOutput {
        BatchOutput(form: form, count: count, memory: memory)
    }

    private func add(_ index: Int, _ text: String, to output: BatchOutput) {
        output.add(index, outcome: .connected, isOK: true) { Array(text.utf8) }
    }

    private func rest(of output: BatchOutput) async -> String {
        var bytes: [UInt8] = []
        while let next = await output.next() { bytes += next }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func aDocumentHasTheOrderOfTheRequest() async {
        let output = output(.document)
        output.begin(of: nil)
        for index in [2, 0, 1] { add(index, "\(index)", to: output) }
        output.end()
        let text = await rest(of: output)
        #expect(
            text.hasPrefix(
                #"{"results":[0,1,2],"summary":{"total":3,"ok":3,"by_outcome":{"connected":3},"duration_ms":"#))
        #expect(text.hasSuffix("}}\n"))
    }

    @Test func linesComeAsTheyAreKnown() async {
        let output = output(.lines)
        output.begin(of: nil)
        add(2, "two\n", to: output)
        #expect(await output.next() == Array("two\n".utf8))
        add(0, "zero\n", to: output)
        output.end()
        #expect(await rest(of: output).hasPrefix("zero\n{\"summary\":{"))
    }

    @Test func theSenderWaitsForAResult() async {
        let output = output(.lines)
        output.begin(of: nil)
        let first = Task { await output.next() }
        for _ in 0..<100 { await Task.yield() }
        add(0, "x\n", to: output)
        #expect(await first.value == Array("x\n".utf8))
        let last = Task { await output.next() }
        for _ in 0..<100 { await Task.yield() }
        output.abandon()
        #expect(await last.value == nil && output.isAbandoned)
    }

    @Test func linesThatAreNotReadStopTheStarts() async {
        let output = output(.lines, 100)
        output.begin(of: nil)
        let line = String(repeating: "x", count: 100_000)
        for index in 0..<3 {
            #expect(output.lastStart == .max)
            add(index, line, to: output)
        }
        #expect(output.lastStart == -1 && memory.heldBytes(by: .answers) == 262_144)
        for _ in 0..<3 { #expect(await output.next()?.count == line.utf8.count) }
        #expect(output.lastStart == .max)
        #expect(memory.heldBytes(by: .answers) == 0)
    }

    @Test func resultsThatWaitForTheFirstLeaveOnlyThatOne() async {
        let output = output(.document, 100)
        output.begin(of: nil)
        let result = String(repeating: "x", count: 12 << 20)
        for index in [2, 3, 4] { add(index, result, to: output) }
        #expect(output.lastStart == 0)
        add(0, "0", to: output)
        #expect(output.lastStart == 1)
        add(1, "1", to: output)
        #expect(output.lastStart == -1, "now all of them wait for the client")
        for _ in 0..<6 { _ = await output.next() }
        #expect(output.lastStart == .max)
    }

    @Test func theNextWriteWaitsForMoreOnlyWhileFewBytesAreReady() {
        let output = output(.lines, 100)
        output.begin(of: nil)
        #expect(output.isFilling)
        add(0, String(repeating: "x", count: 30_000), to: output)
        #expect(!output.isFilling)
        let ended = self.output(.lines)
        ended.begin(of: nil)
        ended.end()
        #expect(!ended.isFilling)
    }

    @Test func noOneEncodesForAnAbandonedOutput() {
        let output = output(.lines)
        output.begin(of: nil)
        output.abandon()
        output.add(0, outcome: .connected, isOK: true) {
            Issue.record("it was encoded")
            return []
        }
        #expect(output.finishedCount == 1)
    }

    @Test func anAbandonedOutputKeepsNothing() {
        let output = output(.lines, 100)
        output.begin(of: nil)
        add(0, String(repeating: "x", count: 200_000), to: output)
        output.abandon()
        #expect(memory.heldBytes(by: .answers) == 0)
        add(1, String(repeating: "x", count: 200_000), to: output)
        #expect(memory.heldBytes(by: .answers) == 0 && output.finishedCount == 2)
    }
}
