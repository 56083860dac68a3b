public import CheckModel

/// The question of one attempt, with random numbers that its answer must repeat.
///
/// It does no I/O. A datagram that repeats other numbers, or that does not keep to the protocol, is not an answer.
public protocol PresetQuestion: Sendable {
    /// The datagram to send.
    var bytes: [UInt8] { get }

    /// Reads a datagram from the peer.
    /// - Throws: why it is not an answer.
    func content(of datagram: [UInt8], _ times: ExchangeTimes) throws(AnswerFlaw) -> PresetAnswer.Content
}

extension PresetQuestion {
    /// Reads a datagram from the peer.
    /// - Throws: why it is not an answer.
    public func answer(_ datagram: [UInt8], _ times: ExchangeTimes) throws(AnswerFlaw) -> PresetAnswer {
        PresetAnswer(byteCount: datagram.count, content: try content(of: datagram, times))
    }
}

extension UDPPreset {
    /// Makes a question, with new random numbers.
    /// - Parameter port: the target's port. IKE over port 4500 has a marker in front (RFC 3948).
    public func question(port: UInt16) -> any PresetQuestion {
        var generator = SystemRandomNumberGenerator()
        return question(port: port, using: &generator)
    }

    package func question(port: UInt16, using generator: inout some RandomNumberGenerator) -> any PresetQuestion {
        switch self {
        case .dns: DNSQuestion(using: &generator)
        case .ntp: NTPQuestion(using: &generator)
        case .stun: STUNQuestion(using: &generator)
        case .snmp: SNMPQuestion(using: &generator)
        case .ike: IKEQuestion(hasMarker: port == IKEQuestion.portWithMarker, using: &generator)
        case .quic: QUICQuestion(using: &generator)
        }
    }
}

/// When a question was sent and its answer received, by the prober's wall clock: nanoseconds since 1970.
public struct ExchangeTimes: Hashable, Sendable {
    public let sentNanoseconds: Int64
    public let receivedNanoseconds: Int64

    public init(sentNanoseconds: Int64, receivedNanoseconds: Int64) {
        self.sentNanoseconds = sentNanoseconds
        self.receivedNanoseconds = receivedNanoseconds
    }
}

/// Why a datagram is not an answer to the question.
public struct AnswerFlaw: Error, Hashable, Sendable {
    /// A predicate about the datagram, such as "has another transaction ID".
    public let detail: String

    init(_ detail: String) {
        self.detail = detail
    }

    static let cutOff = AnswerFlaw("ends too early")
    static let hasRest = AnswerFlaw("has more bytes than its lengths say")
}

extension RandomNumberGenerator {
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }
}
