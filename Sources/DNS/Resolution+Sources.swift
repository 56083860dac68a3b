internal import CheckModel

extension ResolveOptions.Family {
    /// What name servers are asked for.
    var recordTypes: [RecordType] {
        switch self {
        case .any: [.a, .aaaa]
        case .ipv4: [.a]
        case .ipv6: [.aaaa]
        }
    }

    func includes(_ address: IPAddress) -> Bool {
        switch (self, address.family) {
        case (.any, _), (.ipv4, .ipv4), (.ipv6, .ipv6): true
        case (.ipv4, .ipv6), (.ipv6, .ipv4): false
        }
    }
}

extension Resolution {
    /// RFC 6761 section 6.3.
    /// - Parameter listed: only these of them, where any of them is among these.
    static func loopback(_ name: String, family: ResolveOptions.Family, listed: [IPAddress] = []) -> Resolution {
        let loopbacks = ([.v6(IPv6Address(bits: 1)), .v4(IPv4Address(bits: 0x7F00_0001))] as [IPAddress])
            .filter(family.includes)
        let known = loopbacks.filter(listed.contains)
        return Resolution(name: name, addresses: known.isEmpty ? loopbacks : known, source: .hosts)
    }

    /// The addresses of the lines of a hosts file that have the name; nil where there is none of the family.
    ///
    /// All names of the lines count as aliases: the host has each of them.
    static func of(_ name: String, lines: [HostsTable.Line], family: ResolveOptions.Family) -> Resolution? {
        let fitting = lines.filter { family.includes($0.address) }
        guard let first = fitting.first else { return nil }
        return Resolution(
            name: name, addresses: unique(fitting.map(\.address)), source: .hosts, canonicalName: first.names.first,
            way: fitting.flatMap(\.names))
    }

    /// What the servers' answers about one name come to.
    static func of(
        _ name: String, candidate: String, results: LookupResult
    ) -> Result<Resolution, ResolveFailure> {
        let answers = [RecordType.aaaa, .a].compactMap { try? results[$0]?.get() }
        guard !answers.isEmpty else { return .failure(failure(of: results)) }
        let resolution = Resolution(
            name: name, addresses: unique(answers.flatMap(\.addresses)), source: .dns,
            canonicalName: answers.lazy.compactMap(\.canonicalName).first ?? candidate,
            way: [candidate] + answers.flatMap(\.names))
        return .success(resolution)
    }

    private static func failure(of results: LookupResult) -> ResolveFailure {
        let failures = results.values.compactMap { if case .failure(let failure) = $0 { failure } else { nil } }
        if failures.contains(.cancelled) { return .cancelled }
        return failures.max { $0.rankAmongNames < $1.rankAmongNames } ?? .badAnswer
    }

    private init(name: String, addresses: [IPAddress], source: Source, canonicalName: String?, way: [String]) {
        let own = DomainName.normalized(name)
        let canonical = canonicalName.map(DomainName.normalized)
        self.init(
            name: name, addresses: addresses, source: source, canonicalName: canonical == own ? nil : canonical,
            aliases: Self.unique(way.map(DomainName.normalized)).filter { $0 != own })
    }

    private static func unique<Element: Hashable>(_ elements: [Element]) -> [Element] {
        var seen: Set<Element> = []
        return elements.filter { seen.insert($0).inserted }
    }
}
