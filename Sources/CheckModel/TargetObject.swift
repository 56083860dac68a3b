extension Target {
    /// A target in its object form: `{"transport":"tcp","host":"h","port":443}`.
    ///
    /// - Parameters:
    ///   - transport: `tcp`, `tls` or `udp`.
    ///   - host: A name or an address; IPv6 without brackets.
    ///   - port: 1 … 65535, or a name of `PortNames`.
    /// - Throws: What is wrong, with the member that it is wrong in.
    public init(transport: String, host: String, port: TargetPort) throws(TargetError) {
        guard let scheme = TargetScheme(rawValue: transport), scheme.unixSocketType == nil else {
            throw TargetError("A target with host and port has the transport tcp, tls or udp.", member: .transport)
        }
        let parsed = try Host(member: host)
        let number = try port.number()
        self.init(
            peer: scheme == .udp ? .udp(parsed, port: number) : .tcp(parsed, port: number),
            impliesTLS: scheme == .tls, text: "\(transport)://\(parsed.urlText):\(port.text)")
    }

    /// A target in its object form: `{"transport":"unix","socket_type":"stream","path":"/run/x.sock"}`.
    ///
    /// - Parameter path: An absolute path, or `@` and an abstract name.
    /// - Throws: What is wrong with the path.
    public init(socketType: UnixSocketType, path: String) throws(TargetError) {
        let address = try UnixAddress(written: path.utf8.span)
        let authority = path.hasPrefix("//") ? "//" : ""
        self.init(
            peer: .unix(socketType, address), text: "\(TargetScheme(socketType).rawValue):\(authority)\(path)")
    }
}

extension Target {
    /// What it is reached through, as policies name it.
    public var transport: Transport {
        switch peer {
        case .tcp: .tcp
        case .udp: .udp
        case .unix: .unix
        }
    }
}
