import ArgumentParser
import CheckEngine

/// The options of `check` about many targets: how many at once, how fast, and what to repeat.
struct PaceArguments: ParsableArguments {
    @Option(
        name: [.long, .customLong("parallel")],
        help: ArgumentHelp(
            "How many checks run at once, at most (default: 256, or what the limit of descriptors allows).",
            valueName: "count"))
    var concurrency: Int?

    @Option(
        help: ArgumentHelp("How many checks of one host run at once, at most; 0 means no limit.", valueName: "count"))
    var perHost = 0

    @Option(help: ArgumentHelp("How many checks start per second, at most.", valueName: "count"))
    var rate: Double?

    @Option(
        help: ArgumentHelp(
            """
            Repeat each check that timed out so many times (0 … 3) after the rest, one every 1.1 seconds. Routers limit \
            their ICMP errors to about one a second, so that rejected targets can look like timeouts.
            """, valueName: "count"))
    var retryTimeouts = 0

    func validate() throws {
        if let concurrency, !(1...65_536).contains(concurrency) {
            throw ValidationError("--concurrency takes 1 to 65536, got \(concurrency)")
        }
        if !(0...65_536).contains(perHost) { throw ValidationError("--per-host takes 0 to 65536, got \(perHost)") }
        if let rate, !(rate >= 0.0001 && rate <= 1_000_000) {
            throw ValidationError("--rate takes 0.0001 to 1000000 checks per second, got \(rate)")
        }
        if !(0...3).contains(retryTimeouts) {
            throw ValidationError("--retry-timeouts takes 0 to 3, got \(retryTimeouts)")
        }
    }

    /// - Parameter descriptors: how many one check may hold at once.
    func options(descriptorsOfCheck descriptors: Int) -> BatchOptions {
        let limit = DescriptorBudget.checks(eachHolding: descriptors)
        var options = BatchOptions(concurrency: min(concurrency ?? 256, limit))
        options.perHost = perHost
        options.ratePerSecond = rate ?? 0
        options.timeoutRetries = retryTimeouts
        return options
    }
}
