import ArgumentParser
import CheckModel
import NetworkTypes

/// The targets of a command in little memory: their texts one after another, and about 24 bytes for each entry.
///
/// A host with `--ports` or a CIDR with `--expand` is one entry with many targets.
struct TargetList: Sendable {
    /// An argument or a line.
    private struct Entry {
        let offset: Int
        /// The index of its first target.
        let first: Int
        let length: Int32
        /// From 1; 0 for an argument.
        let line: Int32
        /// The index in `expectations`; -1 for none.
        let expectation: Int32
        let kind: TargetLine.Kind
    }

    /// What one target of the list is made from.
    struct Source {
        /// The target, or the JSON of a request.
        let text: String
        let isRequest: Bool
        /// Whether it is a host without a port.
        let isPortMissing: Bool
        let expectation: Expectation?
    }

    /// The most addresses of all expanded CIDRs.
    static let mostAddresses = 65_536
    /// The most targets of a command.
    static let mostTargets = 1 << 22
    /// The most bytes of all texts.
    private static let mostBytes = 1 << 30

    private let ports: [PortList.Entry]
    private let expandsNetworks: Bool
    /// The name of the file in messages.
    private var file = ""
    private var isStandardInput = false
    private var bytes: [UInt8] = []
    private var entries: [Entry] = []
    private var expectations: [Expectation] = []
    private var addressCount = 0
    private(set) var count = 0
    /// Whether a file was read.
    var hasFile: Bool { !file.isEmpty }

    init(ports: PortList? = nil, expandsNetworks: Bool = false) {
        self.ports = ports?.entries ?? []
        self.expandsNetworks = expandsNetworks
    }

    /// Adds the arguments.
    mutating func append(arguments: [String], _ problems: inout ProblemList) {
        for argument in arguments {
            do throws(TargetLine.Problem) {
                try append(TargetLine(argument: argument), line: 0)
            } catch {
                problems.append(error.detail, at: nil)
            }
        }
    }

    /// Adds the lines of a file; `-` is standard input.
    /// - Throws: `ValidationError` if the file cannot be read.
    mutating func append(file name: String, _ problems: inout ProblemList) throws {
        isStandardInput = name == "-"
        file = isStandardInput ? "standard input" : name
        try LineReader.forEachLine(of: name) { bytes, number in
            do throws(TargetLine.Problem) {
                guard let line = try TargetLine(line: bytes) else { return }
                try append(line, line: number)
            } catch {
                problems.append(error.detail, at: ReportLocation(file: file, line: number))
            }
            guard self.bytes.count <= Self.mostBytes, number <= Self.mostTargets else {
                throw ValidationError(
                    "\(TerminalText.clean(file)) has more than \(Self.mostTargets) lines or 1 GiB of text: split it")
            }
        }
    }

    private mutating func append(_ line: TargetLine, line number: Int) throws(TargetLine.Problem) {
        let added = try targetCount(of: line)
        guard count + added <= Self.mostTargets else {
            throw TargetLine.Problem(
                detail:
                    "\(Self.quoted(line.text)) makes more than \(Self.mostTargets) targets: use fewer ports or several runs"
            )
        }
        let offset = bytes.count
        bytes += line.text.utf8
        entries.append(
            Entry(
                offset: offset, first: count, length: Int32(bytes.count - offset), line: Int32(clamping: number),
                expectation: expectationNumber(line.expectation), kind: line.kind))
        count += added
    }

    private mutating func targetCount(of line: TargetLine) throws(TargetLine.Problem) -> Int {
        switch line.kind {
        case .request, .target: return 1
        // Without --ports, the parser of targets says what is wrong.
        case .host: return max(ports.count, 1)
        case .network: break
        }
        let (network, ownPorts) = try Self.parts(ofNetwork: line.text)
        let ports = ownPorts ?? ports
        guard expandsNetworks, !ports.isEmpty else {
            let portHint = "--ports, or a port as in 10.0.0.0/24:443,"
            let missing = expandsNetworks ? portHint : ports.isEmpty ? "--expand and \(portHint)" : "--expand"
            throw TargetLine.Problem(
                detail: "\(Self.quoted(line.text)) is a network: add \(missing) to check each of its addresses")
        }
        let range = try Self.range(network)
        let bits = range.base.bitWidth - range.prefixLength
        guard bits <= 16, addressCount + 1 << bits <= Self.mostAddresses else {
            throw TargetLine.Problem(
                detail: "\(Self.quoted(line.text)): --expand allows at most \(Self.mostAddresses) addresses in one run")
        }
        addressCount += 1 << bits
        return ports.count << bits
    }

