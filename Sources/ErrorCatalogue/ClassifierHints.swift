/// Hints for cases that the catalogue's own hint does not fit: one sentence each, under 200 characters, beginning with
/// an imperative.
enum Hints {
    // MARK: bind and socket

    static let bindPortTaken = """
        Leave bind.port out so that the kernel chooses one, or choose another: this port is in use on the prober (`ss \
        -tanp` shows the process, including TIME_WAIT).
        """
    static let bindForeignAddress = """
        Set bind.address to an address of the prober: `ip -br addr` in its network namespace lists them; a new IPv6 \
        address may still be tentative.
        """
    static let bindPrivilegedPort = """
        Give connectd CAP_NET_BIND_SERVICE, lower net.ipv4.ip_unprivileged_port_start, or bind to a higher port: \
        bind.port is a privileged port.
        """
    static let bindInterfaceForbidden = """
        Give connectd CAP_NET_RAW: the kernel did not let it bind the socket to an interface, as before Linux 5.7 or \
        if the socket is already bound to one.
        """
    static let bindForbidden = """
        Check `bpftool cgroup tree` and systemd's SocketBindDeny= on the prober: a cgroup BPF program or a security \
        module forbids this bind.
        """
    static let noSuchInterface = """
        Correct the interface name in the request: `ip -br link` in the prober's network namespace lists the \
        interfaces that it has.
        """
    static let bindWrongFamily = """
        Set bind.address to an address of the target's family; a link-local IPv6 address also needs its interface.
        """
    static let bindOther = """
        Check the address, port and interface in the request's "bind" against `ip addr` on the prober: it could not \
        bind the socket, and sent nothing.
        """
    static let optionForbidden = """
        Give connectd the capability for the request's socket options: "mark" needs CAP_NET_ADMIN or CAP_NET_RAW, \
        "interface" may need CAP_NET_RAW.
        """
    static let socketForbidden = """
        Check seccomp, RestrictAddressFamilies=, SELinux and AppArmor for connectd's unit or container: the sandbox \
        forbids this kind of socket.
        """
    static let optionMissing = """
        Check the prober's kernel: MPTCP needs net.mptcp.enabled=1 and tcp_md5 needs CONFIG_TCP_MD5SIG; the option is \
        missing or disabled, and nothing was sent.
        """
    static let optionRefused = """
        Remove the members of "socket" one by one to find the option that the prober's kernel does not accept; nothing \
        was sent.
        """
    static let localShortage = """
        Run fewer checks at once, and check the prober's memory limits: its kernel had no resources left for a new \
        socket; the target was not contacted.
        """

    // MARK: refused and reset

    static let unixRefused = """
        Start the service: nothing listens at this name; the socket file is left over from an old process or is not a \
        socket, or the abstract name is not bound.
        """
    static let udpRefused = """
        Check `ss -lun` on the target: it answered that nothing listens on this UDP port, so the service is down or \
        bound to another address.
        """
    static let refusedOnLoopback = """
        Start the service, or check its port with `ss -ltn`: nothing listens on this loopback port in the prober's \
        network namespace; a container has its own loopback.
        """
    static let tcpRefusedByICMP = """
        Check the target's own firewall for a `reject` rule (nftables or iptables): it refused with ICMP instead of a \
        TCP reset, so the port is not just closed.
        """
    static let refusedByProber = """
        Check the prober's output rules with `nft list ruleset`: its own firewall refused this connection with ICMP \
        (icmp.from is the prober's address).
        """
    static let refusedOnPath = """
        Ask the owner of the device in icmp.from: this firewall or router on the path refused the connection; the \
        target itself may be up.
        """
    static let resetWhileHeld = """
        Check the service and any proxy in front of it for an idle timeout or a connection limit: the peer reset the \
        connection while it was held open.
        """
    static let resetInTLS = """
        Check that the port speaks TLS and that the server accepts this server name: the connection was reset during \
        the TLS handshake, perhaps by a middlebox.
        """
    static let resetInDialog = """
        Check the peer's log for a protocol error, an access list or a crash: it reset the connection during the \
        dialog.
        """

    // MARK: silence

    static let silentInTLS = """
        Check that the port speaks TLS and that the server does not hang: TCP connected, but the handshake got no \
        answer; lost large packets (path MTU) look the same.
        """
    static let silentBeforeTLS = """
        Check that tls.starttls names the server's protocol, or leave it out if the port expects TLS at once: the peer \
        did not agree to TLS in time, or hangs.
        """
    static let silentUDP = """
        Send a request that the service must answer: no datagram came back, and UDP cannot tell a firewall's drop from \
        a service that ignores this payload.
        """
    static let silentPreset = """
        Check that a server of the preset's protocol runs there and answers this prober: it did not answer the question, \
        and UDP cannot tell a firewall's drop from a silent service.
        """
    static let silentInDialog = """
        Check that the service does not hang and is not overloaded: it accepted the connection but did not send what \
        the dialog expects; it may wait for the client.
        """
    static let silentWhileHeld = """
        Check stateful firewalls and NAT for an expired entry: the connection was established and then packets were \
        lost, or the peer disappeared.
        """
    static let deadlineWhileHeld = """
        Raise timeout_ms or lower hold_ms: the deadline passed before the connection had been held for long enough; \
        until then, the peer kept it open.
        """
    static let silentWithMD5 = """
        Compare the TCP MD5 keys on both sides first: nothing answered, and Linux drops segments with a wrong or \
        missing signature instead of refusing them.
        """
    static let silentOnLoopback = """
        Check the listener's backlog (`ss -ltn`, Recv-Q over Send-Q): loopback loses no packets, so its process does \
        not accept, or a local firewall drops them.
        """
    static let silentUnix = """
        Check whether the peer's process is stopped or hangs: `ss -xlp` names it and /proc/PID/wchan shows where it \
        waits; it did not react in time.
        """

