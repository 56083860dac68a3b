import ArgumentParser
import CheckModel
import ConnectAPI
import NetworkTypes

/// The options of `check` and `wait` for what follows the connect.
struct HoldArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            After connecting, watch for this long whether the peer closes or resets the connection, such as 2s. The \
            timeout of a check includes it.
            """, valueName: "time"),
        transform: Duration.init(parsing:))
    var hold: Duration?

    @Flag(
        help: """
            TCP only: reset the connection instead of completing its handshake, so that the program that listens on the \
            port never sees it.
            """)
    var halfOpen = false

    func validate() throws {
        if hold != nil, halfOpen { throw ValidationError("--half-open and --hold exclude each other: use only one") }
    }
}

/// The options of `check` for several rounds.
struct CountArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Run this many rounds, and print statistics (1 … 1000). --timeout applies to each round; all rounds together \
            must fit into 60s. `connectd ping` has no such limit.
            """, valueName: "number"))
    var count: Int?

    @Option(
        help: ArgumentHelp(
            "The pause between two rounds of --count, such as 200ms (default: none).", valueName: "time"),
        transform: Duration.init(parsingWait:))
    var interval: Duration?

    func validate() throws {
        if let count, !(1...CheckRequest.largestCount).contains(count) {
            throw ValidationError("--count must be from 1 to \(CheckRequest.largestCount), got \(count)")
        }
        guard let interval else { return }
        guard (count ?? 1) > 1 else { throw ValidationError("--interval needs --count with 2 or more rounds") }
        guard interval.milliseconds <= 60_000 else {
            throw ValidationError("--interval must be from 0 to 60s, got \(interval)")
        }
    }
}

/// The options of a command for the hold and for several rounds.
struct RoundsArguments {
    var hold: HoldArguments
    /// nil for a command that has no such options.
    var count: CountArguments?

    func apply(to request: inout CheckRequest) {
        request.holdMilliseconds = UInt16(clamping: hold.hold?.milliseconds ?? 0)
        request.isHalfOpen = hold.halfOpen
        request.count = UInt16(clamping: count?.count ?? 1)
        request.intervalMilliseconds = UInt16(clamping: count?.interval?.milliseconds ?? 0)
    }
}

/// What makes no sense in a request from the command line, with the names of its options.
enum RoundsFlags {
    static func problems(with request: CheckRequest) -> [String] {
        let target = TerminalText.excerpt(request.target.text)
        return RoundsRules.flaws(of: request).map { flaw in
            "target \"\(target)\": \(names[flaw.path.joined(separator: ".")] ?? "the request") \(text(flaw.detail))"
        }
    }

    /// The options in place of the members of requests.
    private static let names = [
        "hold_ms": "--hold", "half_open": "--half-open", "count": "--count", "interval_ms": "--interval",
        "timeout_ms": "--timeout", "tls": "--tls", "dialog": "a dialog",
    ]

    private static func text(_ detail: String) -> String {
        var words: [String] = []
        for word in detail.split(separator: " ", omittingEmptySubsequences: false) {
            let name = word.prefix { $0.isLetter || $0 == "_" }
            let rest = word.dropFirst(name.count)
            // Not in `tls://`.
            let option = rest.hasPrefix(":") ? nil : names[String(name)]
            words.append((option ?? String(name)) + rest)
        }
        return words.joined(separator: " ")
    }
}
