internal import Glibc

extension ErrnoCatalogue {
    /// Errors of Linux that the manual page does not list: from connect(2), and from the steps before and after it.
    static let linuxEntries: [ErrorCatalogueEntry] = peerErrors + routeErrors + supportErrors + shortageErrors

    private static let peerErrors: [ErrorCatalogueEntry] = [
        extra(
            ECONNRESET, "ECONNRESET", .reset, fault: .target, retryable: true,
            when: "The connection was established, and then reset by the peer or by a device that acts for it.",
            linux: """
                SO_ERROR returns it if the reset comes right after the handshake; the manual page does not list it.
                """,
            hint: """
                Check the peer's log for a crash, an access list or a connection limit, and any proxy or load balancer \
                for a missing backend: the peer accepted, then reset.
                """),
        extra(
            ECONNABORTED, "ECONNABORTED", .reset, fault: .target, retryable: true,
            when: "The connection was aborted before it could be used.",
            linux: "Rare: something on the prober destroyed the socket (`ss -K`); the manual page does not list it.",
            hint: """
                Check for `ss -K`, SOCK_DESTROY by a proxy or CNI plugin, or an address change at that moment: \
                something other than the peer's program closed the connection.
                """),
        extra(
            EPIPE, "EPIPE", .reset, fault: .target, retryable: true,
            when: "A send found that the peer had closed the connection.",
            linux: "Only a send returns it, never connect(2) itself.",
            hint: """
                Check the peer's log for an access list, a connection limit or a protocol error: it closed the \
                connection before it had received everything.
                """),
        extra(
            EAGAIN, "EAGAIN", aliases: ["EWOULDBLOCK"], .backlogFull, fault: .target, retryable: true,
            when: "The listener of a UNIX-domain socket has a full backlog: it does not accept fast enough.",
            linux: """
                Such a connect is not in progress, unlike TCP's EINPROGRESS. A UDP connect returns EAGAIN when no \
                ephemeral port is left; the class is then `prober_exhausted`.
                """,
            hint: """
                Check whether the listener's process hangs, or raise its listen backlog and net.core.somaxconn: it \
                accepts too slowly (`ss -xl`, Recv-Q against Send-Q).
                """),
    ]

    private static let routeErrors: [ErrorCatalogueEntry] = [
        extra(
            EHOSTDOWN, "EHOSTDOWN", .unreachable, fault: .network, retryable: true,
            when: "A router answers that it does not know the destination host.",
            linux: "The cause is ICMP 3/7; a host that is just silent gives EHOSTUNREACH.",
            hint: """
                Check that the host is attached to the router in the attempt's icmp.from and switched on: this router \
                says that the host is unknown (ICMP 3/7).
                """),
        extra(
            ENONET, "ENONET", .unreachable, fault: .network, retryable: true,
            when: "A router answers that the prober's own host is isolated.",
            linux: "The cause is ICMP 3/8, which is obsolete.",
            hint: """
                Check the device in the attempt's icmp.from: it reports the source host as isolated (obsolete ICMP \
                3/8), so it is very old or answers incorrectly.
                """),
        extra(
            ENOPROTOOPT, "ENOPROTOOPT", .unreachable, fault: .network, retryable: false,
            when: "The host answers that it does not support this transport protocol.",
            linux: """
                The cause is ICMP 3/2; a firewall's `reject with icmp prot-unreachable` gives it too. From socket(2) \
                or setsockopt(2) it means that the prober's kernel lacks an option or has MPTCP disabled.
                """,
            hint: """
                Check for a firewall rule `reject with icmp prot-unreachable` at the attempt's icmp.from: hosts \
                without TCP or UDP are rare, yet ICMP protocol unreachable came back.
                """),
        extra(
            EPROTO, "EPROTO", .unreachable, fault: .network, retryable: false,
            when: "A host or router answers that a header of the packet is wrong.",
            linux: "The cause is an ICMP parameter problem: type 12, or type 4 over IPv6.",
            hint: """
                Check the device in the attempt's icmp.from, and look for IP options, extension headers or a broken \
                middlebox: it could not parse a header (ICMP parameter problem).
                """),
        extra(
            EOPNOTSUPP, "EOPNOTSUPP", aliases: ["ENOTSUP"], .unreachable, fault: .network, retryable: false,
            when: "A router answers that the packet's source route failed.",
            linux: "The cause is ICMP 3/5.",
            hint: """
                Check the device in the attempt's icmp.from, and anything that adds IP options: a router reports a \
                failed source route (ICMP 3/5), but connectd sets none.
                """),
        extra(
            EMSGSIZE, "EMSGSIZE", .unclassified, fault: .prober, retryable: false,
            when: "A datagram is larger than the socket or the path accepts.",
            linux: """
                From a UDP or UNIX datagram send, also after a router's ICMP message "packet too big".
                """,
            hint: """
                Send less: the datagram is too large; UDP takes 65507 bytes over IPv4, the path perhaps 1472, or less \
                in a tunnel (`ip route get` shows its MTU).
                """),
    ]

