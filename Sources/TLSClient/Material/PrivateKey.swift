internal import COpenSSL

/// A private key, held by one reference.
final class PrivateKey: Sendable {
    // SAFETY: an EVP_PKEY is counted by atomic operations, and nothing here changes it once it is parsed; what OpenSSL
    // caches in it for its providers is put there under a lock of its own, so threads may share it. The reference is given
    // back by `deinit` alone, when nobody holds the key any more.
    nonisolated(unsafe) let key: OpaquePointer

    /// Reads PEM: the first key, which must have no passphrase. No byte of it gets into an error.
    init(pem: [UInt8]) throws(TLSMaterialError) {
        var wasAsked = false
        let read = PEM.withBytes(pem) { bio in
            withUnsafeMutablePointer(to: &wasAsked) { PEM_read_bio_PrivateKey(bio, nil, refusePassphrase, $0) }
        }
        guard let key = read ?? nil else {
            throw TLSMaterialError(wasAsked ? "has a key that needs a passphrase" : "has no key that is readable")
        }
        self.key = key
    }

    deinit {
        EVP_PKEY_free(key)
    }
}
