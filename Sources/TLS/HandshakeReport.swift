internal import COpenSSL
internal import CheckModel
internal import ErrorCatalogue
internal import SocketIO

// From OpenSSL to the report, once the handshake ended in whatever way.
extension TLSChannel {
    /// Completes the report, and checks a completed handshake against the request.
    func conclude(_ ending: TLSHandshakeOutcome) -> TLSHandshakeOutcome {
        describeParameters()
        describeCertificates(now: Clock.wallNanoseconds() / 1_000_000_000)
        if let expected = options.expectedAlert, record.hasExpectedAlert {
            report.alert = TLSAlertReport(alert: expected, sender: .peer)
            return .expectedAlert
        }
        switch ending {
        case .completed:
            return TLSRequirements(options: options, report: report).failure.map { .failed($0) } ?? .completed
        case .failed(let failure):
            report.alert = failure.alert
            return ending
        case .expectedAlert, .broken, .deadline, .cancelled:
            return ending
        }
    }

    private func describeParameters() {
        // Before the server has chosen, OpenSSL answers with what we would like best.
        guard record.hasServerHello else { return }
        report.version = String(cString: SSL_get_version(session.ssl))
        let cipher = SSL_get_current_cipher(session.ssl) ?? SSL_get_pending_cipher(session.ssl)
        report.cipher = cipher.map { String(cString: SSL_CIPHER_get_name($0)) }
        report.cipherStandardName = cipher.flatMap { SSL_CIPHER_standard_name($0) }.map { String(cString: $0) }
        report.group = KeyExchangeGroup.name(of: session.ssl)
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(session.ssl, &name, &length)
        report.alpn = name.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(length)), as: UTF8.self) }
    }

    private func describeCertificates(now: Int64) {
        report.isVerified = record.isVerified
        report.verifyError = record.verifyError
        guard let chain = record.chain else { return }
        report.chain = reports(of: chain, now: now)
        report.verifiedChain = record.verifiedChain.map { reports(of: $0, now: now) }
        if options.findsLongestChain, let verified = record.verifiedChain {
            report.longestChainEnd = ChainSearch.latestEnd(
                of: chain, verified: verified, store: context.authorities.store, level: record.certificateLevel)
        }
        describeStaple(chain, now: now)
    }

    private func reports(of chain: CertificateStack, now: Int64) -> [CertificateReport] {
        (0..<min(chain.count, TLSLimits.reportedCertificates)).compactMap { index in
            chain[index].map { context.reports.report(of: $0, now: now) }
        }
    }

    private func describeStaple(_ chain: CertificateStack, now: Int64) {
        var response: UnsafePointer<UInt8>?
        let length = connectd_ssl_get_ocsp(session.ssl, &response)
        guard length > 0, let response, let certificate = chain[0] else { return }
        report.ocsp = OCSPReader.judge(
            response: Array(UnsafeBufferPointer(start: response, count: length)), certificate: certificate,
            chain: (record.verifiedChain ?? chain).stack, store: context.authorities.store, now: now)
    }
}

/// Names of key exchange groups, as IANA's registry "TLS Supported Groups" has them.
enum KeyExchangeGroup {
    /// nil if there is none, as with RSA key exchange, or if it is not negotiated yet.
    static func name(of ssl: OpaquePointer) -> String? {
        let number = connectd_ssl_get_group(ssl)
        return number > 0 ? name(ofNumber: number) : nameOfPeerKey(ssl)
    }

    private static func name(ofNumber number: Int32) -> String? {
        switch number {
        case NID_X9_62_prime256v1: "secp256r1"
        case NID_X25519: "x25519"
        case NID_X448: "x448"
        case _: OBJ_nid2sn(number).map { String(cString: $0) }
        }
    }

    /// Where TLS 1.2 agreed on a group without a number: the key that the peer made for this connection.
    private static func nameOfPeerKey(_ ssl: OpaquePointer) -> String? {
        var key: OpaquePointer?
        guard connectd_ssl_get_peer_key(ssl, &key) == 1, let key else { return nil }
        defer { EVP_PKEY_free(key) }
        let kind = EVP_PKEY_get_base_id(key)
        if kind == NID_X25519 || kind == NID_X448 { return name(ofNumber: kind) }
        if let name = groupName(of: key) { return name == "prime256v1" ? "secp256r1" : name }
        return kind == NID_dhKeyAgreement ? "dh\(EVP_PKEY_get_bits(key))" : nil
    }

    private static func groupName(of key: OpaquePointer) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 80) { buffer in
            var length = 0
            guard EVP_PKEY_get_group_name(key, buffer.baseAddress, buffer.count, &length) == 1 else { return nil }
            return buffer.baseAddress.map { String(cString: $0) }
        }
    }
}
