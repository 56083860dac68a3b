package import NetworkTypes

/// A destination as written: a host, an address, a block of addresses, or a full target.
package enum DestinationEntry: Hashable, Sendable {
    case host(Host)
    case block(AddressRange)
    /// A target with a port or a path of its own.
    case target(Target)

    /// The largest block: a /16 of IPv4, a /112 of IPv6.
    package static let addressLimit = 65_536

    /// Reads `db.internal`, `10.0.0.7`, `2001:db8::7`, `[2001:db8::7]`, `10.2.0.0/30`, `host:443`, `tls://host:443` or
    /// `unix:/path`.
    /// - Throws: why it is invalid, as a predicate.
    package init(parsing text: String) throws(PolicyError) {
        if let address = IPAddress(parsing: Self.withoutBrackets(text)) {
            self = .host(.address(address))
        } else if Self.isFullTarget(text) {
            do throws(TargetError) {
                self = .target(try Target(parsing: text))
            } catch {
                throw PolicyError("is not a target: \(error.detail)")
            }
        } else if text.contains("/") {
            self = .block(try Self.block(text))
        } else {
            do throws(TargetError) {
                self = .host(try Host(member: text))
            } catch {
                throw PolicyError("is not a host: \(error.detail)")
            }
        }
    }

    /// The number of addresses or hosts.
    package var count: Int {
        switch self {
        case .host, .target: 1
        case .block(let block): 1 << (block.base.bitWidth - block.prefixLength)
        }
    }

    /// Whether it has a port or a path of its own.
    package var isTarget: Bool {
        switch self {
        case .target: true
        case .host, .block: false
        }
    }

    /// As it is written in a file.
    package var text: String {
        switch self {
        case .host(let host): host.destinationText
        case .block(let block): block.text
        case .target(let target): target.text
        }
    }

    /// The hosts; empty for a full target.
    package var hosts: [Host] {
        switch self {
        case .host(let host): [host]
        case .target: []
        case .block(let block): (0..<count).map { .address(block.base.advanced(by: $0)) }
        }
    }

    private static func withoutBrackets(_ text: String) -> String {
        text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
    }

    private static func isFullTarget(_ text: String) -> Bool {
        if text.contains("://") || text.hasPrefix("unix:") || text.hasPrefix("unix+") { return true }
        return text.contains(":") && !text.contains("/")
    }

    private static func block(_ text: String) throws(PolicyError) -> AddressRange {
        let block: AddressRange
        let slash = text.lastIndex(of: "/") ?? text.endIndex
        do throws(AddressRangeError) {
            block = try AddressRange(parsing: withoutBrackets(String(text[..<slash])) + text[slash...])
        } catch {
            throw PolicyError("is not a block of addresses: \(error.detail)")
        }
        let bits = block.base.bitWidth - block.prefixLength
        guard bits <= 16 else {
            throw PolicyError(
                "has more than \(addressLimit) addresses: write a prefix of at least /\(block.base.bitWidth - 16)")
        }
        return block
    }
}

extension Host {
    /// As users write it alone: IPv6 in brackets.
    package var destinationText: String {
        switch self {
        case .address(.v4(let address)): address.text
        case .address(.v6(let address)): "[\(address.text)]"
        case .name(let name): name
        }
    }
}

extension IPAddress {
    /// The address so many after this one, in the same block.
    func advanced(by offset: Int) -> IPAddress {
        switch self {
        case .v4(let address): .v4(IPv4Address(bits: address.bits + UInt32(offset)))
        case .v6(let address): .v6(IPv6Address(bits: address.bits + UInt128(offset), zone: address.zone))
        }
    }
}
