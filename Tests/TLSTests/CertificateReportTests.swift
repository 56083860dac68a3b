import CheckModel
import Foundation
@testable import TLS
import Testing

@Suite struct CertificateReportTests {
    let tool: OpenSSLTool
    let now: Int64 = 1_800_000_000

    init() throws {
        tool = try OpenSSLTool()
    }

    private func report(_ pem: [UInt8]) throws -> CertificateReport {
        try withCertificate(pem) { CertificateReader.report(of: $0, now: now) }
    }

    /// What the command itself says of `a.pem`, behind the `=`.
    private func said(_ option: String...) throws -> String {
        let text = try tool("x509", "-in", "a.pem", "-noout", "-nameopt", "RFC2253", option[0])
        return text.split(separator: "=", maxSplits: 1).last.map(String.init) ?? ""
    }

    @Test func whatTheCommandSaysIsWhatIsReported() throws {
        let pem = try tool.selfSigned(
            "a", subject: "/C=DE/O=Example, Inc. \\+ Sons/OU=#1/CN=a.example", key: ["rsa:2048"])
        let report = try report(pem)
        #expect(report.subject == (try said("-subject")))
        #expect(report.issuer == (try said("-issuer")))
        #expect(report.subject.hasPrefix("CN=a.example,OU=\\#1,O=Example\\, Inc. \\+ Sons"))
        #expect(report.sha256 == (try fingerprint()))
        #expect(report.serial == (try said("-serial")).lowercased())
        #expect(report.keyType == "RSA")
        #expect(report.keyBits == 2048)
        #expect(report.signatureAlgorithm == "sha256WithRSAEncryption")
        let end = try #require(report.notAfter)
        #expect(report.notBefore == end - 10 * 86_400)
        #expect(report.expiresInSeconds == end - now)
        #expect(report.publicKeySHA256 == (try publicKeyHash()))
        #expect(report.subjectAlternativeNames.isEmpty)
        #expect(report.furtherNamesCount == 0)
    }

    private func fingerprint() throws -> String {
        try tool("x509", "-in", "a.pem", "-noout", "-fingerprint", "-sha256").split(separator: "=").last
            .map { $0.replacing(":", with: "").lowercased() } ?? ""
    }

    private func publicKeyHash() throws -> String {
        try tool("x509", "-in", "a.pem", "-noout", "-pubkey", "-out", "key.pem")
        try tool("pkey", "-pubin", "-in", "key.pem", "-outform", "DER", "-out", "key.der")
        return String(try tool("dgst", "-sha256", "-r", "key.der").prefix(64))
    }

