import AccessPolicy
import Configuration
import Testing

@Suite struct SecretTests {
    private static func load(tokens: String, mode: Int = 0o600) throws -> (settings: Settings, warnings: [String]) {
        let folder = try TemporaryFolder()
        try folder.write(tokens, to: "tokens", mode: mode)
        return try SettingsLoader.load(file: try folder.write("auth: {tokens_file: tokens}", to: "c.yaml"))
    }

    private static func load(key: [UInt8], mode: Int = 0o600) throws -> (settings: Settings, warnings: [String]) {
        let folder = try TemporaryFolder()
        try folder.write(key, to: "k", mode: mode)
        return try SettingsLoader.load(file: try folder.write("md5_keys: {k: {file: k}}", to: "c.yaml"))
    }

    @Test(arguments: [
        ("no colon but s3cret", 1, "got no colon"),
        ("# fine\n\nops:s3cret-0123456789\nops:s3cret-9876543210", 4, "has the same name as an earlier line"),
        ("ops:", 1, "has an empty token"), ("ops:   ", 1, "has an empty token"),
        (":s3cret", 1, "must start with a name"), ("s3cret s3cret:x", 1, "must start with a name"),
        ("ops:s3cret s3cret", 1, "text after the token that is not an option"), ("ops:s3crét", 1, "visible ASCII"),
        ("a:s3cret-0123456789\nb:s3cret-0123456789", 2, "has the same token as a"),
    ])
    func aBadLineIsReportedWithoutItsText(text: String, line: Int, reason: String) throws {
        let error = #expect(throws: ConfigurationProblems.self) { try Self.load(tokens: text) }
        let problem = try #require(error?.problems.first)
        #expect(error?.problems.count == 1 && problem.position?.line == line && problem.path == "auth.tokens_file")
        #expect(problem.reason.contains(reason), "\(problem.reason)")
        #expect(!"\(problem)".contains("s3c"))
    }

    @Test func commentsBlankLinesAndAnyLineEndsAreAccepted() throws {
        let text =
            "\u{FEFF}ops:s3cret-0123456789\r\n\r\n  # all\r\ndev:s3cret#9876543210 # of the team\rqa:s3cret-5432109876"
        let settings = try Self.load(tokens: text).settings
        #expect(settings.tokens.map(\.name) == ["ops", "dev", "qa"])
        #expect(settings.tokens[1].digest.matches(TokenDigest.digest(of: Array("s3cret#9876543210".utf8))))
    }

    @Test func aLineMayHoldADigestAndOptions() throws {
        let digest = TokenDigest.text(of: TokenDigest.digest(of: Array("s3cret-0123456789".utf8)))
        let text =
            "ops:\(digest) expires=2999-12-31 scope=checks,metrics\tprofile=public # ops\nci:\(digest.dropLast())0"
        let (settings, warnings) = try Self.load(tokens: text)
        #expect(warnings.isEmpty)
        let token = settings.tokens[0]
        #expect(token.digest.matches(TokenDigest.digest(of: Array("s3cret-0123456789".utf8))))
        #expect(token.expiry == 32_503_593_600 && token.scopes == [.checks, .metrics] && token.profile == .public)
        #expect(settings.tokens[1].expiry == nil && settings.tokens[1].scopes.count == 4)
        #expect(!token.isExpired(at: 32_503_593_599) && token.isExpired(at: 32_503_593_600))
    }

