/// The keys of one entry of `monitors`.
enum MonitorKey: String, CaseIterable {
    case name, required
    case interval = "interval_ms"
    case upAfter = "up_after"
    case downAfter = "down_after"
    case check

    static let intervalRange = 100...86_400_000
    static let countRange = 1...1000
}
