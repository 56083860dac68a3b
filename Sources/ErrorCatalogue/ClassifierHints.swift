/// Hints for cases that the catalogue's own hint would miss: one sentence each, under 200 characters.
enum Hints {
    // MARK: bind and socket

    static let bindPortTaken = """
        bind.port is taken on the prober (`ss -tanp` shows by whom, TIME_WAIT included): leave bind.port out, so that the \
        kernel chooses, or choose another.
        """
    static let bindForeignAddress = """
        bind.address is not an address of the prober: `ip -br addr` in its own network namespace shows those it has; an \
        IPv6 address may still be tentative.
        """
    static let bindPrivilegedPort = """
        bind.port is a privileged port: give connectd CAP_NET_BIND_SERVICE, lower net.ipv4.ip_unprivileged_port_start, or \
        bind to a higher port.
        """
    static let bindInterfaceForbidden = """
        connectd may not bind sockets to an interface here: it needs CAP_NET_RAW if the socket is bound to one already, or \
        on kernels before 5.7.
        """
    static let bindForbidden = """
        A cgroup BPF program or security module on the prober forbids this bind: look at `bpftool cgroup tree` and at \
        systemd's SocketBindDeny=.
        """
    static let noSuchInterface = """
        The prober has no interface of the name that the request gives: `ip -br link` in its own network namespace shows \
        those it has.
        """
    static let bindWrongFamily = """
        bind.address does not fit this socket: its family must be the target's, and a link-local IPv6 address needs its \
        interface too.
        """
    static let bindOther = """
        The prober could not bind the socket, and nothing was sent: check address, port and interface of the request's \
        "bind" against `ip addr` on the prober.
        """
    static let optionForbidden = """
        connectd lacks the privilege for a socket option of the request: "mark" needs CAP_NET_ADMIN or CAP_NET_RAW, \
        "interface" may need CAP_NET_RAW.
        """
    static let socketForbidden = """
        The prober's sandbox forbids this kind of socket: look at seccomp, RestrictAddressFamilies=, SELinux or AppArmor \
        of connectd's unit or container.
        """
    static let optionMissing = """
        The prober's kernel lacks this option or has it switched off: MPTCP needs net.mptcp.enabled=1, tcp_md5 needs \
        CONFIG_TCP_MD5SIG; nothing was sent.
        """
    static let optionRefused = """
        The prober's kernel does not take a socket option of the request as it is: leave members of "socket" out one by \
        one to find it; nothing was sent.
        """
    static let localShortage = """
        The prober's kernel had nothing left for a new socket: run fewer checks at once and look at its memory limits; the \
        target was not asked.
        """

    // MARK: refused and reset

    static let unixRefused = """
        The name is there, but nobody listens: the socket file was left behind by a process that is gone, is no socket at \
        all, or the abstract name is not bound.
        """
    static let udpRefused = """
        The target itself answers that nothing listens on this UDP port: see `ss -lun` there, and whether the service is \
        bound to this address.
        """
    static let refusedOnLoopback = """
        Nothing listens on this loopback port in the prober's own network namespace (`ss -ltn`); within a container that \
        is not the host's loopback.
        """
    static let tcpRefusedByICMP = """
        The target refuses with ICMP instead of a TCP reset: that is its own firewall (`reject` in nftables or iptables), \
        not merely a closed port.
        """
    static let refusedByOurselves = """
        A firewall on the prober itself refuses this connect with ICMP (its own address is in icmp.from): look at its \
        output rules with `nft list ruleset`.
        """
    static let refusedOnTheWay = """
        A firewall or router on the way refuses in the target's place: icmp.from names it; the target may well be up, so \
        ask that device's owner.
        """
    static let resetWhileHeld = """
        The peer reset the connection while it was held open: look for an idle timeout or a connection limit in the \
        service or in a proxy before it.
        """
    static let resetInTLS = """
        The connection was reset within the TLS handshake: the port may not speak TLS, the server may reject the server \
        name, or a middlebox blocks it.
        """
    static let resetInDialog = """
        The peer reset the connection in the middle of the dialog: see its log for a protocol error, an access list or a \
        crash.
        """

    // MARK: silence

    static let silentInTLS = """
        TCP was established, but the TLS handshake got no further: the port may not speak TLS, the server may hang, or \
        large packets are lost (path MTU).
        """
    static let silentBeforeTLS = """
        The peer has not agreed to TLS: it may wait for TLS at once (leave tls.starttls out), speak another protocol than \
        tls.starttls names, or hang.
        """
    static let silentUDP = """
        No datagram came back: UDP does not tell a drop by a firewall from a service that ignores this payload, so try a \
        request that it must answer.
        """
    static let silentInDialog = """
        The connection was made, but what the dialog waits for never came: the service hangs, is overloaded, or expects \
        the client to speak first.
        """
    static let silentWhileHeld = """
        The connection was made and then went silent: packets are lost since, mostly by a stateful firewall or NAT that \
        forgot it, or the peer is gone.
        """
    static let silentWithMD5 = """
        No answer, and TCP MD5 is in use: Linux drops what a wrong or missing key signs instead of refusing it, so compare \
        the keys on both sides first.
        """
    static let silentOnLoopback = """
        Loopback loses nothing by itself: the listener's backlog is full as its process does not accept (`ss -ltn`, Recv-Q \
        over Send-Q), or a local firewall drops.
        """
    static let silentUnix = """
        A UNIX-domain peer did not react in time: its process is stopped or hangs; `ss -xlp` names it, and \
        /proc/PID/wchan shows where it waits.
        """

