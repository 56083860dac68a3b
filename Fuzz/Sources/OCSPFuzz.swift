internal import COpenSSL
internal import CheckModel
internal import Glibc
@testable internal import TLS

/// Stapled OCSP responses about the certificate in Fuzz/fixtures.
enum OCSPFuzz {
    /// `good`, `revoked` and `unknown` need a signature. So such a response has signed bytes of a file in the corpus, whose
    /// keys no longer exist.
    static func run(_ bytes: [UInt8]) {
        let fixture = Fixture.shared
        let report = OCSPReader.judge(
            response: bytes, certificate: fixture.leaf, chain: fixture.chain, store: fixture.store, now: fixture.now)
        expect(report.isStapled, "a response that was not stapled")
        expect(ERR_peek_error() == 0, "an error is left in OpenSSL's queue")
        expect(report.revokedAt == nil || report.status == .revoked, "a time of revocation without one")
        guard report.status != .invalid else { return }
        expect(report.thisUpdate.map { $0 <= fixture.now + OCSPReader.leewaySeconds } ?? false, "not valid yet")
        expect(report.nextUpdate.map { $0 >= fixture.now - OCSPReader.leewaySeconds } ?? true, "no longer valid")
        expect(fixture.signed.contains { bytes.contains($0) }, "a forged response was accepted")
    }

    /// An authority, a certificate that it has issued, and what it has signed.
    private final class Fixture: Sendable {
        static let shared = Fixture()

        // SAFETY: the fuzzer has one thread, and the process ends without freeing them.
        nonisolated(unsafe) let leaf: OpaquePointer
        nonisolated(unsafe) let chain: OpaquePointer
        nonisolated(unsafe) let store: OpaquePointer
        /// The signed parts of the responses in the corpus (ResponseData, RFC 6960, 4.2.1).
        let signed: [[UInt8]]
        /// A time at which the responses are valid: 2026-12-01.
        let now: Int64 = 1_796_083_200

        private init() {
            guard let leaf = Self.certificate("leaf"), let authority = Self.certificate("authority"),
                let chain = OPENSSL_sk_new_null(), let store = X509_STORE_new()
            else { fatalError("Fuzz/fixtures is incomplete, or this is not the project's folder") }
            OPENSSL_sk_push(chain, UnsafeRawPointer(authority))
            X509_STORE_add_cert(store, authority)
            self.leaf = leaf
            self.chain = chain
            self.store = store
            signed = ["good", "revoked", "unknown", "delegated"].map { Self.file("\($0).signed") }
        }

        private static func certificate(_ name: String) -> OpaquePointer? {
            let bytes = file("\(name).der")
            return bytes.withUnsafeBufferPointer { buffer in
                var position = buffer.baseAddress
                return d2i_X509(nil, &position, buffer.count)
            }
        }

        private static func file(_ name: String) -> [UInt8] {
            guard let file = fopen("Fuzz/fixtures/\(name)", "r") else {
                fatalError("Fuzz/fixtures/\(name) is missing: run the fuzzer in the project's folder")
            }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            let count = fread(&bytes, 1, bytes.count, file)
            return Array(bytes.prefix(count))
        }
    }
}
