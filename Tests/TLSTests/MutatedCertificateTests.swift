import COpenSSL
import CheckModel
@testable import TLS
import Testing

/// Certificates and responses as an evil peer would send them.
@Suite struct MutatedCertificateTests {
    private let now: Int64 = 1_800_000_000

    /// A linear congruential generator (Knuth's MMIX): the same numbers in each run.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private func isPrintable(_ text: String) -> Bool {
        text.utf8.count <= 1024
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }

    @Test func whateverIsReportedIsPrintableAndShort() throws {
        let tool = try OpenSSLTool()
        let names = "DNS:a.example,IP:192.0.2.1,IP:2001:db8::1,URI:https://a,email:a@b,RID:1.2.3,otherName:1.2;UTF8:x"
        try tool.selfSigned(
            "a", subject: "/C=DE/O=Müller/CN=a.example", key: ["ed25519"], extensions: ["subjectAltName=\(names)"])
        try tool("x509", "-in", "a.pem", "-outform", "DER", "-out", "a.der")
        let good = try tool.bytes(of: "a.der")
        var generator = Generator(state: 3)
        var reports = 0
        var unknownKeys = 0
        for _ in 0..<5000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = UInt8.random(in: 0...255, using: &generator)
            }
            let certificate = bytes.withUnsafeBufferPointer { buffer in
                var position = buffer.baseAddress
                return d2i_X509(nil, &position, buffer.count)
            }
            guard let certificate else { continue }
            defer { X509_free(certificate) }
            let report = CertificateReader.report(of: certificate, now: now)
            reports += 1
            unknownKeys += report.keyType == "unknown" ? 1 : 0
            let texts =
                [report.subject, report.issuer, report.serial, report.keyType, report.signatureAlgorithm]
                + report.subjectAlternativeNames
            #expect(texts.allSatisfy(isPrintable))
        }
        // Most bytes are not part of the structure.
        #expect(reports > 1000)
        #expect(unknownKeys > 10)
    }
}
