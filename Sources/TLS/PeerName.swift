internal import COpenSSL
internal import CheckModel
internal import NetworkTypes

/// The expected name of the peer: the name to verify in its certificate, and the name to send (SNI).
enum PeerName: Hashable {
    case address(IPAddress)
    /// Without the trailing dot: certificates (RFC 9525) and SNI (RFC 6066, 3) do not contain it.
    case name(String)
    /// For a UNIX-domain socket without `server_name`.
    case nobody

    init(options: TLSOptions, host: Host?) {
        switch (options.serverName, host) {
        case (let serverName?, _):
            self = IPAddress(parsing: serverName).map(Self.address) ?? Self.named(serverName)
        case (nil, .address(let address)?): self = .address(address)
        case (nil, .name(let name)?): self = Self.named(name)
        case (nil, nil): self = .nobody
        }
    }

    private static func named(_ name: String) -> PeerName {
        .name(name.hasSuffix(".") ? String(name.dropLast()) : name)
    }

    /// The name to send; never an address.
    var serverName: String? {
        switch self {
        case .name(let name): name
        case .address, .nobody: nil
        }
    }

    /// Sets the name in OpenSSL, before the handshake.
    /// - Returns: false if OpenSSL rejects it. An empty name would disable the verification of names, and C would
    /// truncate a name at a NUL.
    func apply(to ssl: OpaquePointer) -> Bool {
        let parameters = SSL_get0_param(ssl)
        switch self {
        case .address(let address):
            let octets = address.octets
            return X509_VERIFY_PARAM_set1_ip(parameters, octets, octets.count) == 1
        case .name(let name):
            guard !name.isEmpty, !name.utf8.contains(0) else { return false }
            return X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 && connectd_ssl_set_server_name(ssl, name) == 1
        case .nobody:
            return true
        }
    }
}

extension IPAddress {
    /// The address in network byte order, without its zone: certificates contain no zones.
    fileprivate var octets: [UInt8] {
        switch self {
        case .v4(let address): withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
        case .v6(let address): withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
        }
    }
}
