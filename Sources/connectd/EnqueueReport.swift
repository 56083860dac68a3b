/// What a check costs in hand-overs to executors: printed at the end for benchmarks that ask for it.
enum EnqueueReport {
    static let variable = "CONNECTD_COUNT_ENQUEUES"

    static func printIfAsked(enqueues: UInt64, checks: UInt64) {
        guard Environment.all[variable] != nil, checks > 0 else { return }
        let hundredths = (enqueues * 100 + checks / 2) / checks
        let fraction = hundredths % 100
        Output.errorLine("enqueues per check: \(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)")
    }
}
