/// How a command tells of wrong usage, and of what went wrong before it could do its work.
enum UsageConvention {
    /// Exit status 2, the reason on standard error.
    case usual
    /// Monitoring plugins: status 3, and a line on standard output, since nobody reads the other.
    case nagios
    /// A container's HEALTHCHECK knows 0 and 1 only; 2 is reserved.
    case health

    init(of arguments: [String]) {
        switch arguments.first {
        case "check": self = arguments.contains("--nagios") ? .nagios : .usual
        case "healthcheck": self = .health
        default: self = .usual
        }
    }

    /// The exit status of wrong usage.
    var usageStatus: Int32 {
        switch self {
        case .usual: 2
        case .nagios: NagiosState.unknown.rawValue
        case .health: 1
        }
    }

    /// The exit status where no check could be made at all.
    var failureStatus: Int32 {
        switch self {
        case .usual, .health: 1
        case .nagios: NagiosState.unknown.rawValue
        }
    }
}
