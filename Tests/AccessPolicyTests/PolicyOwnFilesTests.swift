import AccessPolicy
import NetworkTypes
import Testing

/// connectd's own listeners under other names. The policy identifies them by the file.
@Suite struct PolicyOwnFilesTests {
    private static let own = FileIdentity(device: 7, inode: 11)

    private func policy(_ patterns: String...) throws -> Policy {
        Policy(
            rules: try patterns.map { try PolicyRule(action: .allow, path: $0) },
            ownPaths: [.path(Array("/run/own/http.sock".utf8))], ownFiles: [Self.own])
    }

    private func path(_ text: String) -> UnixAddress { .path(Array(text.utf8)) }

    @Test func `an own listener under another name needs a rule for exactly that name`() throws {
        let wide = try policy("/run/app/*")
        #expect(wide.judge(path: path("/run/app/x"), file: Self.own) == .deny(.ownListener))
        #expect(wide.judge(path: path("/run/app/x"), file: FileIdentity(device: 7, inode: 12)) == .allow)
        #expect(wide.judge(path: path("/run/app/x"), file: FileIdentity(device: 8, inode: 11)) == .allow)
        #expect(wide.judge(path: path("/run/app/x")) == .allow)
        #expect(try policy("/run/app/x").judge(path: path("/run/app/x"), file: Self.own) == .allow)
        #expect(try policy("/run/app/*", "/run/app/x").judge(path: path("/run/app/x"), file: Self.own) == .allow)
    }

    @Test func `the rule that allows a path as written is returned`() throws {
        let both = try policy("/run/app/*", "/srv/**")
        #expect(both.ruleAllowing(path: path("/run/app/x")) == 0)
        #expect(both.ruleAllowing(path: path("/srv/a/b")) == 1)
        for text in ["/run/x", "/run/app/../app/x", "/run/own/http.sock", "(unreachable)/srv/a", "srv/a"] {
            #expect(both.ruleAllowing(path: path(text)) == nil, "\(text)")
        }
    }
}
