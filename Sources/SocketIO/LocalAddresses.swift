package import CheckModel
internal import CLinux

/// Which addresses are this machine's own, in its network namespace.
package enum LocalAddresses {
    /// Whether packets to the address stay on this machine: all of 127.0.0.0/8, addresses of interfaces, and what
    /// routes of type local add. The kernel is asked by bind(2), which takes exactly those.
    package static func contains(_ address: IPAddress) -> Bool {
        guard let socket = try? Socket(.udp(address.family)) else { return true }
        do throws(Errno) {
            try socket.bind(to: IPEndpoint(address: address, port: 0))
            return true
        } catch {
            // Anything but a plain "not mine" leaves the question open; then the careful answer is yes.
            return error.rawValue != EADDRNOTAVAIL
        }
    }

    /// Whether any interface has an address of the family, loopback included: getifaddrs(3).
    package static func hasAny(of family: AddressFamily) -> Bool {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return true }
        defer { freeifaddrs(first) }
        let wanted = family == .ipv4 ? AF_INET : AF_INET6
        return sequence(first: first, next: { $0?.pointee.ifa_next }).contains { entry in
            guard let address = entry?.pointee.ifa_addr else { return false }
            return Int32(address.pointee.sa_family) == wanted
        }
    }

    /// The source address that the kernel would choose towards a destination: a datagram socket is associated with it,
    /// and nothing is sent. nil where there is no way.
    package static func source(towards address: IPAddress) -> IPAddress? {
        guard let socket = try? Socket(.udp(address.family)) else { return nil }
        guard (try? socket.connect(to: .ip(IPEndpoint(address: address, port: 9)))) != nil else { return nil }
        return socket.localName()?.address
    }
}
