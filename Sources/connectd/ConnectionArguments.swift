public import ArgumentParser
public import CheckModel

/// The options of `check` and `wait` about the addresses at both ends of a connection.
struct ConnectionArguments: ParsableArguments {
    @Option(help: "Addresses of a name to try: any, ipv4 or ipv6.")
    var family: ResolveOptions.Family?

    @Flag(name: .customShort("4"), help: "Use IPv4 only, as --family ipv4.")
    var isIPv4Only = false

    @Flag(name: .customShort("6"), help: "Use IPv6 only, as --family ipv6.")
    var isIPv6Only = false

    @Option(
        help: ArgumentHelp("Connect from this address of the machine.", valueName: "address"),
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
        if given.count > 1 { throw ValidationError("\(given.joined(separator: " and ")) exclude each other: give one") }
        if let interface,
            !(1...15).contains(interface.utf8.count) || interface.contains(where: { $0 == "/" || $0.isWhitespace })
        {
            throw ValidationError(
                "--interface \"\(interface)\" is not a name of an interface: `ip -br link` shows them")
        }
        if let source, let family = chosenFamily, family != .any, family != source.resolveFamily {
            throw ValidationError(
                "--source \(source.text) does not fit \(given[0]): both must be IPv4 or both IPv6")
        }
    }

    func apply(to request: inout CheckRequest) {
        request.resolve.family = chosenFamily ?? .any
        request.bind.address = source
        request.bind.interface = interface
        // From an IPv4 address nothing connects to an IPv6 one.
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
