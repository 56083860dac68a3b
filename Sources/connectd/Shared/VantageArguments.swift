internal import ArgumentParser
import CheckModel
import Configuration
import ConnectAPI
import NetworkTypes

/// Reads the values of `--from`: `here`, places, and labels such as `region=us` or `region=us&tier=edge:2`.
enum VantageArguments {
    /// - Parameter values: each is a list with commas.
    /// - Returns: the selectors; empty for none.
    static func selectors(of values: [String]) throws -> [VantageSelector] {
        try values.flatMap { value in
            try value.split(separator: ",", omittingEmptySubsequences: false).map { try selector(String($0)) }
        }
    }

    /// Where the checks of one command run, each in one place.
    enum Places: Sendable {
        /// Any instance of the fleet.
        case any
        case listed([VantageSelector])

        /// Whether other places are asked.
        var isRemote: Bool {
            switch self {
            case .any: true
            case .listed(let selectors): selectors.contains { $0 != .here }
            }
        }

        func destinations(in fleet: any FleetAsking) -> BatchPlaces {
            switch self {
            case .any: BatchPlaces(fleet: fleet, destinations: [.any])
            case .listed(let selectors): BatchPlaces(fleet: fleet, selectors: selectors)
            }
        }
    }

    /// - Parameter values: as in `selectors`, or only `any`.
    static func places(of values: [String]) throws -> Places {
        if values == ["any"] { return .any }
        guard !values.contains(where: { $0.split(separator: ",").contains("any") }) else {
            throw ValidationError("--from any means every instance of the fleet: write it alone, or name places")
        }
        return .listed(try selectors(of: values))
    }

    /// - Parameters:
    ///   - isRemote: whether other places are asked.
    ///   - fleet: that of the configuration; nil if there is none.
    static func validate(isRemote: Bool, fleet: FleetSettings?, tls: TLSArguments) throws {
        guard isRemote else { return }
        guard fleet != nil else {
            throw ValidationError("--from needs a fleet: name a file with the key fleet by --config")
        }
        if tls.ca != nil {
            throw ValidationError("--ca names a file of this machine, which other places do not have: leave it out")
        }
    }

    private static func selector(_ text: String) throws -> VantageSelector {
        if text == "here" { return .here }
        if text == "any" { throw ValidationError("--from any names no place to compare: name places, or labels") }
        if text.contains("=") { return try labels(text) }
        guard let place = PlaceName(text) else {
            throw ValidationError(
                """
                --from "\(TerminalText.clean(text))" is not here, a place or labels: write a name such as fra1, \
                or labels such as region=us
                """)
        }
        return .place(place)
    }

    private static func labels(_ text: String) throws -> VantageSelector {
        var (list, limit) = (text[...], Int?.none)
        if let colon = text.lastIndex(of: ":"), let number = Int(text[text.index(after: colon)...]) {
            guard (1...VantageSelector.maximumPlaces).contains(number) else {
                throw ValidationError(
                    "--from \(TerminalText.clean(text)): the limit must be from 1 to \(VantageSelector.maximumPlaces)")
            }
            (list, limit) = (text[..<colon], number)
        }
        var labels: [String: String] = [:]
        for pair in list.split(separator: "&", omittingEmptySubsequences: false) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty, labels.updateValue(parts[1], forKey: parts[0]) == nil else {
                throw ValidationError(
                    "--from \(TerminalText.clean(text)) is not a list of different labels: write name=value&name=value")
            }
        }
        return .labels(labels, limit: limit)
    }
}
