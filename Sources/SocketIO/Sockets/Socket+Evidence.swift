public import CheckModel
internal import CLinux

/// What the kernel knows about a connection or its failure.
extension Socket {
    /// TCP_INFO; nil where the socket is not TCP's. `isEstablished` is the truth about a connect.
    public borrowing func tcpInformation() -> (isEstablished: Bool, values: TCPInformation)? {
        var info = connectd_tcp_info()
        guard connectd_get_tcp_info(descriptor.rawValue, &info) == 0 else { return nil }
        let values = TCPInformation(
            synRetransmits: info.total_retransmits, rttMicroseconds: info.rtt_us,
            rttVarianceMicroseconds: info.rttvar_us, retransmits: UInt32(info.retransmits), sendMSS: info.snd_mss,
            pathMTU: info.pmtu)
        // CLOSE_WAIT: established, and the peer has closed its half already.
        let isEstablished = info.state == connectd_tcp_established || info.state == connectd_tcp_close_wait
        return (isEstablished, values)
    }

    /// The next ICMP message of the error queue, taken off it; nil if there is none. Needs IP_RECVERR.
    public borrowing func takeICMP() -> (error: Errno, message: ICMPMessage)? {
        var icmp = connectd_icmp()
        guard connectd_read_icmp(descriptor.rawValue, &icmp) == 1 else { return nil }
        guard let from = SocketName.endpoint(from: icmp.from) else { return nil }
        let family: AddressFamily = icmp.origin == connectd_origin_icmp6 ? .ipv6 : .ipv4
        let message = ICMPMessage(family: family, type: icmp.type, code: icmp.code, from: from.address)
        return (Errno(Int32(bitPattern: icmp.error)), message)
    }

    /// SO_PEERCRED of a connected UNIX-domain socket, as it was when the peer called listen(2); nil where there are none,
    /// as for datagrams. The pid is 0 where the peer lives in a process namespace that cannot be seen from here.
    public borrowing func peerCredentials() -> PeerCredentials? {
        var credentials = connectd_credentials()
        guard connectd_get_peer_credentials(descriptor.rawValue, &credentials) == 0 else { return nil }
        // The user -1 stands for nobody at all.
        guard credentials.pid > 0 || credentials.uid != .max else { return nil }
        return PeerCredentials(pid: credentials.pid, uid: credentials.uid, gid: credentials.gid)
    }
}
