internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

// hosts(5) and resolv.conf(5), read on another thread.
extension Resolver {
    /// Returns the content of the hosts file, at most about a second old.
    /// - Throws: `timeout` at the deadline if it has not been read yet; `cancelled`.
    func readHosts(until deadline: MonotonicTime) async throws(ResolveFailure) -> HostsTable {
        if let look = hostsFile.beginLook(at: Clock.now()) {
            start(look) { $0.ended(before: $0.hostsFile.endLook($1, at: Clock.now())) }
        }
        while let limit = hostsFile.waitLimit(within: deadline), limit > Clock.now() {
            try await waitForFiles(until: limit)
        }
        guard let hosts = hostsFile.content else { throw .timeout }
        return hosts
    }

    /// Returns the content of resolv.conf, at most about a second old.
    /// - Throws: as `readHosts`.
    func readSettings(until deadline: MonotonicTime) async throws(ResolveFailure) -> ResolverSettings {
        if let look = resolvConf.beginLook(at: Clock.now()) {
            start(look) { $0.ended(before: $0.resolvConf.endLook($1, at: Clock.now())) }
        }
        while let limit = resolvConf.waitLimit(within: deadline), limit > Clock.now() {
            try await waitForFiles(until: limit)
        }
        guard let settings = resolvConf.content else { throw .timeout }
        return settings
    }

    private func start<Content: Sendable>(
        _ look: FileLook<Content>,
        end: @escaping @Sendable (isolated Resolver, FileLook<Content>.Finding) -> Void
    ) {
        let thread = reactor.thread
        do throws(Errno) {
            try BackgroundThread.run {
                let finding = look.run()
                Task(executorPreference: thread) { await end(self, finding) }
            }
        } catch {
            // Without another thread it must be read here; the file is usually small.
            end(self, look.run())
        }
    }

    /// - Parameter earlier: The replaced content.
    private func ended<Content: Sendable>(before earlier: consuming Content?) {
        Self.giveUp(earlier)
        for signal in fileSignals { reactor.signalOnThread(signal) }
    }

    /// Frees content on another thread: that of a large file has a million allocations.
    private static func giveUp<Content: Sendable>(_ content: consuming Content?) {
        guard let content else { return }
        try? BackgroundThread.run { _ = content }
    }

    private func waitForFiles(until limit: MonotonicTime) async throws(ResolveFailure) {
        let signal = reactor.makeSignalOnThread()
        fileSignals.insert(signal)
        let outcome = await reactor.waitOnThread(signal, for: .readable, until: limit)
        fileSignals.remove(signal)
        reactor.removeOnThread(signal)
        if outcome == .cancelled { throw .cancelled }
    }
}

extension ResolveOptions.Family {
    /// The record types to query for this family.
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
    /// - Parameter listed: if any of these are loopback addresses, only those are returned.
    static func loopback(_ name: String, family: ResolveOptions.Family, listed: [IPAddress] = []) -> Resolution {
        let loopbacks = ([.v6(IPv6Address(bits: 1)), .v4(IPv4Address(bits: 0x7F00_0001))] as [IPAddress])
            .filter(family.includes)
        let known = loopbacks.filter(listed.contains)
        return Resolution(name: name, addresses: known.isEmpty ? loopbacks : known, source: .hosts)
    }

    /// Returns the addresses in the lines of a hosts file that have the name; nil if there is none of the family.
    ///
    /// All names of these lines count as aliases of the host.
    static func of(_ name: String, lines: [HostsTable.Entry], family: ResolveOptions.Family) -> Resolution? {
        let fitting = lines.filter { family.includes($0.address) }
        guard let first = fitting.first else { return nil }
        return Resolution(
            name: name, addresses: unique(fitting.map(\.address)), source: .hosts, canonicalName: first.names.first,
            way: fitting.flatMap(\.names))
    }

    /// Combines the answers of the servers about one name.
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

/// The content of hosts(5), looked up by name.
struct HostsTable: Sendable {
    /// One line of the file.
    struct Entry: Hashable, Sendable {
        let address: IPAddress
        /// The canonical name first; normalized.
        let names: [String]
    }

    private var linesByName: [String: [Entry]] = [:]

    init() {}

    /// Lines that do not start with an address are ignored, as in the C library.
    init(parsing file: [UInt8]) {
        for text in file.split(whereSeparator: { $0 == UInt8(ascii: "\n") }) {
            let fields = FieldSplitter.fields(of: text, comments: [UInt8(ascii: "#")])
            guard let first = fields.first, let address = IPAddress(parsing: first), fields.count > 1 else { continue }
            let line = Entry(address: address, names: fields.dropFirst().map(DomainName.normalized))
            for name in Set(line.names) { linesByName[name, default: []].append(line) }
        }
    }

    /// Returns the lines with a name, in the order of the file.
    func lines(for normalized: String) -> [Entry] { linesByName[normalized] ?? [] }
}