    static let pathUnanswered = """
        Check the file system of this path: opening the path did not return in time, as on NFS or FUSE whose server is \
        down; `findmnt -T` with the path names it.
        """

    // MARK: local addresses and ports

    static let familyWithoutAddress = """
        The prober has no usable address of this family, not even for UDP: IPv6 may be switched off there \
        (net.ipv6.conf.all.disable_ipv6), see `ip -br addr`.
        """
    static let familyWithoutRoute = """
        The prober has no address of this family, so there is no way to the target: give it IPv6 connectivity, or set \
        resolve.family to the other one.
        """
    static let sourcePortStillUsed = """
        This bind.port already has a connection to this target, perhaps in TIME_WAIT for a minute: leave bind.port out, or \
        let checks close with "close":"rst".
        """
    static let autobindExhausted = """
        No ephemeral port is left for this socket (Linux says EAGAIN here): `ss -uan` shows who holds them; widen \
        net.ipv4.ip_local_port_range.
        """
    static let loopbackSource = """
        The socket is bound to loopback, which cannot reach another machine (Linux says EINVAL): bind to an address of the \
        interface towards the target, or to none.
        """

    // MARK: EINVAL and ENETUNREACH

    static let letThrough = """
        The kernel asked to try again and connectd did not: please report it together with the whole result; it says \
        nothing about the target.
        """
    static let unixInvalidArgument = """
        The kernel took neither this socket nor this path as valid: please report it together with the whole result; the \
        target was not reached.
        """
    static let zoneMissing = """
        Add the interface to this link-local IPv6 address as its zone, as in [fe80::1%eth0]: without one it is on no link, and \
        Linux says EINVAL.
        """
    static let zoneMissingInRecord = """
        Remove the link-local address from the name's AAAA records: it leads to nothing without a link, which a record \
        cannot name; Linux says EINVAL.
        """
    static let multicastInvalid = """
        TCP cannot connect to a multicast or broadcast address: use the address of one host, or udp:// for a datagram to \
        the group.
        """
    static let multicastUnreachable = """
        TCP cannot connect to a multicast or broadcast address: Linux says ENETUNREACH where the manual page has EINVAL; \
        use one host's own address.
        """

    // MARK: not permitted

    static let addressOfOtherFamily = """
        Leave "family" out, or write a target of that family: an address has one family only.
        """
    static let fileSystemFull = """
        Check the file system of the path (`df`): it reported that it is full, which connect(2) passes on as it is.
        """
    static let pathIsNoSocket = """
        The path leads to something that is not a socket: `ls -lL` with the path shows what it is, and `ss -xl` where the \
        service really listens.
        """
    static let unixAccessDenied = """
        connectd's user may not search a directory of the path or not write the socket: `namei -l` with the path shows \
        every owner and mode on the way.
        """
    static let unixSearchDenied = """
        connectd's user may not search a directory on the path (no x for it): `namei -l` with the path shows which; add \
        the user to that directory's group.
        """
    static let unixWriteDenied = """
        connectd's user may not write the socket itself: connecting needs w on it, so add the user to its group, or let \
        the service create it with mode 0660 or 0666.
        """
    static let unixPeerElsewhere = """
        The datagram socket at this path is connected to somebody else and takes datagrams from that peer only (Linux says \
        EPERM): it serves one client.
        """
    static let udpBroadcastForbidden = """
        UDP to a broadcast address needs SO_BROADCAST, which connectd never sets: use the address of one host.
        """
    static let udpSendDropped = """
        A firewall on the prober itself drops this datagram on its way out (Linux says EPERM for that): look at its output \
        rules with `nft list ruleset`.
        """
    static let md5NotConfigured = """
        TCP MD5 is asked for, and the kernel forbids the connect: see that the key of this name is set up for the target's \
        address and family.
        """

    /// Every text of `Hints`, for the tests that judge form.
    static let all =
        [
            bindPortTaken, bindForeignAddress, bindPrivilegedPort, bindInterfaceForbidden, bindForbidden,
            noSuchInterface, bindWrongFamily, bindOther, optionForbidden, socketForbidden, optionMissing, optionRefused,
            localShortage, unixRefused, udpRefused, refusedOnLoopback, tcpRefusedByICMP, refusedByOurselves,
            refusedOnTheWay, resetWhileHeld, resetInTLS, resetInDialog, silentInTLS, silentBeforeTLS, silentUDP,
            silentInDialog, silentWhileHeld, silentWithMD5, silentOnLoopback, silentUnix, pathUnanswered,
            familyWithoutAddress,
            familyWithoutRoute, sourcePortStillUsed, autobindExhausted, loopbackSource, letThrough,
            unixInvalidArgument, zoneMissing, zoneMissingInRecord,
            multicastInvalid, multicastUnreachable, addressOfOtherFamily, fileSystemFull, pathIsNoSocket,
            unixAccessDenied, unixSearchDenied,
            unixWriteDenied,
            unixPeerElsewhere, udpBroadcastForbidden, udpSendDropped, md5NotConfigured,
        ] + icmp + tls
}
