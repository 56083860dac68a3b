internal import CheckModel

/// An address to listen on, with where it is said; nowhere for the default.
struct StatedAddress {
    let address: ListenAddress
    let text: LocatedText?

    init(_ address: ListenAddress, _ text: LocatedText? = nil) {
        self.address = address
        self.text = text
    }
}

extension StatedAddress {
    /// What is wrong with addresses that would be bound together: one socket cannot be there twice, nor serve two ends.
    static func problems(listen: [StatedAddress], health: [StatedAddress]) -> [ConfigurationProblem] {
        var earlier: [(key: String, stated: StatedAddress)] = []
        var problems: [ConfigurationProblem] = []
        for (key, stated) in listen.map({ ("listen", $0) }) + health.map({ ("health_listen", $0) }) {
            let rival = earlier.first { $0.stated.address.excludes(stated.address) }
            if let rival, let text = stated.text {
                problems.append(
                    text.problem(refusal(of: stated, key, beside: rival.stated, rival.key).about(text.text)))
            }
            earlier.append((key, stated))
        }
        return problems
    }

    private static func refusal(
        of stated: StatedAddress, _ key: String, beside rival: StatedAddress, _ rivalKey: String
    ) -> ValueRefusal {
        guard rival.address.isSameSocket(as: stated.address) else {
            return ValueRefusal(
                "cannot be bound beside \(rival.address.text) of \(rivalKey): one of them is every address")
        }
        let place = rival.text == nil ? "\(rivalKey), by default," : rivalKey
        return key == rivalKey
            ? ValueRefusal("is there already") : ValueRefusal("is in \(place) already: a socket serves one of both")
    }
}

extension ListenAddress {
    /// Whether bind(2) of one fails with EADDRINUSE because of the other. Port 0, given twice, is two ports; whether `[::]`
    /// takes IPv4's addresses too is the kernel's setting.
    fileprivate func excludes(_ other: ListenAddress) -> Bool {
        guard case .ip(let endpoint) = self, case .ip(let another) = other else { return isSameSocket(as: other) }
        guard endpoint.port == another.port, endpoint.port != 0 else { return false }
        if endpoint == another { return true }
        return endpoint.address.family == another.address.family
            && (endpoint.address.isWildcard || another.address.isWildcard)
    }
}

extension IPAddress {
    fileprivate var isWildcard: Bool {
        switch self {
        case .v4(let address): address.bits == 0
        case .v6(let address): address.bits == 0
        }
    }
}
