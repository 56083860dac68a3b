public import CheckModel
internal import CLinux

extension Socket {
    private var isIPv6: Bool { kind.domain == AF_INET6 }

    private borrowing func set(_ level: Int32, _ name: Int32, _ value: Int32) throws(Errno) {
        try SystemCall.setOption(descriptor.rawValue, level: level, name: name, value: value)
    }

    /// IP_RECVERR, IPV6_RECVERR: ICMP messages come into the error queue, and end a connect at once.
    public borrowing func setReceivesErrors(_ isOn: Bool) throws(Errno) {
        let (level, name) = isIPv6 ? (IPPROTO_IPV6, IPV6_RECVERR) : (IPPROTO_IP, IP_RECVERR)
        try set(Int32(level), name, isOn ? 1 : 0)
    }

    /// IP_TTL, IPV6_UNICAST_HOPS: 1 … 255.
    public borrowing func setTimeToLive(_ hops: Int) throws(Errno) {
        let (level, name) = isIPv6 ? (IPPROTO_IPV6, IPV6_UNICAST_HOPS) : (IPPROTO_IP, IP_TTL)
        try set(Int32(level), name, Int32(hops))
    }

    /// The differentiated services code point, 0 … 63: IP_TOS, IPV6_TCLASS.
    public borrowing func setCodePoint(_ codePoint: Int) throws(Errno) {
        let (level, name) = isIPv6 ? (IPPROTO_IPV6, IPV6_TCLASS) : (IPPROTO_IP, IP_TOS)
        try set(Int32(level), name, Int32(codePoint << 2))
    }

    /// SO_MARK; needs CAP_NET_ADMIN.
    public borrowing func setMark(_ mark: UInt32) throws(Errno) {
        try set(SOL_SOCKET, SO_MARK, Int32(bitPattern: mark))
    }

    /// SO_BINDTODEVICE.
    /// - Throws: ENODEV for a name that is no interface; EPERM for a socket that is bound to another one already.
    public borrowing func bindToInterface(_ name: String) throws(Errno) {
        try SystemCall.setOption(descriptor.rawValue, level: SOL_SOCKET, name: SO_BINDTODEVICE, value: name)
    }

    /// IP_BIND_ADDRESS_NO_PORT: the port is chosen by connect(2), when the peer is known, not by bind(2), which would
    /// search for one that is free towards everybody.
    public borrowing func setBindsAddressOnly() throws(Errno) {
        try set(Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
    }

    /// TCP_SYNCNT: how often the SYN is sent again, 1 … 127.
    public borrowing func setSynRetries(_ count: Int) throws(Errno) {
        try set(Int32(IPPROTO_TCP), TCP_SYNCNT, Int32(count))
    }

    /// TCP_FASTOPEN_CONNECT: with a cookie at hand the connect waits for the first bytes.
    public borrowing func setFastOpen() throws(Errno) {
        try set(Int32(IPPROTO_TCP), TCP_FASTOPEN_CONNECT, 1)
    }

    /// TCP_MD5SIG, RFC 2385: the key for one peer, 1 … 80 bytes. The key is not kept.
    public borrowing func setMD5Key(_ key: [UInt8], for peer: IPEndpoint) throws(Errno) {
        let number = descriptor.rawValue
        try SocketName.withName(of: peer) { (name, length) throws(Errno) in
            guard connectd_set_md5(number, name, length, key, key.count) == 0 else { throw .current }
        }
    }

    /// SO_LINGER {1, 0}: close(2) resets the connection instead of closing it in order.
    public borrowing func setResetsOnClose() throws(Errno) {
        var value = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        guard setsockopt(descriptor.rawValue, SOL_SOCKET, SO_LINGER, &value, size) == 0 else { throw .current }
    }
}
