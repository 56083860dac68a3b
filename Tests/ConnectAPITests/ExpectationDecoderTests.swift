import CheckModel
@testable import ConnectAPI
import ErrorCatalogue
import Testing

/// `expect` in a query: `refused`, `!connected`, `associated,answered`.
@Suite struct ExpectationDecoderTests {
    @Test func `every outcome is known by its word`() {
        for outcome in Outcome.all {
            #expect(ExpectationDecoder.expectation(parsing: outcome.word) == .oneOf([outcome]))
            #expect(ExpectationDecoder.expectation(parsing: "!" + outcome.word) == .not(outcome))
            #expect(ExpectationDecoder.knownWords.contains(outcome.word))
        }
    }

    @Test func `commas stand between several`() {
        #expect(
            ExpectationDecoder.expectation(parsing: "refused,reset,timeout")
                == .oneOf([.failed(.refused), .failed(.reset), .failed(.timeout)]))
    }

    @Test(arguments: [
        "", "!", ",", "refused,", ",refused", "!!refused", "refused,!reset", "!refused,reset", "Refused", " refused",
    ])
    func `anything else is none`(text: String) {
        #expect(ExpectationDecoder.expectation(parsing: text) == nil)
    }
}
