internal import NetworkTypes

/// Destinations and ports of one rule that share their ports, written as compactly as the rule allows.
struct RulePart {
    /// Names of sets, blocks, hosts and full targets.
    let to: [String]
    /// Empty for full targets.
    let ports: [PortRange]
    /// Sets for hosts of one label, which `to` would take for names of sets.
    let hostSets: [NamedSet]

    /// `[22, "8000-8009"]`
    var portList: String {
        YAMLText.list(ports.map { $0.isUDP || $0.first != $0.last ? "\"\($0.text)\"" : $0.text })
    }

    /// The parts of some cases of a rule.
    /// - Parameter setNames: the names of the policy's sets.
    static func parts(
        of cases: [ReachabilityCase], _ rule: ReachabilityRule, setNames: Set<String>
    ) -> [RulePart] {
        var ports: [String: Set<CasePort>] = [:]
        var order: [String] = []
        for tested in cases {
            if ports[tested.destination] == nil { order.append(tested.destination) }
            ports[tested.destination, default: []].formUnion([tested.port].compactMap { $0 })
        }
        var groups: [Set<CasePort>: [String]] = [:]
        var groupOrder: [Set<CasePort>] = []
        for destination in order {
            let key = ports[destination] ?? []
            if groups[key] == nil { groupOrder.append(key) }
            groups[key, default: []].append(destination)
        }
        return groupOrder.map { key in
            var hostSets: [NamedSet] = []
            let to = entries(for: groups[key] ?? [], rule).map { entry in
                guard case .new(let text) = entry else { return entry.text }
                guard let set = hostSet(for: text, avoiding: setNames) else { return text }
                hostSets.append(set)
                return set.name
            }
            return RulePart(to: to, ports: ranges(key), hostSets: hostSets)
        }
    }

    private enum WrittenEntry {
        /// An entry of the original rule.
        case original(String)
        case new(String)

        var text: String {
            switch self {
            case .original(let text), .new(let text): text
            }
        }
    }

    private static func hostSet(for destination: String, avoiding names: Set<String>) -> NamedSet? {
        guard let entry = try? DestinationEntry(parsing: destination), case .host(.name(let host)) = entry,
            !host.contains("."), host.lowercased() != "localhost"
        else { return nil }
        var name = "host-\(host.prefix(48))"
        while names.contains(name) { name += "-" }
        return NamedSet(name: name, entries: [entry])
    }

    /// The entries of `to` that make exactly these destinations.
    private static func entries(for destinations: [String], _ rule: ReachabilityRule) -> [WrittenEntry] {
        var left = Set(destinations)
        var written: [WrittenEntry] = []
        for entry in rule.destinations {
            let all = Set(entry.entries.flatMap(\.destinations))
            guard !all.isEmpty, all.isSubset(of: left) else { continue }
            written.append(.original(entry.text))
            left.subtract(all)
        }
        return written + compressed(destinations.filter(left.contains)).map(WrittenEntry.new)
    }

    /// Joins addresses into blocks.
    private static func compressed(_ destinations: [String]) -> [String] {
        var entries: [String] = []
        var addresses: [IPv4Address] = []
        for destination in destinations {
            if case .v4(let address) = IPAddress(parsing: destination) {
                addresses.append(address)
            } else {
                entries.append(destination)
            }
        }
        return blocks(addresses.map(\.bits).sorted()) + entries
    }

    /// The fewest aligned blocks that contain exactly these addresses.
    private static func blocks(_ sorted: [UInt32]) -> [String] {
        var texts: [String] = []
        var index = 0
        while index < sorted.count {
            let first = sorted[index]
            var bits = 0
            while bits < 16, first.trailingZeroBitCount > bits, index + (1 << (bits + 1)) <= sorted.count,
                sorted[index + (1 << (bits + 1)) - 1] == first + (1 << (bits + 1)) - 1
            {
                bits += 1
            }
            let address = IPv4Address(bits: first).text
            texts.append(bits == 0 ? address : "\(address)/\(32 - bits)")
            index += 1 << bits
        }
        return texts
    }

    private static func ranges(_ ports: Set<CasePort>) -> [PortRange] {
        var ranges: [PortRange] = []
        for port in ports.sorted() {
            if let last = ranges.last, last.isUDP == port.isUDP, Int(last.last) + 1 == Int(port.number) {
                ranges[ranges.count - 1] = PortRange(isUDP: last.isUDP, last.first, port.number)
            } else {
                ranges.append(PortRange(isUDP: port.isUDP, port.number, port.number))
            }
        }
        return ranges
    }
}

extension DestinationEntry {
    /// As cases name them.
    fileprivate var destinations: [String] {
        switch self {
        case .target(let target): [target.text]
        case .host, .block: hosts.map(\.destinationText)
        }
    }
}