    /// Splits `10.0.0.0/28:443` into the network and its own ports; nil for a network without ports.
    private static func parts(
        ofNetwork text: String
    ) throws(TargetLine.Problem) -> (network: String, ports: [PortList.Entry]?) {
        guard let slash = text.firstIndex(of: "/"), let colon = text[slash...].firstIndex(of: ":") else {
            return (text, nil)
        }
        do {
            let ports = try PortList(parsing: String(text[text.index(after: colon)...]))
            return (String(text[..<colon]), ports.entries)
        } catch {
            throw TargetLine.Problem(
                detail: """
                    \(quoted(text)): write the port after the network as a number from 1 to 65535, a name such as https, \
                    or a range
                    """)
        }
    }

    private static func range(_ text: String) throws(TargetLine.Problem) -> AddressRange {
        do throws(AddressRangeError) {
            return try AddressRange(parsing: text)
        } catch {
            throw TargetLine.Problem(detail: "the network \(quoted(text)): \(error.detail)")
        }
    }

    private static func quoted(_ text: String) -> String { "\"\(TerminalText.excerpt(text))\"" }

    /// Few lists have more than a handful of expectations.
    private mutating func expectationNumber(_ expectation: Expectation?) -> Int32 {
        guard let expectation else { return -1 }
        if let number = expectations.firstIndex(of: expectation) { return Int32(number) }
        expectations.append(expectation)
        return Int32(expectations.count - 1)
    }
}

extension TargetList {
    /// The target at an index.
    func source(at index: Int) -> Source {
        let entry = entries[entryIndex(of: index)]
        let text = String(decoding: bytes[entry.offset..<(entry.offset + Int(entry.length))], as: UTF8.self)
        let expectation = entry.expectation < 0 ? nil : expectations[Int(entry.expectation)]
        return Source(
            text: target(text, entry.kind, at: index - entry.first), isRequest: entry.kind == .request,
            isPortMissing: entry.kind == .host && ports.isEmpty, expectation: expectation)
    }

    /// The line of a target; nil for an argument.
    func location(at index: Int) -> ReportLocation? {
        let line = Int(entries[entryIndex(of: index)].line)
        return line == 0 ? nil : ReportLocation(file: file, line: line, isFile: !isStandardInput)
    }

    private func target(_ text: String, _ kind: TargetLine.Kind, at index: Int) -> String {
        switch kind {
        case .target, .request: return text
        case .host:
            guard !ports.isEmpty else { return text }
            let isBareIPv6 = text.utf8.contains(UInt8(ascii: ":")) && !text.hasPrefix("[")
            return ports[index].target(of: isBareIPv6 ? "[\(text)]" : text)
        case .network:
            // Both were parsed when the entry was added.
            guard let parts = try? Self.parts(ofNetwork: text), let range = try? AddressRange(parsing: parts.network)
            else { return text }
            let ports = parts.ports ?? ports
            return ports[index % ports.count].target(of: range.urlHost(at: index / ports.count))
        }
    }

    /// The entry that a target belongs to, by binary search.
    private func entryIndex(of index: Int) -> Int {
        if entries.count == count { return index }
        var (low, high) = (0, entries.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if entries[middle].first <= index { low = middle } else { high = middle - 1 }
        }
        return low
    }
}

extension AddressRange {
    /// The address at an offset from the first one, as in a URL. All addresses count, also the first and last of an IPv4
    /// network.
    fileprivate func urlHost(at offset: Int) -> String {
        switch base {
        case .v4(let address): IPv4Address(bits: address.bits + UInt32(offset)).text
        case .v6(let address): "[\(IPv6Address(bits: address.bits + UInt128(offset)).text)]"
        }
    }
}

/// The problems of arguments and lines.
struct ProblemList {
    /// A file of another kind has a problem in each line.
    private static let mostShown = 100

    private var texts: [String] = []
    private var count = 0

    mutating func append(_ detail: String, at location: ReportLocation?) {
        count += 1
        guard count <= Self.mostShown else { return }
        texts.append((location.map { "\(TerminalText.clean($0.text)): " } ?? "") + detail)
    }

    /// - Throws: `ValidationError` with all problems if there is one.
    func throwIfAny() throws {
        guard count > 0 else { return }
        let hidden = count > Self.mostShown ? ["and \(count - Self.mostShown) more problems"] : []
        throw ValidationError((texts + hidden).joined(separator: "\n"))
    }
}
