import CheckModel
@testable import ConnectAPI
import ErrorCatalogue
import Testing

/// `expect` in a query: `refused`, `!connected`, `associated,answered`.
@Suite struct ExpectationDecoderTests {
    @Test func `every outcome is accepted by its name`() {
        for outcome in Outcome.all {
            #expect(ExpectationDecoder.expectation(parsing: outcome.word) == .oneOf([outcome]))
            #expect(ExpectationDecoder.expectation(parsing: "!" + outcome.word) == .not(outcome))
            #expect(ExpectationDecoder.knownWords.contains(outcome.word))
        }
    }

    @Test func `several outcomes are separated by commas`() {
        #expect(
            ExpectationDecoder.expectation(parsing: "refused,reset,timeout")
                == .oneOf([.failed(.refused), .failed(.reset), .failed(.timeout)]))
    }

    @Test(arguments: [
        "", "!", ",", "refused,", ",refused", "!!refused", "refused,!reset", "!refused,reset", "Refused", " refused",
    ])
    func `anything else is refused`(text: String) {
        #expect(ExpectationDecoder.expectation(parsing: text) == nil)
    }
}
