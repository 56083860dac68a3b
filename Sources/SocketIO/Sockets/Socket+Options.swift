internal import CLinux
public import NetworkTypes

extension Socket {
    private var isIPv6: Bool { kind.domain == AF_INET6 }

    private borrowing func set(_ level: Int32, _ name: Int32, _ value: Int32) throws(Errno) {
        try SystemCall.setOption(descriptor.rawValue, level: level, name: name, value: value)
    }

    /// IP_RECVERR, IPV6_RECVERR: puts ICMP messages into the error queue, and lets them end a connect immediately.
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
    /// - Throws: ENODEV if there is no such interface; EPERM if the socket is already bound to another one.
    public borrowing func bindToInterface(_ name: String) throws(Errno) {
        try SystemCall.setOption(descriptor.rawValue, level: SOL_SOCKET, name: SO_BINDTODEVICE, value: name)
    }

    /// IP_BIND_ADDRESS_NO_PORT: connect(2) chooses the port, when the peer is known. bind(2) would need a port that is
    /// free for all peers.
    public borrowing func setBindsAddressOnly() throws(Errno) {
        try set(Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
    }

    /// SO_REUSEADDR: bind(2) takes a port that other sockets with this option have, if none of them listens.
    public borrowing func setReusesAddress() throws(Errno) {
        try set(SOL_SOCKET, SO_REUSEADDR, 1)
    }

    /// IPV6_AUTOFLOWLABEL off: the flow label is 0, so that routers see the same flow in every connection with the same
    /// ports.
    public borrowing func clearFlowLabel() throws(Errno) {
        try set(Int32(IPPROTO_IPV6), IPV6_AUTOFLOWLABEL, 0)
    }

    /// IP_MTU_DISCOVER, IPV6_MTU_DISCOVER with IP_PMTUDISC_PROBE: datagrams are never fragmented, and the path MTU that
    /// the kernel remembers is not applied to them.
    public borrowing func setProbesPathMTU() throws(Errno) {
        if isIPv6 {
            try set(Int32(IPPROTO_IPV6), IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE)
        } else {
            try set(Int32(IPPROTO_IP), IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
        }
    }

    /// TCP_SYNCNT: how often the SYN is sent again, 1 … 127.
    public borrowing func setSynRetries(_ count: Int) throws(Errno) {
        try set(Int32(IPPROTO_TCP), TCP_SYNCNT, Int32(count))
    }

    /// TCP_MAXSEG: the longest segment, in bytes, in both directions.
    public borrowing func setMaximumSegment(_ bytes: UInt16) throws(Errno) {
        try set(Int32(IPPROTO_TCP), TCP_MAXSEG, Int32(bytes))
    }

    /// TCP_FASTOPEN_CONNECT: with a cached cookie, the connect waits for the first bytes.
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

    /// SO_LINGER {1, 0}: close(2) resets the connection instead of closing it normally.
    public borrowing func setResetsOnClose() throws(Errno) {
        var value = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        guard setsockopt(descriptor.rawValue, SOL_SOCKET, SO_LINGER, &value, size) == 0 else { throw .current }
    }
}

/// What the kernel reports about a connection or its failure.
extension Socket {
    /// TCP_INFO; nil if the socket is not TCP's. `isEstablished` is the truth about a connect.
    /// - Returns: also how many segments were sent, which includes the last ACK of the handshake.
    public borrowing func tcpInformation() -> (isEstablished: Bool, segmentsSent: UInt32, values: TCPInformation)? {
        var info = connectd_tcp_info()
        guard connectd_get_tcp_info(descriptor.rawValue, &info) == 0 else { return nil }
        // CLOSE_WAIT: established, and the peer has already closed its half.
        let isEstablished = info.state == connectd_tcp_established || info.state == connectd_tcp_close_wait
        var values = TCPInformation(
            synRetransmits: info.total_retransmits, rttMicroseconds: info.rtt_us,
            rttVarianceMicroseconds: info.rttvar_us, retransmits: UInt32(info.retransmits), sendMSS: info.snd_mss,
            pathMTU: info.pmtu)
        if !isEstablished {
            values.synSent = info.segs_out
            if let reason = Self.unsent(info) { values.noteUnsent(reason) }
        }
        return (isEstablished, info.segs_out, values)
    }

    /// Why no SYN of a connect without an answer left this machine, as far as its retransmissions show it.
    private static func unsent(_ info: connectd_tcp_info) -> UnsentSYN? {
        guard info.segs_in == 0 else { return nil }
        // The timer expired, but TCP did not send the SYN again: the first one is still in a queue of this machine.
        if info.retransmits > 0, info.total_retransmits == 0 { return .queued }
        // TCP counts a retransmission as outstanding only if the IP layer took it.
        return info.total_retransmits > 0 && info.retrans == 0 ? .dropped : nil
    }

    /// Whether packets of the socket wait in this machine, for a neighbor's address or in an interface's queue.
    public borrowing func hasWaitingPackets() -> Bool { connectd_waiting_bytes(descriptor.rawValue) > 0 }

    /// TCP_QUICKACK off: the kernel delays the last ACK of the handshake, by up to 200 ms. Closing with a reset within
    /// that time sends the reset in its place.
    public borrowing func setDelaysLastACK() throws(Errno) {
        try set(Int32(IPPROTO_TCP), TCP_QUICKACK, 0)
    }

    /// Removes and returns the next ICMP message of the error queue; nil if there is none. Needs IP_RECVERR.
    public borrowing func takeICMP() -> (error: Errno, message: ICMPMessage)? {
        takeICMPWithMTU().map { ($0.error, $0.message) }
    }

    /// The same, with the MTU of a message that a datagram was too large for; 0 for any other message, and from routers
    /// that do not tell it.
    public borrowing func takeICMPWithMTU() -> (error: Errno, message: ICMPMessage, mtu: Int)? {
        var icmp = connectd_icmp()
        guard connectd_read_icmp(descriptor.rawValue, &icmp) == 1 else { return nil }
        guard let from = SocketName.endpoint(from: icmp.from) else { return nil }
        let family: AddressFamily = icmp.origin == connectd_origin_icmp6 ? .ipv6 : .ipv4
        let message = ICMPMessage(family: family, type: icmp.type, code: icmp.code, from: from.address)
        return (Errno(Int32(bitPattern: icmp.error)), message, Int(icmp.mtu))
    }

    /// After EMSGSIZE of `send`: the MTU of the device that leads to the peer, in bytes; nil if the kernel did not report
    /// it. Needs IP_RECVERR.
    public borrowing func takeDeviceMTU() -> Int? {
        let mtu = connectd_device_mtu(descriptor.rawValue)
        return mtu == 0 ? nil : Int(mtu)
    }

    /// SO_PEERCRED of a connected UNIX-domain socket, from the time when the peer called listen(2); nil if there are
    /// none, as for datagrams. The PID is 0 if the peer is in a PID namespace that is not visible from here.
    public borrowing func peerCredentials() -> PeerCredentials? {
        var credentials = connectd_credentials()
        guard connectd_get_peer_credentials(descriptor.rawValue, &credentials) == 0 else { return nil }
        // The user ID -1 means that there is no peer.
        guard credentials.pid > 0 || credentials.uid != .max else { return nil }
        return PeerCredentials(pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
    }
}
