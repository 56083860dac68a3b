import AccessPolicy
import Configuration
import Testing

/// The files under `authorities` and `client_certificates`.
@Suite struct CertificateTests {
    private static let pair = CertificatePair()

    private static func load(
        certificate: String = pair.certificate, key: String = pair.key, mode: Int = 0o600, targets: String = ""
    ) throws -> (settings: Settings, warnings: [String]) {
        let folder = try TemporaryFolder()
        try folder.write(pair.certificate, to: "ca.pem", mode: 0o644)
        try folder.write(certificate, to: "p.pem", mode: 0o644)
        try folder.write(key, to: "p.key", mode: mode)
        let text = """
            authorities: {internal: {file: ca.pem}}
            client_certificates:
              probe: {certificate: p.pem, key: p.key\(targets)}
            """
        return try SettingsLoader.load(file: try folder.write(text, to: "c.yaml"))
    }

    @Test func entriesAreLoadedUnderTheirNames() throws {
        let (settings, warnings) = try Self.load()
        #expect(warnings.isEmpty)
        #expect(Array(settings.authorities.keys) == ["internal"])
        #expect(Array(settings.clientCertificates.keys) == ["probe"])
        #expect(settings.clientCertificates["probe"]?.targets == nil)
    }

    @Test func targetsArePatterns() throws {
        let targets = try Self.load(targets: ", targets: ['*.internal:443', '[::1]:*']").settings
            .clientCertificates["probe"]?.targets
        #expect(targets?.map(\.text) == ["*.internal:443", "[::1]:*"])
    }

    @Test func aWorldReadableKeyWarnsButNotACertificate() throws {
        let warnings = try Self.load(mode: 0o604).warnings
        #expect(warnings.count == 1)
        #expect(warnings[0].hasPrefix("client_certificates.probe.key: "))
    }

    @Test func descriptionsDoNotContainAKey() throws {
        let settings = try Self.load().settings
        var shown = "\(settings) \(String(reflecting: settings))"
        dump(settings, to: &shown)
        let line = try #require(Self.pair.key.split(separator: "\n").dropFirst().first)
        #expect(!shown.contains(line))
    }

    @Test(arguments: ["", "no certificate", CertificatePair().key])
    func aFileWithoutACertificateIsNamed(text: String) throws {
        let error = #expect(throws: ConfigurationProblems.self) { try Self.load(certificate: text) }
        let problem = try #require(error?.problems.first)
        #expect(error?.problems.count == 1)
        #expect(problem.path == "client_certificates.probe.certificate" && problem.position?.line == 3)
        #expect(problem.reason.contains("p.pem\""))
    }

    @Test(arguments: ["", "no key", CertificatePair().certificate, CertificatePair().otherKey])
    func aKeyThatIsInvalidOrDoesNotMatchIsNamed(text: String) throws {
        let error = #expect(throws: ConfigurationProblems.self) { try Self.load(key: text) }
        let problem = try #require(error?.problems.first)
        #expect(error?.problems.count == 1)
        #expect(problem.path == "client_certificates.probe.key" && problem.position?.line == 3)
        #expect(problem.reason.contains("p.key\""))
    }

    @Test(arguments: ["", "no certificate", CertificatePair().key])
    func anAuthorityNeedsACertificate(text: String) throws {
        let folder = try TemporaryFolder()
        try folder.write(text, to: "ca.pem")
        let file = try folder.write("authorities:\n  internal: {file: ca.pem}", to: "c.yaml")
        let error = #expect(throws: ConfigurationProblems.self) { try SettingsLoader.load(file: file) }
        let problem = try #require(error?.problems.first)
        #expect(error?.problems.count == 1)
        #expect(problem.path == "authorities.internal.file" && problem.position?.line == 2)
        #expect(problem.reason.contains("ca.pem\""))
    }
}
