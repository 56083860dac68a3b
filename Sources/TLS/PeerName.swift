internal import COpenSSL
internal import CheckModel
internal import NetworkTypes

/// Who the peer has to be: what its certificate is held against, and what it is told (SNI).
enum PeerName: Hashable {
    case address(IPAddress)
    /// Without the dot at its end: certificates have none (RFC 9525), and neither has SNI (RFC 6066, 3).
    case name(String)
    /// A UNIX-domain socket without `server_name`.
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

    /// The name that is sent: never an address.
    var serverName: String? {
        switch self {
        case .name(let name): name
        case .address, .nobody: nil
        }
    }

    /// Tells OpenSSL, before the handshake.
    /// - Returns: false where it takes no such name. An empty one would switch the verification of names off, and C would
    ///   take another one for what stands before a NUL.
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
    /// In network byte order; a zone is none of the certificate's business.
    fileprivate var octets: [UInt8] {
        switch self {
        case .v4(let address): withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
        case .v6(let address): withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
        }
    }
}
