import ArgumentParser
import ErrorCatalogue
import Testing
@testable import connectd

@Suite("The command line")
struct CommandLineTests {
    @Test(
        "of wait ends at --, before the command",
        arguments: [
            (["wait", "a:1", "--", "sh", "-c", "x"], ["wait", "a:1"], ["sh", "-c", "x"]),
            (["wait", "a:1", "--", "env", "--", "x"], ["wait", "a:1"], ["env", "--", "x"]),
            (["wait", "a:1", "--"], ["wait", "a:1"], []),
            (["wait", "a:1"], ["wait", "a:1"], []),
            (["check", "--", "a:1"], ["check", "--", "a:1"], []),
        ] as [([String], [String], [String])])
    func terminator(arguments: [String], own: [String], command: [String]) {
        let split = ProgramArguments.split(arguments)
        #expect(split.own == own)
        #expect(split.command == command)
    }

    @Test(
        "has exit statuses by the convention of its caller",
        arguments: [
            (["check", "x"], 2, 1), (["check", "--nagios"], 3, 3), (["wait", "--nagios"], 2, 1),
            (["healthcheck", "x"], 1, 1), ([], 2, 1),
        ] as [([String], Int32, Int32)])
    func conventions(arguments: [String], usage: Int32, failure: Int32) {
        let convention = UsageConvention(of: arguments)
        #expect(convention.usageStatus == usage)
        #expect(convention.failureStatus == failure)
    }

    @Test(
        "accepts durations with units",
        arguments: [("0", 0), ("0s", 0), ("1ms", 1), ("60s", 60_000), ("5m", 300_000), ("24h", 86_400_000)])
    func times(text: String, milliseconds: Int) throws {
        #expect(try Duration(parsingWait: text).milliseconds == milliseconds)
    }

    @Test(
        "rejects other durations",
        arguments: ["", "1", "s", "-1s", "1.5s", "1 s", "25h", "9223372036854775807h", "99999999999999999999s", "1d"])
    func noTimes(text: String) {
        #expect(throws: ValidationError.self) { try Duration(parsingWait: text) }
        #expect(throws: ValidationError.self) { try Duration(parsing: text) }
    }

    @Test("limits the timeout of a check to a minute", arguments: ["0", "0s", "61s", "2m", "1h"])
    func timesOfChecks(text: String) {
        #expect(throws: ValidationError.self) { try Duration(parsing: text) }
    }
}

@Suite("An unknown error name")
struct ErrorSuggestionTests {
    @Test(
        "gets suggestions of similar names",
        arguments: [
            ("econrefused", "ECONNREFUSED"), ("ETIMEOUT", "ETIMEDOUT"), ("hostunreach", "EHOSTUNREACH"),
            ("unreachable", "DNS_UNREACHABLE"), ("prober_exhausted", "EMFILE"),
        ])
    func near(name: String, expected: String) {
        #expect(ErrorSuggestion.names(near: name).contains(expected))
    }

    @Test(
        "gets no suggestion if nothing is similar",
        arguments: ["", "x", "qqqqqqqq", String(repeating: "E", count: 9999)])
    func farFromAll(name: String) {
        #expect(ErrorSuggestion.names(near: name).isEmpty)
        #expect(ErrorSuggestion.complaint(about: name).utf8.count < 200)
    }

    @Test("can be another errno of Linux", arguments: ["18", "exdev"])
    func otherNumbers(name: String) {
        #expect(ErrorSuggestion.complaint(about: name).hasPrefix("EXDEV (errno 18, Invalid cross-device link)"))
    }

    @Test("is explained in lines of limited length")
    func explanations() {
        for entry in ErrnoCatalogue.entries {
            let lines = ErrorExplanation.text(entry).split(separator: "\n")
            #expect(lines[0].hasPrefix(entry.name))
            #expect(lines.allSatisfy { $0.count <= 100 }, "\(entry.name)")
        }
        let table = ErrorTable.text(ErrnoCatalogue.entries)
        #expect(table.split(separator: "\n").count == ErrnoCatalogue.entries.count + 1)
    }
}

/// proc_pid_cmdline(5).
@Suite struct ProgramArgumentTests {
    @Test(arguments: [
        ("connectd\0check\0a:1\0", ["connectd", "check", "a:1"]), ("connectd\0", ["connectd"]),
        ("connectd\0check\0\0x\0", ["connectd", "check", "", "x"]), ("connectd\0\0", ["connectd", ""]),
        ("connectd\0a b\0é\0", ["connectd", "a b", "é"]),
    ])
    func theKernelsListIsSplitAtNULs(list: String, arguments: [String]) {
        #expect(ProgramArguments.arguments(of: Array(list.utf8)) == arguments)
    }
}
