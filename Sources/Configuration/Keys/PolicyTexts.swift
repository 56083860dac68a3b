internal import CheckModel

/// The texts that keys of the policy hold.
enum PolicyTexts {
    static func option(_ text: String) throws(ValueRefusal) -> PolicySettings.Option {
        guard let option = PolicySettings.Option(rawValue: text) else {
            throw .noneOf(PolicySettings.Option.allCases.map(\.rawValue))
        }
        return option
    }

    static func nat64Prefix(_ text: String) throws(ValueRefusal) -> NAT64Prefix {
        do throws(AddressRangeError) {
            return try NAT64Prefix(AddressRange(parsing: text))
        } catch {
            throw ValueRefusal(sentence: error.detail)
        }
    }

    static func addressRange(_ text: String) throws(ValueRefusal) -> AddressRange {
        do throws(AddressRangeError) {
            return try AddressRange(parsing: text)
        } catch {
            throw ValueRefusal(sentence: error.detail)
        }
    }

    /// `443`, `8000-8999`: ports from 1 to 65535.
    static func ports(_ text: String) throws(ValueRefusal) -> ClosedRange<UInt16> {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { port($0) }
        guard let first = ends[0], let last = ends[ends.count - 1] else {
            throw ValueRefusal("is neither a port from 1 to 65535 nor two with a dash between them")
        }
        guard first <= last else { throw ValueRefusal("ends before it begins") }
        return first...last
    }

    private static func port(_ text: Substring) -> UInt16? {
        PlainDecimal.read(text).flatMap(UInt16.init(exactly:)).flatMap { $0 == 0 ? nil : $0 }
    }

    static func action(_ text: String) throws(ValueRefusal) -> RuleSettings.Action {
        guard let action = RuleSettings.Action(rawValue: text) else {
            throw .noneOf(RuleSettings.Action.allCases.map(\.rawValue))
        }
        return action
    }

    /// UNIX-domain sockets are the business of rules with a path.
    static func transport(_ text: String) throws(ValueRefusal) -> Transport {
        let transports: [Transport] = [.tcp, .udp]
        guard let transport = transports.first(where: { $0.rawValue == text }) else {
            throw .noneOf(transports.map(\.rawValue))
        }
        return transport
    }

    static func pathPattern(_ text: String) throws(ValueRefusal) -> String {
        guard text.utf8.count > 1, text.hasPrefix("/") || text.hasPrefix("@"), !text.utf8.contains(0) else {
            throw ValueRefusal("is neither an absolute path nor \"@\" and an abstract name")
        }
        return text
    }

    /// In small letters, without a trailing dot.
    static func hostPattern(_ text: String) throws(ValueRefusal) -> String {
        let name = text.hasSuffix(".") ? String(text.dropLast()) : text
        guard IPAddress(parsing: name) == nil else { throw ValueRefusal("is an address: use the key cidr for it") }
        // A star stands for letters: where a name with an x in its place is one, so is the pattern.
        _ = try HostName.read(String(name.map { $0 == "*" ? "x" : $0 }))
        return name.lowercased()
    }
}
