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
    /// So many receives without a wait between them give the others on the thread a turn.
    static let receivesOfTurn = 4
    /// Plaintext of one send: a full record.
    static let sendBytes = 16384
    /// How long a server that asked for a certificate has for its verdict, RFC 8446, 4.4.2.4.
    static let verdictMilliseconds = 500
    /// What is shown of a peer that does not speak TLS.
    static let shownBytes = 1024
    /// What is reported of a chain: more than a verified one can have, so that its first end is among it.
    static let reportedCertificates = 128
}
