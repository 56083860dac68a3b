internal import CheckModel
internal import TLSClient

/// How a conversation ended.
enum DialogEnding: Hashable, Sendable {
    /// Every step is done. `heard`: the peer has said something, if only an empty datagram.
    case completed(heard: Bool)
    /// The deadline came, or what came cannot match any more, or costs too much to match. `heard` is false if the deadline
    /// came and no byte arrived since the last step that expected something.
    case mismatch(heard: Bool)
    /// The deadline came before the prober had a thread to match with: nothing is known of the peer.
    case proberBusy
    /// The stream ended while a step expected something.
    case closed
    /// send(2) or recv(2) failed. ICMP messages behind it are in the socket's error queue still.
    case failed(Errno)
    /// An alert, or a breach of TLS, behind its handshake.
    case brokenTLS(TLSHandshakeFailure)
    /// The handshake of a step was not completed, or it ended the check with the alert that was expected.
    case handshake(TLSHandshakeEnding)
    /// A pattern matched that a step rejects.
    case rejected
    /// The task was cancelled.
    case cancelled

    init(_ error: TLSTransferError) {
        switch error {
        case .kernel(let error): self = .failed(error)
        case .tls(let failure): self = .brokenTLS(failure)
        }
    }
}
