import ArgumentParser
import CheckModel

/// What `check --nagios` takes beside it.
struct NagiosOptions: ParsableArguments {
    @Flag(
        help: "Print what Nagios and Icinga read, with performance data; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.")
    var nagios = false

    @Option(
        help: "With --nagios: WARNING where a check takes longer, as in 200ms (1ms … 60s).",
        transform: Duration.init(parsing:))
    var warning: Duration?

    @Option(
        help: "With --nagios: CRITICAL where a check takes longer, as in 1s (1ms … 60s).",
        transform: Duration.init(parsing:))
    var critical: Duration?

    @Option(help: "With --nagios: WARNING where a certificate of the chain expires within so many days.")
    var warningDays: Int?

    @Option(help: "With --nagios: CRITICAL where a certificate of the chain expires within so many days.")
    var criticalDays: Int?

    var limits: NagiosLimits {
        NagiosLimits(warning: warning, critical: critical, warningDays: warningDays, criticalDays: criticalDays)
    }

    func validate(for requests: [CheckRequest]) throws {
        if warningDays != nil || criticalDays != nil, requests.allSatisfy({ $0.tls == nil }) {
            throw ValidationError(
                "--warning-days and --critical-days need a handshake: name a tls:// target, or give --tls")
        }
    }

    func validate() throws {
        let hasLimit = warning != nil || critical != nil || warningDays != nil || criticalDays != nil
        if hasLimit && !nagios { throw ValidationError("--warning… and --critical… are for --nagios") }
        if let warning, let critical, critical.milliseconds < warning.milliseconds {
            throw ValidationError("--critical \(critical) is less than --warning \(warning)")
        }
        if let warningDays, let criticalDays, criticalDays > warningDays {
            throw ValidationError("--critical-days \(criticalDays) is more than --warning-days \(warningDays)")
        }
        for days in [warningDays, criticalDays].compactMap({ $0 }) where !(0...36_500).contains(days) {
            throw ValidationError("\(days) is no number of days from 0 to 36500")
        }
    }
}
