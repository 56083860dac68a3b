internal import NetworkTypes

/// Reads observations about the prober's own limits.
enum ProberObserver {
    private static let unreadable = EvidenceValue.text("not readable")

    /// The state of this machine, and what it rules out.
    static func state(_ record: DiagnosisRecord) -> [Observation] {
        guard let route = record.route else { return [] }
        let state = record.after
        let source = route.source?.text ?? "none"
        var seen = [
            Observation(
                .proberState,
                "This machine sends from \(source), \(route.isOnLink ? "on its own network" : "through a gateway").",
                [
                    "source": .text(source), "ephemeral_ports": value(state.ephemeralPortCount),
                    "tcp_sockets": value(state.tcpSocketCount),
                    "descriptors": value(state.descriptorCount, of: state.descriptorLimit),
                    "conntrack": value(state.conntrackCount, of: state.conntrackLimit),
                ])
        ]
        if let sockets = state.tcpSocketCount, let ports = state.ephemeralPortCount, sockets < ports,
            let count = state.descriptorCount, let limit = state.descriptorLimit, count < limit
        {
            seen.append(Observation(.proberHasRoom, "This machine has free ports and descriptors."))
        }
        if let count = state.conntrackCount, let limit = state.conntrackLimit, count < limit {
            seen.append(Observation(.conntrackHasRoom, "The connection tracking table has free entries."))
        }
        return seen
    }

    private static func value(_ number: Int?) -> EvidenceValue { number.map(EvidenceValue.integer) ?? unreadable }

    private static func value(_ count: Int?, of limit: Int?) -> EvidenceValue {
        guard let count, let limit else { return unreadable }
        return .text("\(count) of \(limit)")
    }
}
