internal import CheckModel

/// How a conversation ended.
enum DialogEnding: Hashable, Sendable {
    /// Every step is done. `heard`: the peer has said something, if only an empty datagram.
    case completed(heard: Bool)
    /// The deadline came, or what came cannot match any more, or costs too much to match.
    case mismatch(heard: Bool)
    /// The stream ended while a step expected something.
    case closed
    /// send(2) or recv(2) failed. ICMP messages behind it are in the socket's error queue still.
    case failed(Errno)
    /// The task was cancelled.
    case cancelled
}
