internal import COpenSSL
public import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// One TLS connection over a connected stream socket, which stays the caller's.
///
/// It belongs to the task of its check, on the reactor's thread. OpenSSL sees memory only; the bytes pass through a
/// `SocketStream`. So an error of the kernel keeps its errno, and a peer cannot keep OpenSSL busy with more bytes than one
/// receive returns.
public final class TLSChannel {
    /// What the handshake has shown so far; complete once it ended, also where it failed.
    public internal(set) var report = TLSReport()

    /// Whether `handshake` waits for what a TLS 1.3 server says to our certificate; whoever reads an answer hears of it there.
    public var awaitsLateVerdict = true

    /// Whether nothing follows the handshake: close_notify then leaves with its last flight, in one packet.
    public var closesAfterHandshake = false

    let options: TLSOptions
    let context: TLSContext
    let record: HandshakeRecord
    let session: TLSSession
    var outbox = Outbox()
    var opening = PeerOpening()
    /// What the peer has sent in all.
    var receivedCount = 0
    /// What came since the last plaintext.
    var idleCount = 0
    /// The handshake is done and nothing has ended the connection since: close_notify may be said.
    var isOpen = false
    /// Whether OpenSSL has written close_notify.
    var isCloseWritten = false
    /// The peer says no more.
    var hasEnded = false
    /// OpenSSL had no ClientHello to give, and says so once only.
    var openingFailure: TLSHandshakeFailure?
    /// Plaintext whose ciphertext is in the outbox: it counts as sent when that has left.
    var encryptedCount = 0

    /// - Throws: TLS_PROTOCOL where OpenSSL does not take the name or the protocols.
    init(options: TLSOptions, peer: PeerName, context: TLSContext) throws(TLSHandshakeFailure) {
        guard let session = TLSSession(context: context.context) else { throw TLSContext.refusal("a connection") }
        self.options = options
        self.context = context
        self.session = session
        record = HandshakeRecord(
            mustVerify: options.verify, certificateLevel: context.certificateLevel, peer: peer,
            authorities: context.authorities,
            expectedAlert: options.expectedAlert)
        guard record.attach(to: self.session.ssl) else { throw TLSContext.refusal("a connection") }
        try prepare(peer)
        report.serverName = peer.serverName
    }

    private func prepare(_ peer: PeerName) throws(TLSHandshakeFailure) {
        guard peer.apply(to: session.ssl) else { throw TLSContext.refusal("this name") }
        guard offerProtocols() else { throw TLSContext.refusal("these application protocols") }
        connectd_ssl_ask_for_ocsp(session.ssl)
        // Whoever only looks wants to see weak certificates too; the verdict about them is given at the usual level.
        if !options.verify, !context.choosesLevel { SSL_set_security_level(session.ssl, 0) }
    }

    /// RFC 7301, 3.1: each name behind its length.
    private func offerProtocols() -> Bool {
        guard !options.alpn.isEmpty else { return true }
        var list: [UInt8] = []
        for name in options.alpn {
            guard (1...255).contains(name.utf8.count) else { return false }
            list.append(UInt8(name.utf8.count))
            list += name.utf8
        }
        // Zero is success here.
        return SSL_set_alpn_protos(session.ssl, list, UInt32(list.count)) == 0
    }

    /// The first bytes of the handshake (ClientHello), for TCP Fast Open. `handshake` sends them, as far as `noteSent` has
    /// not said that they have left.
    ///
    /// Empty if there is nothing to send: `handshake` then reports why.
    public func firstFlight() -> [UInt8] {
        if case .failed(let error) = session.handshake() {
            openingFailure = failure(from: error)
            return []
        }
        outbox.fill(from: session)
        return Array(outbox.unsent)
    }

    /// Notes that this many bytes of `firstFlight` have been sent.
    public func noteSent(_ count: Int) {
        outbox.drop(count)
    }
}

/// How much a peer may make of a connection.
enum TLSLimits {
    /// What one recv(2) takes: a record and a bit, RFC 8446, 5.2.
    static let receiveBytes = 16384
    /// All that a peer sends until the handshake is done. OpenSSL ends chains of more than 100 KiB by itself.
    static let handshakeBytes = 256 << 10
    /// What may come without any plaintext in it, once the handshake is done: tickets, or a flood.
    static let idleBytes = 128 << 10
    /// What waits to be sent while the peer talks: a record of ours, and answers to what it asks.
    static let unsentBytes = 64 << 10
    /// How many receives look for a peer's last bytes, at most.
    static let lastReceives = 4
    /// Plaintext of one send: a full record.
    static let sendBytes = 16384
    /// How long a server that asked for a certificate has for its verdict, RFC 8446, 4.4.2.4.
    static let verdictMilliseconds = 500
    /// What is shown of a peer that does not speak TLS.
    static let shownBytes = 1024
    /// What is reported of a chain: more than a verified one can have, so that its first end is among it.
    static let reportedCertificates = 128
}