    @Test(arguments: [
        (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "EC", 256, "ecdsa-with-SHA256"),
        (["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "EC", 384, "ecdsa-with-SHA256"),
        (["ed25519"], "ED25519", 256, "ED25519"), (["ed448"], "ED448", 456, "ED448"),
        (["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], "RSA-PSS", 2048, "rsassaPss"),
        (["rsa:1024"], "RSA", 1024, "sha256WithRSAEncryption"),
    ])
    func keysAreNamed(_ key: [String], _ type: String, _ bits: Int, _ signature: String) throws {
        let report = try report(try tool.selfSigned("a", key: key))
        #expect(report.keyType == type)
        #expect(report.keyBits == bits)
        #expect(report.signatureAlgorithm == signature)
        #expect(report.publicKeySHA256 == (try publicKeyHash()))
    }

    /// The octets of the magnitude, as `openssl x509 -serial` has them.
    @Test(arguments: [
        ("0x00ab", "ab"), ("0x0a", "0a"), ("0x01", "01"), ("0x7f", "7f"), ("0x0a1b2c", "0a1b2c"),
        ("0x00ff00000000000000000000000000000000000000", "ff00000000000000000000000000000000000000"), ("-1", "-01"),
        ("-128", "-80"), ("-0xab", "-ab"), ("0", "00"),
    ])
    func serialsKeepTheirOctets(_ serial: String, _ expected: String) throws {
        let report = try report(try tool.selfSigned("a", serial: serial))
        #expect(report.serial == expected)
        #expect(report.serial == (try said("-serial")).lowercased())
    }

    @Test func alternativeNamesAreListedByKind() throws {
        try tool.write(
            """
            [san]
            subjectAltName=@names
            [names]
            DNS.1=a.example
            DNS.2=*.b.example
            IP.1=192.0.2.1
            IP.2=2001:DB8:0:0:0:0:0:1
            URI.1=https://a.example/x?y
            email.1=me@a.example
            RID.1=1.2.3.4
            dirName.1=directory
            otherName.1=1.3.6.1.4.1.311.20.2.3;FORMAT:UTF8,UTF8:ü@b.example
            otherName.2=1.2.3;INTEGER:7
            [directory]
            O=Example
            CN=d
            [req]
            distinguished_name=directory
            x509_extensions=san
            string_mask=utf8only
            utf8=yes
            """, to: "c.cnf")
        try tool(
            "req", "-x509", "-nodes", "-newkey", "ed25519", "-keyout", "a.key", "-out", "a.pem", "-subj", "/CN=a",
            "-config", "c.cnf", "-utf8")
        let names = try report(try tool.bytes(of: "a.pem")).subjectAlternativeNames
        #expect(
            names == [
                "DNS:a.example", "DNS:*.b.example", "IP:192.0.2.1", "IP:2001:db8::1", "URI:https://a.example/x?y",
                "email:me@a.example", "RegisteredID:1.2.3.4", "DirName:CN=d,O=Example",
                "otherName:1.3.6.1.4.1.311.20.2.3:ü@b.example", "otherName:1.2.3",
            ])
    }

    @Test func tenThousandNamesAreCountedAndAHundredListed() throws {
        let names = (0..<10_000).map { "DNS.\($0)=n\($0).example" }.joined(separator: "\n")
        try tool.write(
            "[req]\ndistinguished_name=d\nx509_extensions=e\n[d]\n[e]\nsubjectAltName=@n\n[n]\n\(names)\n", to: "c")
        try tool(
            "req", "-x509", "-nodes", "-newkey", "ed25519", "-keyout", "a.key", "-out", "a.pem", "-subj", "/CN=a",
            "-config", "c")
        let report = try report(try tool.bytes(of: "a.pem"))
        #expect(report.subjectAlternativeNames == (0..<100).map { "DNS:n\($0).example" })
        #expect(report.furtherNamesCount == 9900)
    }

    /// Extensions in DER, as nobody's tool would write them.
    @Test(arguments: [
        ("820961006578616d706c65", "DNS:a\\x00example"), ("8203610a62", "DNS:a\\x0Ab"), ("8202c3bc", "DNS:\\xC3\\xBC"),
        ("8203615c62", "DNS:a\\\\b"), ("82031b5b41", "DNS:\\x1B[A"), ("8200", "DNS:"),
        ("870301020a", "IP:invalid 01020a"), ("8700", "IP:invalid "),
    ])
    func evilNamesAreEscaped(_ name: String, _ expected: String) throws {
        let sequence = "30" + String(format: "%02x", name.utf8.count / 2) + name
        let pem = try tool.selfSigned("a", extensions: ["subjectAltName=DER:\(sequence)"])
        #expect(try report(pem).subjectAlternativeNames == [expected])
    }

    @Test func longValuesAreCut() throws {
        let long = String(repeating: "x", count: 3000)
        let pem = try tool.selfSigned("a", extensions: ["subjectAltName=URI:\(long)"])
        let name = try #require(try report(pem).subjectAlternativeNames.first)
        #expect(name == "URI:" + String(repeating: "x", count: 1017) + "…")
        #expect(name.utf8.count == 1024)
    }

    @Test func namesInUTF8AreReadableAndControlCharactersAreNot() throws {
        #expect(
            try report(try tool.selfSigned("a", subject: "/O=Müller & Söhne/CN=例え")).subject == "CN=例え,O=Müller & Söhne"
        )
        let evil = try report(try tool.selfSigned("b", subject: "/O=\u{202E}live\u{9B}/CN=\u{1B}[2J\u{7}"))
        #expect(evil.subject == "CN=\\1B[2J\\07,O=\\E2\\80\\AElive\\C2\\9B")
    }

    @Test func datesBefore1970AndAfter2049AreTold() throws {
        try tool.selfSigned("a")
        try tool.write("", to: "index")
        try tool.write(
            "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index\npolicy=p\ndefault_md=sha256\nrand_serial=yes\n[p]\ncommonName=supplied\n",
            to: "ca")
        try tool("req", "-new", "-key", "a.key", "-subj", "/CN=b", "-out", "b.csr")
        try tool(
            "ca", "-batch", "-config", "ca", "-selfsign", "-keyfile", "a.key", "-in", "b.csr", "-out", "b.pem",
            "-startdate", "19600102030405Z", "-enddate", "21500102030405Z", "-notext")
        let report = try report(try tool.bytes(of: "b.pem"))
        #expect(report.notBefore == (try seconds("1960-01-02T03:04:05Z")))
        #expect(report.notAfter == (try seconds("2150-01-02T03:04:05Z")))
    }

    private func seconds(_ text: String) throws -> Int64 {
        Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970)
    }
}
