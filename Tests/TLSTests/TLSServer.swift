import CLinux
import COpenSSL
import Foundation
import NetworkTypes
import SocketIO
import Testing

/// OpenSSL's server on loopback, in a thread of its own: one connection after the other, until the value is given up.
final class TLSServer: LoopbackPeer {
    struct Settings: Sendable {
        var identity: Identity
        /// What is sent behind the certificate.
        var chain: [Identity] = []
        var lowest = TLS1_2_VERSION
        var highest = TLS1_3_VERSION
        var ciphers: String?
        /// SSL_VERIFY_…
        var verify = SSL_VERIFY_NONE
        var clientAuthority: Identity?
        /// The one protocol that it speaks.
        var speaksH2Only = false
        /// It chooses a protocol that nobody offered, with an escape sequence of terminals in it.
        var choosesForeignProtocol = false
        var sendsTickets = true
        /// The OCSP response that it staples.
        var staple: Staple?
        /// SSL_CTX_set1_groups_list(3).
        var groups: String?
        /// For DHE in TLS 1.2.
        var finiteGroup: String?
    }

    /// What a behaviour gets: the connection, after SSL_accept(3) with its result.
    struct Connection {
        let ssl: OpaquePointer
        let number: Int32
        let isAccepted: Bool
    }

    let endpoint: IPEndpoint
    private let peer: RawPeer

    init(_ settings: Settings, _ behaviour: @escaping @Sendable (Connection) -> Void = { _ in }) throws {
        // A flaw of the settings is to be seen in the test, not in the thread.
        SSL_CTX_free(try settings.makeContext())
        peer = try RawPeer { number in
            guard let context = try? settings.makeContext() else { return }
            defer { SSL_CTX_free(context) }
            guard let ssl = SSL_new(context) else { return }
            defer { SSL_free(ssl) }
            SSL_set_fd(ssl, number)
            let isAccepted = SSL_accept(ssl) == 1
            behaviour(Connection(ssl: ssl, number: number, isAccepted: isAccepted))
            SSL_shutdown(ssl)
            // Until the client closes: what it still sends must not make a reset of the close.
            var rest = [UInt8](repeating: 0, count: 4096)
            shutdown(number, Int32(SHUT_WR))
            while recv(number, &rest, rest.count, 0) > 0 {}
        }
        endpoint = peer.endpoint
    }
}

extension TLSServer.Settings {
    func makeContext() throws -> OpaquePointer {
        let context = try #require(SSL_CTX_new(TLS_server_method()))
        SSL_CTX_set_security_level(context, 0)
        #expect(connectd_ssl_ctx_set_versions(context, lowest, highest) == 1)
        if let ciphers { #expect(SSL_CTX_set_cipher_list(context, ciphers) == 1) }
        let certificate = try identity.openCertificate()
        let key = try identity.openKey()
        #expect(SSL_CTX_use_certificate(context, certificate) == 1)
        #expect(SSL_CTX_use_PrivateKey(context, key) == 1)
        X509_free(certificate)
        EVP_PKEY_free(key)
        for link in chain {
            let certificate = try link.openCertificate()
            #expect(connectd_add_chain_certificate(context, certificate) == 1)
            X509_free(certificate)
        }
        SSL_CTX_set_verify(context, verify, nil)
        if let clientAuthority {
            let certificate = try clientAuthority.openCertificate()
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate)
            X509_free(certificate)
        }
        if speaksH2Only { SSL_CTX_set_alpn_select_cb(context, selectH2, nil) }
        if choosesForeignProtocol { SSL_CTX_set_alpn_select_cb(context, selectForeign, nil) }
        if !sendsTickets { SSL_CTX_set_num_tickets(context, 0) }
        staple?.set(on: context)
        if var groups = groups?.utf8CString.map({ $0 }) {
            #expect(SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, &groups) == 1)
        }
        if let finiteGroup { #expect(SSL_CTX_set0_tmp_dh_pkey(context, try Self.finiteKey(finiteGroup)) == 1) }
        return context
    }
}

extension TLSServer.Settings {
    private static func finiteKey(_ group: String) throws -> OpaquePointer {
        let context = try #require(EVP_PKEY_CTX_new_from_name(nil, "DH", nil))
        defer { EVP_PKEY_CTX_free(context) }
        EVP_PKEY_keygen_init(context)
        EVP_PKEY_CTX_set_group_name(context, group)
        var key: OpaquePointer?
        EVP_PKEY_generate(context, &key)
        return try #require(key)
    }
}

/// SSL_CTX_set_alpn_select_cb(3): `h2`, or a fatal alert.
private func selectH2(
    ssl: OpaquePointer?, selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, length: UnsafeMutablePointer<UInt8>?,
    offered: UnsafePointer<UInt8>?, offeredLength: UInt32, argument: UnsafeMutableRawPointer?
) -> Int32 {
    let list = Array(UnsafeBufferPointer(start: offered, count: Int(offeredLength)))
    var position = 0
    while position < list.count {
        let count = Int(list[position])
        if Array(list[(position + 1)..<(position + 1 + count)]) == Array("h2".utf8) {
            selected?.pointee = offered?.advanced(by: position + 1)
            length?.pointee = UInt8(count)
            return SSL_TLSEXT_ERR_OK
        }
        position += 1 + count
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}

/// What `selectForeign` chooses; C keeps a pointer to it.
private let foreignProtocol: StaticString = "h\u{1B}[2J"

private func selectForeign(
    ssl: OpaquePointer?, selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, length: UnsafeMutablePointer<UInt8>?,
    offered: UnsafePointer<UInt8>?, offeredLength: UInt32, argument: UnsafeMutableRawPointer?
) -> Int32 {
    selected?.pointee = foreignProtocol.utf8Start
    length?.pointee = UInt8(foreignProtocol.utf8CodeUnitCount)
    return SSL_TLSEXT_ERR_OK
}

extension TLSServer.Settings {
    /// What the server answers to a ClientHello: ServerHello and all that follows without waiting for the client.
    func flight(behind hello: [UInt8]) throws -> [UInt8] {
        let context = try makeContext()
        defer { SSL_CTX_free(context) }
        let ssl = try #require(SSL_new(context))
        defer { SSL_free(ssl) }
        let input = try #require(BIO_new(BIO_s_mem()))
        let output = try #require(BIO_new(BIO_s_mem()))
        SSL_set_bio(ssl, input, output)
        BIO_write(input, hello, Int32(hello.count))
        SSL_accept(ssl)
        let count = BIO_ctrl_pending(output)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(0, Int(BIO_read(output, buffer.baseAddress, Int32(count))))
        }
    }
}
