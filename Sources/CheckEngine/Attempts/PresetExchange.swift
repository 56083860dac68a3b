internal import CheckModel
internal import NetworkTypes
internal import Presets
internal import SocketIO

/// One question to a UDP server, and the wait for its answer.
///
/// It sends one datagram and never repeats it. A datagram that is not an answer does not end the wait: anyone who can send
/// from the peer's address could otherwise fail the check, and the answer may still come.
/// It is an object because frames of functions that wait would otherwise contain copies of its members.
final class PresetExchange {
    enum Outcome {
        case answered(PresetAnswer)
        /// Datagrams arrived, but no answer until the deadline: the first of them, and what is wrong with it.
        case mismatch(AnswerFlaw, received: [UInt8])
        /// Nothing arrived until the deadline.
        case deadline
        case cancelled
        /// The socket's error queue still has the ICMP message, if there was one.
        case failed(Errno)
    }

    private let question: any PresetQuestion
    private let stream: SocketStream
    private var firstStray: Stray?
    private var strayCount = 0

    private struct Stray {
        let flaw: AnswerFlaw
        let received: [UInt8]
    }

    private static let longestDatagram = 65536
    /// So many datagrams without an answer end the wait: a peer that floods the prober must not cost it more time.
    private static let mostStrays = 64
    private static let shownBytes = 1024

    @inline(never)
    init(_ question: any PresetQuestion, on stream: SocketStream) {
        self.question = question
        self.stream = stream
    }

    /// Call it once.
    func run() async -> Outcome {
        let sent = Clock.wallNanoseconds()
        do throws(SocketStream.Failure) {
            try await stream.send(question.bytes)
            while strayCount < Self.mostStrays {
                let datagram = try await stream.receive(atMost: Self.longestDatagram)
                if let answer = read(datagram, sent: sent) { return .answered(answer) }
            }
            return outcomeOfDeadline
        } catch {
            switch error {
            case .kernel(let errno): return .failed(errno)
            case .deadline: return outcomeOfDeadline
            case .cancelled: return .cancelled
            }
        }
    }

    /// - Returns: nil if the datagram is not an answer.
    @inline(never)
    private func read(_ datagram: [UInt8], sent: Int64) -> PresetAnswer? {
        let times = ExchangeTimes(sentNanoseconds: sent, receivedNanoseconds: Clock.wallNanoseconds())
        do throws(AnswerFlaw) {
            return try question.answer(datagram, times)
        } catch {
            strayCount += 1
            if firstStray == nil {
                firstStray = Stray(flaw: error, received: Array(datagram.prefix(Self.shownBytes)))
            }
            return nil
        }
    }

    private var outcomeOfDeadline: Outcome {
        firstStray.map { .mismatch($0.flaw, received: $0.received) } ?? .deadline
    }
}
