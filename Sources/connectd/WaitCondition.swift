import ArgumentParser
import CheckModel
import ConnectAPI

/// What `wait` waits for.
enum WaitCondition {
    /// The target is ok, as in `check`.
    case up
    /// The target or the network says no. What the prober, the resolver or the request is to blame for says nothing about it.
    case down
    case outcome(Expectation)

    init(parsing text: String) throws {
        switch text {
        case "up": self = .up
        case "down": self = .down
        default:
            guard let expectation = ExpectationDecoder.expectation(parsing: text) else {
                throw ValidationError(
                    """
                    --until "\(TerminalText.clean(text))" is not a state: write up, down, or an outcome: \
                    \(ExpectationDecoder.knownWords)
                    """)
            }
            self = .outcome(expectation)
        }
    }

    /// The request with its expectation: a line of `--file` that has one of its own keeps it.
    func apply(to request: inout CheckRequest) {
        if case .outcome(let expectation) = self, request.expectation == .transportSuccess {
            request.expectation = expectation
        }
    }

    func isMet(by result: CheckResult, of request: CheckRequest) -> Bool {
        switch self {
        case .up, .outcome: return CheckVerdict(result, of: request) == .ok
        case .down:
            if request.expectation != .transportSuccess { return CheckVerdict(result, of: request) == .ok }
            guard !result.outcome.isSuccess, let error = result.error else { return false }
            switch error.fault {
            case .target, .network: return true
            case .prober, .resolver, .request: return false
            }
        }
    }

    /// What is missing at the end: `there`, `down`, `refused`.
    var word: String {
        switch self {
        case .up: "there"
        case .down: "down"
        case .outcome(.oneOf(let outcomes)): outcomes.map(\.word).joined(separator: " or ")
        case .outcome(.not(let outcome)): "anything but \(outcome.word)"
        case .outcome(.transportSuccess): "there"
        }
    }

    /// The flag by which an unverified datagram socket is accepted.
    var acceptance: String { "--until associated" }
}
