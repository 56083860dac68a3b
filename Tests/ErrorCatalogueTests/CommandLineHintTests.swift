@testable import ErrorCatalogue
import Foundation
import Testing

@Suite("Hints on the command line")
struct CommandLineHintTests {
    private static let all = Array(Set(ErrnoCatalogue.entries.map(\.hint) + Hints.all)).sorted()

    @Test("do not mention JSON members", arguments: all)
    func members(hint: String) {
        let text = CommandLineHint(hint).text()
        #expect(!text.contains("\""), "a quoted name: \(text)")
        let members = [
            "timeout_ms", "hold_ms", "interval_ms", "server_name", "min_days_left", "verify_error", "not_before",
            "not_after", "client_certificate", "tcp_md5", "md5_keys", "min_version", "max_version", "expect_alert",
            "limits.in_flight", "policy.rules", "sans", "tcp_syn_retries",
        ]
        for member in members { #expect(!text.contains(member), "\(member): \(text)") }
        for object in ["icmp", "tls", "bind", "resolve", "socket", "dialog", "trace", "attempts", "error"] {
            // A full stop is followed by a space or nothing.
            let parts = text.components(separatedBy: "\(object).").dropFirst()
            #expect(parts.allSatisfy { $0.first?.isLetter != true }, "\(object): \(text)")
        }
    }

    @Test("contain no unfilled placeholder", arguments: all)
    func placeholders(hint: String) {
        let text = CommandLineHint(hint).text()
        #expect(!text.contains("{") && !text.contains("}"), "\(text)")
        #expect(text.utf8.count <= 300)
        #expect(text.first?.isLowercase != true || text.hasPrefix("connectd"), "\(text)")
    }

    @Test("contain values")
    func values() {
        let hint = CommandLineHint(Hints.prohibitedOnPath)
        let text = hint.text([.sender: "10.0.0.1", .meaning: "administratively prohibited", .source: "10.0.0.9"])
        #expect(
            text == """
                Ask the owner of 10.0.0.1, a firewall or router on the path, to allow 10.0.0.9 and this port: it prohibits \
                this connection (administratively prohibited).
                """)
        #expect(hint.prints(.sender) && !hint.prints(.names))
    }

    @Test("differ from the API's hints only where necessary")
    func templates() {
        for (hint, template) in CommandLineHints.templates {
            #expect(hint != template)
            #expect(Self.all.contains(hint), "nothing has this hint any more: \(hint)")
        }
    }

    @Test("contain values with braces unchanged")
    func braces() {
        #expect(CommandLineHint("a {sender} b").text([.sender: "{x} {timeout}"]) == "a {x} {timeout} b")
    }
}
