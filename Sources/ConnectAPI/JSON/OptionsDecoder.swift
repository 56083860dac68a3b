internal import CheckModel
internal import NetworkTypes
internal import StrictJSON

/// Reads `resolve`, `bind` and `socket`.
enum OptionsDecoder {
    static func resolve(_ reader: inout JSONObjectReader) -> ResolveOptions? {
        var options = ResolveOptions()
        options.family = reader.enumeration("family", ResolveOptions.Family.self) ?? .any
        options.addresses = reader.enumeration("addresses", ResolveOptions.Addresses.self) ?? .first
        options.server = reader.member("server", server)
        return options
    }

    /// A name server: an address with a port.
    private static func server(_ cursor: inout JSONCursor) -> IPEndpoint? {
        guard let text = cursor.string() else { return nil }
        guard let target = try? Target(parsing: "udp://" + text),
            case .udp(.address(let address), let port) = target.peer,
            text.utf8.last.map({ (0x30...0x39).contains($0) }) ?? false
        else {
            cursor.report("must be the address and port of a name server, such as 10.0.0.2:53 or [2001:db8::2]:53")
            return nil
        }
        return IPEndpoint(address: address, port: port)
    }

    static func bind(_ reader: inout JSONObjectReader) -> BindOptions? {
        var options = BindOptions()
        options.address = reader.member("address", address)
        options.port = reader.integer("port", in: 0...65535).map(UInt16.init)
        options.interface = reader.member("interface", interface)
        return options
    }

    private static func address(_ cursor: inout JSONCursor) -> IPAddress? {
        guard let text = cursor.string() else { return nil }
        guard let address = IPAddress(parsing: text) else {
            cursor.report("must be an address, such as 10.0.0.9 or 2001:db8::9, not a name")
            return nil
        }
        return address
    }

    /// The kernel's rule, dev_valid_name(): at most 15 bytes (IFNAMSIZ), without slash, colon, white space and NUL. The
    /// kernel reports later whether the interface exists.
    private static func interface(_ cursor: inout JSONCursor) -> String? {
        guard let name = cursor.string() else { return nil }
        let isName =
            (1...15).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x2F && $0 != 0x3A }
        guard isName else {
            cursor.report(
                "must be an interface name: 1 to 15 printable ASCII characters, without spaces, slashes and colons"
            )
            return nil
        }
        return name
    }

    static func socket(_ reader: inout JSONObjectReader) -> SocketOptions? {
        var options = SocketOptions()
        options.close = reader.enumeration("close", SocketOptions.Close.self) ?? .fin
        options.ttl = reader.integer("ttl", in: 1...255)
        options.dscp = reader.integer("dscp", in: 0...63)
        options.mark = reader.integer("mark", in: 0...Int(UInt32.max)).map(UInt32.init)
        options.tcpMD5 = reader.string("tcp_md5")
        options.tcpSynRetries = reader.integer("tcp_syn_retries", in: 1...127)
        options.tcpFastOpen = reader.bool("tcp_fast_open") ?? false
        options.mptcp = reader.bool("mptcp") ?? false
        return options
    }
}
