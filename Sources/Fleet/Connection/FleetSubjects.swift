internal import CheckModel

/// The NATS subjects of a fleet.
struct FleetSubjects: Sendable {
    /// The name of the service for `nats micro list`.
    static let service = "connectd"
    /// All instances are in this queue group, so that each check goes to one of them.
    static let group = "connectd"

    let prefix: String

    /// Checks for any instance.
    var anyCheck: String { prefix + ".check" }

    /// Checks for any instance of a place.
    func check(at place: PlaceName) -> String { "\(prefix).check.\(place.text)" }

    /// Where the answers to questions of one instance arrive. The broker can allow a place only its own.
    static func inbox(of place: PlaceName, _ instance: String) -> String {
        "_INBOX.connectd.\(place.text).\(instance)"
    }

    /// Whether an answer may be sent there. An answer to a subject of the fleet or of the services API would be a request.
    func mayReceiveAnswers(_ subject: String) -> Bool {
        !subject.hasPrefix("$") && subject != prefix && !subject.hasPrefix(prefix + ".")
    }
}

/// The header fields of the fleet's messages.
enum FleetHeader {
    /// When the asker no longer waits: milliseconds since 1970.
    static let deadline = "Connectd-Deadline"
    /// Who asks, for the log of the answering place.
    static let asker = "Connectd-Asker"
    /// The place that answers.
    static let place = "Connectd-Place"
    /// The instance that answers.
    static let instance = "Connectd-Instance"
    /// The HTTP status of an error, of the NATS services API (ADR-32).
    static let errorCode = "Nats-Service-Error-Code"
    static let error = "Nats-Service-Error"

    /// The longest value that is sent or believed, in bytes.
    private static let longestValue = 256

    /// A text as a value: visible ASCII and spaces, not too long.
    static func value(_ text: String) -> String {
        let bytes = text.utf8.prefix(longestValue).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The name of an asker in logs and metrics: visible ASCII, at most 128 bytes; `unknown` without one.
    static func askerName(_ text: String?) -> String {
        guard let text, (1...128).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return "unknown"
        }
        return text
    }
}
