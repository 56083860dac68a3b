internal import CLinux
public import NetworkTypes

/// Which addresses are this machine's own, in its network namespace.
public enum LocalAddresses {
    /// Whether packets to the address stay on this machine: all of 127.0.0.0/8, addresses of interfaces, what IPv4 routes
    /// of type local add, and the unspecified address, which reaches loopback.
    public static func contains(_ address: IPAddress) -> Bool {
        guard let socket = try? Socket(.udp(address.family)) else { return true }
        do throws(Errno) {
            try socket.bind(to: IPEndpoint(address: address, port: 0))
        } catch {
            // Anything but a plain "not mine" leaves the question open; then the careful answer is yes.
            return error.rawValue != EADDRNOTAVAIL
        }
        // bind(2) takes group and broadcast addresses as well, and under net.ipv4.ip_nonlocal_bind anything.
        if isLoopbackOrUnspecified(address) { return true }
        if let source = source(towards: address), hasSameBits(source, address) { return true }
        return isOnAnInterface(address)
    }

    private static func isLoopbackOrUnspecified(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let address): address.bits == 0 || address.bits >> 24 == 127
        case .v6(let address): address.bits <= 1
        }
    }

    /// The zone can be written in two ways.
    private static func hasSameBits(_ one: IPAddress, _ other: IPAddress) -> Bool {
        switch (one, other) {
        case (.v4(let one), .v4(let other)): one == other
        case (.v6(let one), .v6(let other)): one.bits == other.bits
        case (.v4, .v6), (.v6, .v4): false
        }
    }

    /// Routing rules can hide an interface's address from the unmarked socket above.
    private static func isOnAnInterface(_ address: IPAddress) -> Bool {
        anyInterfaceAddress { name in
            SocketName.endpoint(from: name).map { hasSameBits($0.address, address) } ?? false
        } ?? true
    }

    /// Whether any interface has an address of the family, loopback included: getifaddrs(3).
    public static func hasAny(of family: AddressFamily) -> Bool {
        let wanted = family == .ipv4 ? AF_INET : AF_INET6
        return anyInterfaceAddress { Int32($0.ss_family) == wanted } ?? true
    }

    /// Whether the condition holds for an interface's address; nil where the list cannot be had.
    private static func anyInterfaceAddress(_ condition: (sockaddr_storage) -> Bool) -> Bool? {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return nil }
        defer { freeifaddrs(first) }
        return sequence(first: first, next: { $0?.pointee.ifa_next }).contains { entry in
            guard let name = entry?.pointee.ifa_addr else { return false }
            return storage(of: name).map(condition) ?? false
        }
    }

    /// A copy of an internet address, of its own length; nil for another family.
    private static func storage(of name: UnsafePointer<sockaddr>) -> sockaddr_storage? {
        let size: Int
        switch Int32(name.pointee.sa_family) {
        case AF_INET: size = MemoryLayout<sockaddr_in>.size
        case AF_INET6: size = MemoryLayout<sockaddr_in6>.size
        default: return nil
        }
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: UnsafeRawBufferPointer(start: name, count: size)) }
        return storage
    }

    /// The source address that the kernel would choose towards a destination: a datagram socket is associated with it,
    /// and nothing is sent. nil where there is no way.
    public static func source(towards address: IPAddress) -> IPAddress? {
        guard let socket = try? Socket(.udp(address.family)) else { return nil }
        guard (try? socket.connect(to: .ip(IPEndpoint(address: address, port: 9)))) != nil else { return nil }
        return socket.localName()?.address
    }
}
