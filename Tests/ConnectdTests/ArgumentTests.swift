import ArgumentParser
import CheckEngine
import CheckModel
import ErrorCatalogue
import Foundation
import NetworkTypes
import Testing
@testable import connectd

@Suite("The arguments of check")
struct CheckArgumentTests {
    private func parse(_ arguments: String...) throws -> CheckCommand {
        try #require(try CheckCommand.parse(arguments) as CheckCommand?)
    }

    @Test("keep the order of a dialog across options")
    func dialogOrder() throws {
        let command = try parse(
            "a:1", "--match", "^220", "--send", "EHLO a\\r\\n", "--reject", "^5", "--match=^250", "--send", "QUIT\\r\\n"
        )
        #expect(
            command.dialog.steps == [
                .expect(pattern: "^220"), .send(text: "EHLO a\r\n"), .reject(pattern: "^5"), .expect(pattern: "^250"),
                .send(text: "QUIT\r\n"),
            ])
        #expect(try DialogArguments.dialog(command.dialog.steps) != nil)
    }

    @Test("support escapes in --send")
    func escapes() throws {
        #expect(try EscapedText.bytes("a\\r\\n\\t\\0\\\\\\x41\\xfF") == [0x61, 13, 10, 9, 0, 0x5C, 0x41, 0xFF])
        #expect(try EscapedText.bytes("grün") == Array("grün".utf8))
        for wrong in ["\\", "\\q", "\\x", "\\x4", "\\xzz"] {
            #expect(throws: ValidationError.self) { try EscapedText.bytes(wrong) }
        }
        #expect(try parse("a:1", "--send", "\\xff\\x00").dialog.steps == [.sendBytes([0xFF, 0])])
        #expect(throws: (any Error).self) { try parse("a:1", "--send", "\\xff${1}") }
    }

    @Test(
        "reject a dialog in which no step waits", arguments: [["--reject", "x"], ["--match", "a", "--reject", "b"]])
    func idleRejects(arguments: [String]) throws {
        let command = try CheckCommand.parse(["a:1"] + arguments)
        #expect(throws: ValidationError.self) { try DialogArguments.dialog(command.dialog.steps) }
    }

    @Test("name the option with the bad pattern")
    func badPattern() throws {
        let command = try parse("a:1", "--match", "(")
        do {
            _ = try DialogArguments.dialog(command.dialog.steps)
            Issue.record("accepted")
        } catch {
            #expect((error as? ValidationError)?.message.hasPrefix("--match") == true)
        }
    }

    @Test("select the address family by one of three options, or by the source")
    func families() throws {
        func family(_ arguments: String...) throws -> ResolveOptions.Family {
            var request = try Results.request("tcp://a:1")
            try CheckCommand.parse(["a:1"] + arguments).connection.apply(to: &request)
            return request.resolve.family
        }
        #expect(try family() == .any && family("-4") == .ipv4 && family("-6") == .ipv6)
        #expect(try family("--family", "ipv6") == .ipv6 && family("--source", "::1") == .ipv6)
        #expect(try family("--source", "127.0.0.1") == .ipv4)
        #expect(throws: (any Error).self) { try family("-4", "-6") }
        #expect(throws: (any Error).self) { try family("-6", "--source", "127.0.0.1") }
        #expect(throws: (any Error).self) { try family("--source", "eth0") }
        #expect(throws: (any Error).self) { try family("--interface", "a/b") }
    }

    @Test("accept one outcome, several, or a negated one")
    func expectations() throws {
        #expect(try parse("a:1", "--expect", "refused").expect == .oneOf([.failed(.refused)]))
        #expect(
            try parse("a:1", "--expect", "refused,timeout").expect == .oneOf([.failed(.refused), .failed(.timeout)]))
        #expect(try parse("a:1", "--expect", "!connected").expect == .not(.connected))
        #expect(throws: (any Error).self) { try parse("a:1", "--expect", "closed") }
        do {
            _ = try OutcomeExpectation.parse("timeout,refusedd")
            Issue.record("accepted")
        } catch {
            #expect(OutcomeExpectation.detail(error).contains("did you mean refused?"))
        }
    }

    @Test("have aliases from other programs")
    func aliases() throws {
        let command = try parse("a:1", "-t", "2s", "-k", "--parallel", "7", "-v")
        #expect(command.timeout?.milliseconds == 2000 && command.tls.noVerify && command.pace.concurrency == 7)
        #expect(command.verbose)
        #expect(try parse("a:1", "--insecure").tls.noVerify)
    }
}

@Suite("An unknown option")
struct OptionSuggestionTests {
    @Test("of another program gets a suggestion")
    func known() {
        let message = "Error: Unknown option '--sni'\nUsage: connectd check"
        #expect(
            OptionSuggestion.completed(message)
                == "Error: Unknown option '--sni': use --server-name\nUsage: connectd check")
        #expect(
            OptionSuggestion.completed("Error: Unknown option '-p'").hasPrefix(
                "Error: Unknown option '-p': write the port"))
    }

    @Test("that is misspelled gets the option of the program")
    func misspelled() {
        #expect(
            OptionSuggestion.completed("Error: Unknown option '--verion'\nUsage")
                == "Error: Unknown option '--verion'. Did you mean '--version'?\nUsage")
        let other = "Error: Unknown option '--verion'. Did you mean '--verbose'?\nUsage"
        #expect(OptionSuggestion.completed(other).contains("'--version'?"))
        let right = "Error: Unknown option '--verbos'. Did you mean '--verbose'?\nUsage"
        #expect(OptionSuggestion.completed(right) == right)
    }

    @Test(
        "without a suggestion leaves the message unchanged",
        arguments: ["Error: Unknown option '--xyz'\nUsage", "Usage", ""])
    func unknown(message: String) {
        #expect(OptionSuggestion.completed(message) == message)
    }
}
