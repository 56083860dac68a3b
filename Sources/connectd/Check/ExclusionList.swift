import ArgumentParser
import NetworkTypes

/// The values of `--exclude`: hosts, addresses, CIDRs and targets that are not checked.
///
/// It compares what is written: a name that resolves to an excluded address is not excluded.
struct ExclusionList: Sendable {
    private var hosts: Set<String> = []
    private var peers: Set<Target.Peer> = []
    /// Blocks of one address each, so that a long list of addresses is not searched.
    private var addresses: Set<AddressRange> = []
    private var ranges: [AddressRange] = []

    /// - Parameter values: `@FILE` reads further values from a file, one per line.
    /// - Throws: `ValidationError` with all invalid values.
    init(_ values: [String]) throws {
        var problems = ProblemList()
        for value in values {
            guard value.hasPrefix("@") else {
                add(value, at: nil, &problems)
                continue
            }
            let name = String(value.dropFirst())
            try LineReader.forEachLine(of: name) { bytes, number in
                let text = String(decoding: bytes, as: UTF8.self).prefix { $0 != "#" }
                let words = text.unicodeScalars.split { $0.properties.isWhitespace }
                for word in words {
                    add(String(Substring(word)), at: ReportLocation(file: name, line: number), &problems)
                }
            }
        }
        try problems.throwIfAny()
    }

    private mutating func add(_ text: String, at location: ReportLocation?, _ problems: inout ProblemList) {
        if let target = try? Target(parsing: text) {
            peers.insert(target.peer.comparable)
        } else if let range = try? AddressRange(parsing: text.unbracketed) {
            if range.isSingleAddress { addresses.insert(range) } else { ranges.append(range) }
        } else if let host = try? Host(member: text), case .name(let name) = host {
            hosts.insert(name.comparableName)
        } else {
            problems.append(
                """
                --exclude "\(TerminalText.clean(text))" is not a host, an address, a CIDR or a target: write one of them, \
                or @ and a file of them
                """, at: location)
        }
    }

    func contains(_ target: Target) -> Bool {
        if peers.contains(target.peer.comparable) { return true }
        switch target.peer {
        case .tcp(.address(let address), _), .udp(.address(let address), _):
            return addresses.contains(AddressRange(address)) || ranges.contains { $0.contains(address) }
        case .tcp(.name(let name), _), .udp(.name(let name), _): return hosts.contains(name.comparableName)
        case .unix: return false
        }
    }
}

extension Target.Peer {
    /// Equal for names that differ only in case and a trailing dot.
    fileprivate var comparable: Target.Peer {
        switch self {
        case .tcp(.name(let name), let port): .tcp(.name(name.comparableName), port: port)
        case .udp(.name(let name), let port): .udp(.name(name.comparableName), port: port)
        case .tcp, .udp, .unix: self
        }
    }
}

extension String {
    fileprivate var comparableName: String { (hasSuffix(".") ? String(dropLast()) : self).lowercased() }

    fileprivate var unbracketed: String { hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self }
}
