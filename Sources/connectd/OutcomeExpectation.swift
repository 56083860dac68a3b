import ArgumentParser
import CheckModel
import ConnectAPI

/// Reads what a check is expected to end with: `refused`, `refused,timeout`, `!connected`.
enum OutcomeExpectation {
    static func parse(_ text: String) throws -> Expectation {
        guard let expectation = ExpectationDecoder.expectation(parsing: text) else {
            throw ValidationError(
                """
                "\(TerminalText.clean(text))" is not an outcome: write one of \(ExpectationDecoder.knownWords); several \
                with commas, or one with "!" before it
                """)
        }
        return expectation
    }

    static func detail(_ error: any Error) -> String {
        (error as? ValidationError)?.message ?? "\(error)"
    }
}
