import CheckEngine
import CheckModel
import Configuration

/// Monitors of a configuration that its own policy denies: they would be down, whatever their targets do.
enum MonitorPolicyWarnings {
    /// One sentence for each such monitor, with the rule that decides.
    ///
    /// Only what the file itself tells is judged: addresses, paths and names. A name whose addresses the policy denies shows
    /// when the monitor runs.
    static func warnings(about settings: Settings) -> [String] {
        let policy = ServiceAssembly.policy(of: settings, listeningOn: settings.listen + settings.healthListen)
        return MonitorAssembly.definitions(from: settings).compactMap { monitor in
            let target = monitor.check.request.target
            guard case .deny(let reason) = verdict(on: target.peer, by: policy) else { return nil }
            return """
                monitors "\(monitor.name)": the policy denies \(target.text) (\(explanation(reason, policy))), \
                so the monitor will never be up
                """
        }
    }

    private static func verdict(on peer: Target.Peer, by policy: Policy) -> Verdict {
        switch peer {
        case .tcp(let host, let port): verdict(on: host, port, .tcp, by: policy)
        case .udp(let host, let port): verdict(on: host, port, .udp, by: policy)
        case .unix(_, let path): policy.judge(path: path)
        }
    }

    private static func verdict(on host: Host, _ port: UInt16, _ transport: Transport, by policy: Policy) -> Verdict {
        switch host {
        case .address(let address):
            policy.judge(IPEndpoint(address: address, port: port), transport: transport) { _ in false }
        case .name(let name): policy.judgeHost(name, port: port, transport: transport)
        }
    }

    private static func explanation(_ reason: DenialReason, _ policy: Policy) -> String {
        switch reason {
        case .profile: "profile \(policy.profile.rawValue): no rule allows it"
        case .unixPath: "no rule with path allows it"
        case .rule, .ownListener, .cloudMetadata, .linkLocal, .multicast, .broadcast, .unspecified, .reserved,
            .unresolved:
            reason.text
        }
    }
}
