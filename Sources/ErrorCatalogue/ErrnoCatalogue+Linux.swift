import Glibc

extension ErrnoCatalogue {
    /// Errors that Linux gives beside those of the manual page: from connect(2), the steps before and after it.
    static let linuxEntries: [ErrorCatalogueEntry] = peerErrors + routeErrors + supportErrors + shortageErrors

    private static let peerErrors: [ErrorCatalogueEntry] = [
        extra(
            ECONNRESET, "ECONNRESET", .reset, fault: .target, retryable: true,
            when: "The connection was made, and then reset by the peer or by something that speaks in its name.",
            linux: "SO_ERROR gives it when the reset comes right behind the handshake; the manual page lacks it.",
            hint: """
                The peer took the connection and reset it: look at its log for a crash, an access list or a connection \
                limit, and for a proxy or load balancer without a backend.
                """),
        extra(
            ECONNABORTED, "ECONNABORTED", .reset, fault: .target, retryable: true,
            when: "The connection was given up before it could be used.",
            linux: "Rare: something on the prober destroyed the socket (`ss -K`); the manual page lacks it.",
            hint: """
                The connection was torn down from outside the peer's program: look for `ss -K`, SOCK_DESTROY by a proxy or \
                CNI plugin, or a change of addresses in that moment.
                """),
        extra(
            EPIPE, "EPIPE", .reset, fault: .target, retryable: true,
            when: "A send found that the peer had closed the connection.",
            linux: "Only a send gives it, never connect(2) itself.",
            hint: """
                The peer closed the connection before it had heard all: look at its log for an access list, a connection \
                limit or a protocol error.
                """),
        extra(
            EAGAIN, "EAGAIN", aliases: ["EWOULDBLOCK"], .backlogFull, fault: .target, retryable: true,
            when: "The listener of a UNIX-domain socket has a full backlog: it does not accept fast enough.",
            linux: """
                Such a connect is not in progress, unlike TCP's EINPROGRESS. A UDP connect gives EAGAIN when no ephemeral \
                port is left, and then the class is `prober_exhausted`.
                """,
            hint: """
                The listener does not accept fast enough (`ss -xl`, Recv-Q against Send-Q): see whether its process hangs, \
                or raise its listen backlog and net.core.somaxconn.
                """),
    ]

    private static let routeErrors: [ErrorCatalogueEntry] = [
        extra(
            EHOSTDOWN, "EHOSTDOWN", .unreachable, fault: .network, retryable: true,
            when: "A router answers that it does not know the destination host.",
            linux: "It is ICMP 3/7; a host that is merely silent gives EHOSTUNREACH.",
            hint: """
                A router says that the host is unknown (ICMP 3/7): see which one in the attempt's icmp.from, and whether \
                the host is attached there and switched on.
                """),
        extra(
            ENONET, "ENONET", .unreachable, fault: .network, retryable: true,
            when: "A router answers that the prober's own host is isolated.",
            linux: "It is ICMP 3/8, which is obsolete.",
            hint: """
                A router calls the source host isolated (obsolete ICMP 3/8): look at the device in the attempt's icmp.from, \
                which is old or answers wrongly.
                """),
        extra(
            ENOPROTOOPT, "ENOPROTOOPT", .unreachable, fault: .network, retryable: false,
            when: "The host answers that it does not speak this transport protocol.",
            linux: """
                It is ICMP 3/2; a firewall's `reject with icmp prot-unreachable` gives it too. From socket(2) or \
                setsockopt(2) it means that the prober's kernel lacks an option or has MPTCP switched off.
                """,
            hint: """
                The answer was ICMP protocol unreachable: a host without TCP or UDP is rare, so look for a firewall rule \
                `reject with icmp prot-unreachable` at the attempt's icmp.from.
                """),
        extra(
            EPROTO, "EPROTO", .unreachable, fault: .network, retryable: false,
            when: "Somebody answers that a header of the packet is wrong.",
            linux: "It is an ICMP parameter problem: type 12, or type 4 over IPv6.",
            hint: """
                A device on the way could not read a header (ICMP parameter problem): see which in the attempt's icmp.from, \
                and look for IP options, extension headers or a broken middlebox.
                """),
        extra(
            EOPNOTSUPP, "EOPNOTSUPP", aliases: ["ENOTSUP"], .unreachable, fault: .network, retryable: false,
            when: "A router answers that the packet's source route failed.",
            linux: "It is ICMP 3/5.",
            hint: """
                A router reports a failed source route (ICMP 3/5), although connectd sets none: look at the device in the \
                attempt's icmp.from, and for anything that adds IP options.
                """),
        extra(
            EMSGSIZE, "EMSGSIZE", .unclassified, fault: .prober, retryable: false,
            when: "A datagram is larger than the socket or the path takes.",
            linux: "From a UDP or UNIX dgram send, also behind a router's ICMP message about a packet too big.",
            hint: """
                The datagram does not fit: UDP takes 65507 bytes over IPv4 and the path perhaps 1472, so send less; a \
                tunnel with a small MTU shows in `ip route get`.
                """),
    ]

