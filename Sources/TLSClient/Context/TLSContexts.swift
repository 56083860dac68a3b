public import CheckModel
internal import COpenSSL
public import SocketIO

/// One worker's OpenSSL contexts (SSL_CTX): made once for each way in which requests ask for TLS, and used again.
///
/// A context costs as much as half a handshake, and what it trusts is read from files: neither is to be paid for each check.
/// Everything of it happens on the reactor's thread, and traps elsewhere.
public final class TLSContexts: Sendable {
    private let cache: ThreadBound<ContextCache>

    public init(reactor: Reactor) {
        cache = ThreadBound(ContextCache(), thread: reactor.thread)
    }

    /// A new connection that has not begun its handshake.
    ///
    /// What is asked for by names is looked up in `material`; contexts made from another material are given up.
    /// - Parameter host: the target's; nil for a UNIX-domain socket, which has no name to send or to verify but `server_name`.
    /// - Throws: TLS_PROTOCOL where OpenSSL takes no such options, or the material has no such entry (any more).
    public func channel(
        for options: TLSOptions, host: Host?, material: TLSMaterial
    ) throws(TLSHandshakeFailure) -> TLSChannel {
        let context = try cache.with { (cache) throws(TLSHandshakeFailure) in
            try cache.context(for: options, material: material)
        }
        return try TLSChannel(options: options, peer: PeerName(options: options, host: host), context: context)
    }

    /// Why OpenSSL would not take `tls.ciphers`; nil where it does.
    public static func flaw(inCiphers ciphers: String) -> String? {
        CipherList.flaw(in: ciphers)
    }
}
