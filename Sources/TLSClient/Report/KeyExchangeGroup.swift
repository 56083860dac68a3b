internal import COpenSSL

/// Names of key exchange groups, as IANA's registry "TLS Supported Groups" has them.
enum KeyExchangeGroup {
    /// nil where there is none, as with RSA key exchange, or it is not agreed on yet.
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
