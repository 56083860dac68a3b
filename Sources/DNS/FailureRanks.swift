internal import CheckModel

extension ResolveFailure {
    /// Of several servers' failures the highest is reported: an answer before silence, silence before a closed way.
    var rankAmongServers: Int {
        switch self {
        case .cancelled: 0
        case .unreachable: 1
        case .timeout: 2
        case .badAnswer: 3
        case .formatError, .notImplemented, .responseCode: 4
        case .refused: 5
        case .serverFailure: 6
        case .noData: 7
        case .nxdomain: 8
        }
    }

    /// Of the failures of two families, or of several names of a search, the highest is reported: what leaves open
    /// whether there is an address before what denies it.
    var rankAmongNames: Int {
        switch self {
        case .cancelled: 0
        case .nxdomain: 1
        case .noData: 2
        case .unreachable: 3
        case .badAnswer: 4
        case .formatError, .notImplemented, .responseCode: 5
        case .refused: 6
        case .serverFailure: 7
        case .timeout: 8
        }
    }

    /// Whether the name's next search expansion is asked behind it, as the C library does.
    var continuesSearch: Bool {
        switch self {
        case .nxdomain, .noData, .serverFailure: true
        case .refused, .formatError, .notImplemented, .responseCode, .timeout, .unreachable, .badAnswer, .cancelled: false
        }
    }
}