    static let pathUnanswered = """
        Check the file system of this path: opening the path did not return in time, as on NFS or FUSE with a dead \
        server; `findmnt -T` with the path shows it.
        """

    // MARK: local addresses and ports

    static let familyWithoutAddress = """
        Check `ip -br addr` on the prober: it has no usable address of this family, even for UDP; \
        net.ipv6.conf.all.disable_ipv6 may be set.
        """
    static let familyWithoutRoute = """
        Give the prober IPv6 connectivity, or set resolve.family to the other family: it has no address of this \
        family, so no route to the target.
        """
    static let sourcePortStillUsed = """
        Leave bind.port out, or let checks close with "close":"rst": this port already has a connection to this \
        target, perhaps in TIME_WAIT for a minute.
        """
    static let autobindExhausted = """
        Widen net.ipv4.ip_local_port_range, or find the process that holds the ports with `ss -uan`: no ephemeral port \
        is left for this socket (EAGAIN on Linux).
        """
    static let loopbackSource = """
        Bind to an address of the interface toward the target, or leave bind.address out: a socket bound to loopback \
        cannot reach another machine (EINVAL on Linux).
        """

    // MARK: EINVAL and ENETUNREACH

    static let unhandledAgain = """
        Report this as a bug in connectd, together with the whole result: the kernel asked for a retry and connectd \
        did not retry; the target may be fine.
        """
    static let unixInvalidArgument = """
        Report this as a bug in connectd, together with the whole result: the kernel rejected the socket or the path \
        as invalid; the target was not reached.
        """
    static let zoneMissing = """
        Add the interface to this link-local IPv6 address as its zone, as in [fe80::1%eth0]: without a zone the \
        address belongs to no link (EINVAL on Linux).
        """
    static let zoneMissingInRecord = """
        Remove the link-local address from the name's AAAA records: it is useless without an interface, which a record \
        cannot name (EINVAL on Linux).
        """
    static let multicastInvalid = """
        Use the address of one host, or udp:// for a datagram to the group: TCP cannot connect to a multicast or \
        broadcast address.
        """
    static let multicastUnreachable = """
        Use the address of one host: TCP cannot connect to a multicast or broadcast address; Linux reports \
        ENETUNREACH, the manual page says EINVAL.
        """

    // MARK: not permitted

    static let addressOfOtherFamily = """
        Remove "family", or write a target of that family: an address has one family only.
        """
    static let fileSystemFull = """
        Check the file system of the path (`df`): it is full, and connect(2) returns the file system's error \
        unchanged.
        """
    static let pathIsNotSocket = """
        Check the path with `ls -lL`: it is not a socket; `ss -xl` shows where the service really listens.
        """
    static let unixAccessDenied = """
        Check owners and modes along the path with `namei -l`: connectd's user may not search one of its directories, \
        or may not write to the socket.
        """
    static let unixSearchDenied = """
        Give connectd's user search permission (x) on every directory of the path, for example through a group: `namei \
        -l` with the path shows which one lacks it.
        """
    static let unixWriteDenied = """
        Give connectd's user write permission on the socket, which connecting needs: add the user to its group, or let \
        the service create it with mode 0660 or 0666.
        """
    static let unixPeerElsewhere = """
        Ask the service to accept more than one client: the datagram socket at this path is connected to another peer \
        and accepts only its datagrams (EPERM on Linux).
        """
    static let udpBroadcastForbidden = """
        Use the address of one host: UDP to a broadcast address needs SO_BROADCAST, which connectd never sets.
        """
    static let udpSendDropped = """
        Check the prober's output rules with `nft list ruleset`: its own firewall dropped this outgoing datagram \
        (EPERM on Linux).
        """
    static let presetMismatch = """
        Check which service uses this UDP port: "received" has what the peer sent, which is not an answer to the \
        question of the preset.
        """
    static let md5NotConfigured = """
        Check that the TCP MD5 key of this name is configured for the target's address and family: the kernel forbids \
        this connection.
        """

    /// All hints, for tests of their form.
    static let all =
        [
            bindPortTaken, bindForeignAddress, bindPrivilegedPort, bindInterfaceForbidden, bindForbidden,
            noSuchInterface, bindWrongFamily, bindOther, optionForbidden, socketForbidden, optionMissing, optionRefused,
            localShortage, unixRefused, udpRefused, refusedOnLoopback, tcpRefusedByICMP, refusedByProber,
            refusedOnPath, resetWhileHeld, resetInTLS, resetInDialog, silentInTLS, silentBeforeTLS, silentUDP,
            silentPreset, silentInDialog, silentWhileHeld,
            deadlineWhileHeld, silentWithMD5, silentOnLoopback, silentUnix, pathUnanswered,
            familyWithoutAddress,
            familyWithoutRoute, sourcePortStillUsed, autobindExhausted, loopbackSource, unhandledAgain,
            unixInvalidArgument, zoneMissing, zoneMissingInRecord,
            multicastInvalid, multicastUnreachable, addressOfOtherFamily, fileSystemFull, pathIsNotSocket,
            unixAccessDenied, unixSearchDenied,
            unixWriteDenied,
            unixPeerElsewhere, udpBroadcastForbidden, udpSendDropped, presetMismatch, md5NotConfigured,
        ] + icmp + tls + unanswered
}
