public import ArgumentParser
import CLinux
public import CheckModel
internal import NetworkTypes
import SocketIO

/// The options of `check` and `wait` for the addresses at both ends of a connection.
struct ConnectionArguments: ParsableArguments {
    @Option(help: "The address family to use for a name: any, ipv4 or ipv6.")
    var family: ResolveOptions.Family?

    @Flag(name: .customShort("4"), help: "Use only IPv4, like --family ipv4.")
    var isIPv4Only = false

    @Flag(name: .customShort("6"), help: "Use only IPv6, like --family ipv6.")
    var isIPv6Only = false

    @Option(
        help: ArgumentHelp("Connect from this local address.", valueName: "address"),
        transform: { text in
            guard let address = IPAddress(parsing: text) else {
                throw ValidationError("\"\(text)\" is not an IP address: write one, such as 192.0.2.7 or 2001:db8::7")
            }
            return address
        })
    var source: IPAddress?

    @Option(help: ArgumentHelp("Connect through this network interface, such as eth1.", valueName: "name"))
    var interface: String?

    func validate() throws {
        let choices = [isIPv4Only ? "-4" : nil, isIPv6Only ? "-6" : nil, family.map { "--family \($0.rawValue)" }]
        let given = choices.compactMap { $0 }
        if given.count > 1 {
            throw ValidationError("\(given.joined(separator: " and ")) exclude each other: use only one")
        }
        if let interface,
            !(1...15).contains(interface.utf8.count) || interface.contains(where: { $0 == "/" || $0.isWhitespace })
        {
            throw ValidationError(
                "--interface \"\(interface)\" is not an interface name: run `ip -br link` to list them")
        }
        if let source, let family = chosenFamily, family != .any, family != source.resolveFamily {
            throw ValidationError(
                "--source \(source.text) conflicts with \(given[0]): use the same address family for both")
        }
    }

    func apply(to request: inout CheckRequest) {
        request.resolve.family = chosenFamily ?? .any
        request.bind.address = source
        request.bind.interface = interface
        // A source address can connect only to targets of its own family.
        if let source, request.resolve.family == .any { request.resolve.family = source.resolveFamily }
    }

    private var chosenFamily: ResolveOptions.Family? {
        if isIPv4Only { return .ipv4 }
        return isIPv6Only ? .ipv6 : family
    }
}

extension IPAddress {
    fileprivate var resolveFamily: ResolveOptions.Family {
        switch self {
        case .v4: .ipv4
        case .v6: .ipv6
        }
    }
}

extension ResolveOptions.Family: ExpressibleByArgument {}

/// This machine's name: gethostname(2).
enum HostName {
    static let current: String = {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }()
}

/// The canonical path of a socket file.
enum UnixPathName {
    /// The path without symbolic links; unchanged if it does not exist yet.
    static func resolved(_ path: [UInt8]) -> [UInt8] {
        guard let descriptor = try? Descriptor.openPath(path), let name = try? descriptor.linkTarget() else {
            return path
        }
        return name
    }

    /// The identity of the file at the path; nil if it does not exist.
    static func identity(_ path: [UInt8]) -> FileIdentity? {
        (try? Descriptor.openPath(path))?.fileIdentity()
    }
}