    private static let supportErrors: [ErrorCatalogueEntry] = [
        extra(
            ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT", .proberMisconfigured, fault: .prober, retryable: false,
            when: "The prober's kernel does not support this socket type in this family.",
            linux: "From socket(2).",
            hint: """
                Check that the kernel module for this socket type exists and may be loaded (modprobe's blacklist), or \
                run the check elsewhere: the prober's kernel lacks it.
                """),
        extra(
            EPROTONOSUPPORT, "EPROTONOSUPPORT", .proberMisconfigured, fault: .prober, retryable: false,
            when: "The prober's kernel does not support this protocol.",
            linux: "From socket(2), for MPTCP if the kernel was built without it.",
            hint: """
                Use a kernel 5.6 or later with CONFIG_MPTCP for "mptcp", or leave "mptcp" out: the prober's kernel \
                does not support this protocol.
                """),
        extra(
            ENODEV, "ENODEV", .proberMisconfigured, fault: .prober, retryable: false,
            when: "There is no network interface with that name or number.",
            linux: "From SO_BINDTODEVICE, and for the zone of an IPv6 address.",
            hint: """
                Check `ip link` in the prober's own network namespace: there is no such interface; a container does \
                not have the host's interfaces.
                """),
        extra(
            ENETDOWN, "ENETDOWN", .proberMisconfigured, fault: .prober, retryable: false,
            when: "The prober's interface toward the target is down.",
            linux: nil,
            hint: """
                Check `ip -br link` on the prober, and bring the interface up with `ip link set … up` or fix its link \
                partner: it is down; the target was not contacted.
                """),
    ]

    private static let shortageErrors: [ErrorCatalogueEntry] = [
        extra(
            EMFILE, "EMFILE", .proberExhausted, fault: .prober, retryable: true,
            when: "The process has no file descriptor left.",
            linux: "From socket(2).",
            hint: """
                Raise LimitNOFILE= or `ulimit -n`, or lower limits.in_flight: connectd has no file descriptor left; \
                the target was not contacted.
                """),
        extra(
            ENFILE, "ENFILE", .proberExhausted, fault: .prober, retryable: true,
            when: "The whole machine has reached its limit of open files.",
            linux: "From socket(2).",
            hint: """
                Find the process that leaks files: the whole machine has no open file left (compare \
                /proc/sys/fs/file-nr with fs.file-max); the target was not contacted.
                """),
        extra(
            ENOBUFS, "ENOBUFS", .proberExhausted, fault: .prober, retryable: true,
            when: "The kernel has no buffer left for a socket or a packet.",
            linux: "Also if a transmit queue of the prober is full.",
            hint: """
                Check /proc/net/sockstat against net.ipv4.tcp_mem on the prober, and the drops in `ip -s link`: its \
                kernel is out of network memory.
                """),
        extra(
            ENOMEM, "ENOMEM", .proberExhausted, fault: .prober, retryable: true,
            when: "The kernel has no memory left for a socket.",
            linux: "Also at the memory limit of the process's cgroup.",
            hint: """
                Check the memory limit of connectd's container or unit (memory.events) and `dmesg`: the prober's \
                kernel is out of memory; the target was not contacted.
                """),
        extra(
            ENOSPC, "ENOSPC", .proberExhausted, fault: .prober, retryable: true,
            when: "The user has reached the kernel's limit of epoll watches.",
            linux: "From epoll_ctl(2), at fs.epoll.max_user_watches; a path on a full file system may return it too.",
            hint: """
                Raise fs.epoll.max_user_watches on the prober, or find the process of the same user that holds so many \
                watches; a full disk is not the cause.
                """),
        extra(
            EIO, "EIO", .unclassified, fault: .prober, retryable: false,
            when: """
                The kernel met an error below the socket: in a driver, or in a file system on the path to the socket.
                """,
            linux: "Rare; connect(2) itself has no known way to return it.",
            hint: """
                Check `dmesg` on the prober: it names the driver, network device or file system that reported the \
                failure.
                """),
    ]

    private static func extra(
        _ number: Int32, _ name: String, aliases: [String] = [], _ errorClass: ErrorClass, fault: Fault,
        retryable: Bool, when: String, linux: String?, hint: String
    ) -> ErrorCatalogueEntry {
        kernel(
            number, name, aliases: aliases, errorClass, fault: fault, retryable: retryable, inManualPage: false,
            when: when, linux: linux, hint: hint)
    }
}