    private static let supportErrors: [ErrorCatalogueEntry] = [
        extra(
            ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT", .proberMisconfigured, fault: .prober, retryable: false,
            when: "The prober's kernel does not have this type of socket in this family.",
            linux: "From socket(2).",
            hint: """
                The prober's kernel lacks this type of socket: see whether its module is there and may be loaded \
                (modprobe's blacklist), or run the check elsewhere.
                """),
        extra(
            EPROTONOSUPPORT, "EPROTONOSUPPORT", .proberMisconfigured, fault: .prober, retryable: false,
            when: "The prober's kernel does not have this protocol.",
            linux: "From socket(2), for MPTCP where it is not built in.",
            hint: """
                The prober's kernel lacks this protocol: MPTCP needs a kernel from 5.6 on that is built with CONFIG_MPTCP; \
                leave "mptcp" out otherwise.
                """),
        extra(
            ENODEV, "ENODEV", .proberMisconfigured, fault: .prober, retryable: false,
            when: "There is no network interface of that name or number.",
            linux: "From SO_BINDTODEVICE, and for the zone of an IPv6 address.",
            hint: """
                The prober has no such interface: `ip link` in its own network namespace shows those it has, which in a \
                container are not the host's.
                """),
        extra(
            ENETDOWN, "ENETDOWN", .proberMisconfigured, fault: .prober, retryable: false,
            when: "The prober's interface towards the target is down.",
            linux: nil,
            hint: """
                The prober's own interface is down: `ip -br link` shows it, `ip link set … up` or its link partner cures \
                it; the target was not asked at all.
                """),
    ]

    private static let shortageErrors: [ErrorCatalogueEntry] = [
        extra(
            EMFILE, "EMFILE", .proberExhausted, fault: .prober, retryable: true,
            when: "The process has no file descriptor left.",
            linux: "From socket(2).",
            hint: """
                connectd is out of file descriptors: raise LimitNOFILE= or `ulimit -n`, or lower limits.in_flight; the \
                target was not asked.
                """),
        extra(
            ENFILE, "ENFILE", .proberExhausted, fault: .prober, retryable: true,
            when: "The whole machine has no open file left.",
            linux: "From socket(2).",
            hint: """
                The whole machine is out of open files: compare /proc/sys/fs/file-nr with fs.file-max and find the process \
                that leaks; the target was not asked.
                """),
        extra(
            ENOBUFS, "ENOBUFS", .proberExhausted, fault: .prober, retryable: true,
            when: "The kernel has no buffer left for a socket or a packet.",
            linux: "Also where a transmit queue of the prober is full.",
            hint: """
                The prober's kernel is out of network memory: look at /proc/net/sockstat against net.ipv4.tcp_mem, and at \
                drops in `ip -s link`.
                """),
        extra(
            ENOMEM, "ENOMEM", .proberExhausted, fault: .prober, retryable: true,
            when: "The kernel has no memory left for a socket.",
            linux: "Also at the memory limit of the process's cgroup.",
            hint: """
                The prober's kernel is out of memory: look at the memory limit of connectd's container or unit \
                (memory.events) and at `dmesg`; the target was not asked.
                """),
        extra(
            ENOSPC, "ENOSPC", .proberExhausted, fault: .prober, retryable: true,
            when: "The kernel allows its user no more watches of descriptors.",
            linux: "From epoll_ctl(2), at fs.epoll.max_user_watches; a path on a full file system may have it too.",
            hint: """
                Raise fs.epoll.max_user_watches on the prober, or find the process of the same user that holds so many \
                watches; a disk that is full is not the cause.
                """),
        extra(
            EIO, "EIO", .unclassified, fault: .prober, retryable: false,
            when: "The kernel met an error below the socket: a driver, or a file system on the way to a path.",
            linux: "Rare; no way to it through connect(2) itself is known.",
            hint: """
                Something below the socket failed on the prober: `dmesg` names the driver, network device or file system \
                that reported it.
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
