internal import CLinux
public import NetworkTypes

/// The addresses of this machine, in its network namespace.
public enum LocalAddresses {
    /// Whether packets to the address stay on this machine: 127.0.0.0/8, addresses of interfaces, routes of type local,
    /// and the unspecified address, which reaches loopback.
    ///
    /// A policy asks this before it allows the address, so no connect(2) may name it here.
    public static func contains(_ address: IPAddress) -> Bool {
        guard let socket = try? Socket(.udp(address.family)) else { return true }
        do throws(Errno) {
            try socket.bind(to: IPEndpoint(address: address, port: 0))
        } catch {
            // Any other error leaves the question open; the safe answer is yes.
            return error.rawValue != EADDRNOTAVAIL
        }
        // bind(2) takes group and broadcast addresses as well, and under net.ipv4.ip_nonlocal_bind anything.
        return isLoopbackOrUnspecified(address) || isOnAnInterface(address) || isRoutedHere(address)
    }

    /// Whether the route to the address has the type local. If the kernel does not answer, the safe answer is yes.
    private static func isRoutedHere(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let address): isRoutedHere(address.bits.bigEndian, AF_INET)
        case .v6(let address) where address.bits >> 32 == 0xFFFF:
            isRoutedHere(UInt32(truncatingIfNeeded: address.bits).bigEndian, AF_INET)
        case .v6(let address): isRoutedHere(address.bits.bigEndian, AF_INET6)
        }
    }

    private static func isRoutedHere(_ bits: some FixedWidthInteger, _ family: Int32) -> Bool {
        withUnsafeBytes(of: bits) { connectd_route_is_local(family, $0.baseAddress) != 0 }
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

    /// Whether any interface has an address of the family that is neither loopback nor link-local.
    public static func hasUsable(of family: AddressFamily) -> Bool {
        anyInterfaceAddress { name in
            guard let address = SocketName.endpoint(from: name)?.address, address.family == family else { return false }
            switch address {
            case .v4(let address): return address.bits >> 24 != 127 && address.bits >> 16 != 0xA9FE
            case .v6(let address): return address.bits > 1 && address.bits >> 118 != 0xFE80 >> 6
            }
        } ?? true
    }

    /// The networks of all interfaces, by their addresses and masks: getifaddrs(3). Empty if the list is not available.
    public static func networks() -> [AddressRange] {
        var networks: [AddressRange] = []
        forEachInterface { entry in
            guard let mask = entry.ifa_netmask.flatMap({ storage(of: $0) }).flatMap(bits),
                let address = entry.ifa_addr.flatMap({ storage(of: $0) }).flatMap(SocketName.endpoint(from:))?.address
            else { return }
            let base = address.masked(by: mask)
            if let network = try? AddressRange(base: base, prefixLength: mask.nonzeroBitCount) {
                networks.append(network)
            }
        }
        return networks
    }

    private static func bits(of mask: sockaddr_storage) -> UInt128? {
        switch SocketName.endpoint(from: mask)?.address {
        case .v4(let mask): UInt128(mask.bits)
        case .v6(let mask): mask.bits
        case nil: nil
        }
    }

    /// Whether the condition holds for any interface's address; nil if the list is not available.
    private static func anyInterfaceAddress(_ condition: (sockaddr_storage) -> Bool) -> Bool? {
        var holds = false
        let isAvailable = forEachInterface { entry in
            guard !holds, let name = entry.ifa_addr else { return }
            holds = storage(of: name).map(condition) ?? false
        }
        return isAvailable ? holds : nil
    }

    /// - Returns: whether the list is available.
    @discardableResult
    private static func forEachInterface(_ body: (ifaddrs) -> Void) -> Bool {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return false }
        defer { freeifaddrs(first) }
        for entry in sequence(first: first, next: { $0?.pointee.ifa_next }) {
            if let entry { body(entry.pointee) }
        }
        return true
    }

    /// Returns a copy of an IP address; nil for another family.
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

    /// Returns the source address that the kernel would choose toward a destination; nil if there is no route. It
    /// associates a datagram socket with the destination, and sends nothing.
    public static func source(toward address: IPAddress) -> IPAddress? {
        guard let socket = try? Socket(.udp(address.family)) else { return nil }
        guard (try? socket.connect(to: .ip(IPEndpoint(address: address, port: 9)))) != nil else { return nil }
        return socket.localName()?.address
    }
}

extension IPAddress {
    /// The address with the bits of the mask alone, without its zone.
    fileprivate func masked(by mask: UInt128) -> IPAddress {
        switch self {
        case .v4(let address): .v4(IPv4Address(bits: address.bits & UInt32(truncatingIfNeeded: mask)))
        case .v6(let address): .v6(IPv6Address(bits: address.bits & mask))
        }
    }
}
