import ArgumentParser
import CheckEngine

/// The options of `check` for many targets: concurrency, rate and retries.
struct PaceArguments: ParsableArguments {
    @Option(
        name: [.long, .customLong("parallel")],
        help: ArgumentHelp(
            "The maximum number of checks at once (default: 256, or fewer if the file descriptor limit is low).",
            valueName: "count"))
    var concurrency: Int?

    @Option(
        help: ArgumentHelp("The maximum number of checks at once per host; 0 means no limit.", valueName: "count"))
    var perHost = 0

    @Option(help: ArgumentHelp("The maximum number of checks to start per second.", valueName: "count"))
    var rate: Double?

    @Option(
        help: ArgumentHelp(
            """
            Repeat each check that timed out this many times (0 … 3) after the rest, one every 1.1 seconds. Routers \
            limit their ICMP errors to about one per second, so a rejected target can time out.
            """, valueName: "count"))
    var retryTimeouts = 0

    func validate() throws {
        if let concurrency, !(1...65_536).contains(concurrency) {
            throw ValidationError("--concurrency must be from 1 to 65536, got \(concurrency)")
        }
        if !(0...65_536).contains(perHost) {
            throw ValidationError("--per-host must be from 0 to 65536, got \(perHost)")
        }
        if let rate, !(rate >= 0.0001 && rate <= 1_000_000) {
            throw ValidationError("--rate must be from 0.0001 to 1000000 checks per second, got \(rate)")
        }
        if !(0...3).contains(retryTimeouts) {
            throw ValidationError("--retry-timeouts must be from 0 to 3, got \(retryTimeouts)")
        }
    }

    /// - Parameter descriptors: The maximum number of descriptors that one check holds at once.
    func options(descriptorsOfCheck descriptors: Int) -> BatchOptions {
        let limit = DescriptorBudget.checks(eachHolding: descriptors)
        var options = BatchOptions(concurrency: min(concurrency ?? 256, limit))
        options.perHost = perHost
        options.ratePerSecond = rate ?? 0
        options.timeoutRetries = retryTimeouts
        return options
    }
}