    @Test(arguments: [
        ("expires=2026-04-31", "an expiry that is not a date"), ("expires=2026-4-3", "an expiry that is not a date"),
        ("expires=2026-01-01T24:00:00Z", "an expiry that is not a date"),
        ("expires=2026-01-01T00:00:00", "an expiry that is not a date"), ("expires=", "an expiry that is not a date"),
        ("expires=1969-01-01", "an expiry that is not a date"),
        ("scope=check", "a scope that is not one of checks, probe"),
        ("scope=", "a scope that is not one of"), ("scope=checks scope=probe", "scope= twice"),
        ("profile=open", "a profile that is not one of rules"), ("until=2026-01-01", "not an option"),
        ("profile=public profile=rules", "profile= twice"), ("expires=2999-01-01 expires=2999-01-01", "expires= twice"),
    ])
    func aBadOptionIsReported(options: String, reason: String) throws {
        let error = #expect(throws: ConfigurationProblems.self) {
            try Self.load(tokens: "ops:s3cret-0123456789 \(options)")
        }
        #expect(
            error?.problems.count == 1 && error?.problems[0].reason.contains(reason) == true,
            "\(error.debugDescription)")
    }

    @Test(arguments: ["sha256:", "sha256:abc", "sha256:" + String(repeating: "g", count: 64)])
    func aBadDigestIsReported(digest: String) throws {
        let error = #expect(throws: ConfigurationProblems.self) { try Self.load(tokens: "ops:\(digest)") }
        #expect(error?.problems.first?.reason.contains("64 hexadecimal digits") == true)
    }

    @Test func anExpiredTokenWarns() throws {
        let (settings, warnings) = try Self.load(tokens: "ops:s3cret-0123456789 expires=2020-01-01")
        #expect(settings.tokens.count == 1 && warnings.contains { $0.hasSuffix("tokens:1: the token ops has expired") })
    }

    @Test func everyBadLineIsReported() throws {
        let error = #expect(throws: ConfigurationProblems.self) {
            try Self.load(tokens: "\u{FEFF}s3cret\r\nops:s3cret-0123456789\r\nops:s3c\rdev:s3cr et")
        }
        #expect(error?.problems.map { $0.position?.line } == [1, 3, 4])
        #expect(error.map { "\($0)".contains("s3c") } == false)
    }

    @Test func utf16IsRejected() throws {
        let folder = try TemporaryFolder()
        try folder.write([0xFF, 0xFE, 0x61, 0x00] as [UInt8], to: "tokens", mode: 0o600)
        let file = try folder.write("auth: {tokens_file: tokens}", to: "c.yaml")
        let error = #expect(throws: ConfigurationProblems.self) { try SettingsLoader.load(file: file) }
        #expect(error?.problems.first?.reason.contains("UTF-16") == true)
    }

    @Test(arguments: ["", "\n# none\n"]) func aFileWithoutTokensIsRejected(text: String) throws {
        let error = #expect(throws: ConfigurationProblems.self) { try Self.load(tokens: text) }
        #expect(error?.problems.first?.reason.contains("contains no token") == true)
    }

    @Test func aTokenMayContainColons() throws {
        let settings = try Self.load(tokens: "ops:a:b:c:0123456789abcdef").settings
        #expect(settings.tokens[0].digest.matches(TokenDigest.digest(of: Array("a:b:c:0123456789abcdef".utf8))))
    }

    @Test func weakTokensWarnWithoutTheirText() throws {
        let (settings, warnings) = try Self.load(tokens: "# a\nops:s3cret", mode: 0o644)
        #expect(settings.tokens.count == 1)
        #expect(warnings.count == 3)
        #expect(warnings.contains { $0.contains("world-readable") })
        #expect(
            warnings.contains { $0.contains("holds 1 token in plain text; store hashes instead: connectd token add") })
        #expect(warnings.contains { $0.hasSuffix("tokens:2: the token is shorter than 16 bytes") })
        #expect(!warnings.joined().contains("s3cret"))
        #expect(try Self.load(key: [1], mode: 0o604).warnings.count == 1)
    }

    @Test func allowAnonymousWithTokensWarns() throws {
        let folder = try TemporaryFolder()
        try folder.write("ops:0123456789abcdef", to: "tokens")
        let file = try folder.write("auth: {tokens_file: tokens}", to: "c.yaml")
        let warnings = try SettingsLoader.load(file: file, flags: Flags(allowAnonymous: true)).warnings
        #expect(warnings.contains { $0.hasPrefix("--allow-anonymous has no effect") })
    }

    @Test(arguments: [
        (Array("key\n".utf8), Array("key".utf8)), (Array("key\r\n".utf8), Array("key".utf8)), ([0, 255], [0, 255]),
        (Array("key\n\n".utf8), Array("key\n".utf8)),
        ([UInt8](repeating: 7, count: 80), [UInt8](repeating: 7, count: 80)),
    ])
    func aKeyIsTheFileWithoutItsLineEnd(file: [UInt8], key: [UInt8]) throws {
        #expect(try Self.load(key: file).settings.md5Keys["k"]?.reveal() == key)
    }

    @Test(arguments: [
        ([], "is empty"), (Array("\n".utf8), "is empty"), ([UInt8](repeating: 7, count: 81), "a key of 81 bytes"),
    ])
    func aKeyHasOneToEightyBytes(file: [UInt8], reason: String) throws {
        let error = #expect(throws: ConfigurationProblems.self) { try Self.load(key: file) }
        #expect(error?.problems.first?.path == "md5_keys.k.file")
        #expect(error?.problems.first?.reason.contains(reason) == true)
    }

    @Test func descriptionsDoNotContainSecrets() throws {
        let folder = try TemporaryFolder()
        try folder.write("ops:s3cret-s3cret-s3cret", to: "tokens")
        try folder.write("s3cret", to: "key")
        let text = "auth: {tokens_file: tokens}\nmd5_keys: {k: {file: key}}"
        let settings = try SettingsLoader.load(file: try folder.write(text, to: "c.yaml")).settings
        var shown = "\(settings) \(String(reflecting: settings)) \(settings.tokens) \(settings.tokens[0].digest)"
        dump(settings, to: &shown)
        dump(settings.tokens[0].digest, to: &shown)
        #expect(!shown.contains("s3cret") && !shown.contains("115, 51, 99"))
        #expect("\(settings.tokens[0].digest)" == "‹secret›")
        #expect(Mirror(reflecting: settings.tokens[0].digest).children.isEmpty)
    }

    @Test(arguments: [
        ("abc", "abc", true), ("abc", "abd", false), ("abc", "ab", false), ("abc", "abcd", false), ("abc", "", false),
        ("", "", true), ("", "a", false),
    ])
    func aSecretMatchesOnlyItself(secret: String, candidate: String, matches: Bool) {
        #expect(Secret(secret.utf8).matches(candidate.utf8) == matches)
    }
}
