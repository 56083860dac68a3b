/// One word for a whole check: a success, or the class of the error that ended it.
public enum Outcome: Hashable, Sendable {
    /// The connection is established, and what was asked for on it (a dialog) went well.
    case connected
    /// A datagram socket has its peer; nothing was heard from it.
    case associated
    /// A datagram peer answered.
    case answered
    case failed(ErrorClass)

    /// The word that users see.
    public var word: String {
        switch self {
        case .connected: "connected"
        case .associated: "associated"
        case .answered: "answered"
        case .failed(let errorClass): errorClass.rawValue
        }
    }

    public var isSuccess: Bool {
        switch self {
        case .connected, .associated, .answered: true
        case .failed: false
        }
    }

    /// The outcome with that word, or nil for a word that is none.
    public init?(word: some StringProtocol) {
        switch word {
        case "connected": self = .connected
        case "associated": self = .associated
        case "answered": self = .answered
        default:
            guard let errorClass = ErrorClass(rawValue: String(word)) else { return nil }
            self = .failed(errorClass)
        }
    }

    /// All outcomes, successes first.
    public static let all: [Outcome] = [.connected, .associated, .answered] + ErrorClass.allCases.map(Outcome.failed)
}
