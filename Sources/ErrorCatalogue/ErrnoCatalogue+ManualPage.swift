internal import Glibc
internal import NetworkTypes

extension ErrnoCatalogue {
    /// The errors that the manual page of connect(2) lists, in its order.
    static let manualPageEntries: [ErrorCatalogueEntry] =
        descriptorErrors + networkErrors + progressAndPermissionErrors + pathErrors

    private static let descriptorErrors: [ErrorCatalogueEntry] = [
        kernel(
            EBADF, "EBADF", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "The descriptor is not open.",
            linux: "A descriptor opened with O_PATH gives this error too.",
            hint: "Report this as a bug in connectd, together with the whole result: the target did not cause it."),
        kernel(
            ENOTSOCK, "ENOTSOCK", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "The descriptor is open but is not a socket.",
            linux: """
                Other systems also return it for a UNIX-domain path that is not a socket; the class is then \
                `wrong_type`. Linux returns ECONNREFUSED there.
                """,
            hint: "Report this as a bug in connectd, together with the whole result: the target did not cause it."),
        kernel(
            EADDRNOTAVAIL, "EADDRNOTAVAIL", .proberExhausted, fault: .prober, retryable: true, inManualPage: true,
            when: """
                The prober has no local address and port for this connection. Either no ephemeral port is left toward \
                this target, or the address given to bind(2) is not a local one.
                """,
            linux: """
                Usually no ephemeral port is left. A connect also returns it, even for UDP, if IPv6 is disabled or the \
                family has no address at all.
                """,
            hint: """
                Widen net.ipv4.ip_local_port_range, or let checks close with "close":"rst": no ephemeral port is left \
                toward this target; `ss -tan` shows those in TIME_WAIT.
                """),
        kernel(
            EAFNOSUPPORT, "EAFNOSUPPORT", .proberMisconfigured, fault: .prober, retryable: false, inManualPage: true,
            when: "The socket and the address are of different families, or the prober does not support the family.",
            linux: "socket(2) returns it if IPv6 is not built in, or if a seccomp filter forbids the family.",
            hint: """
                Check ipv6.disable on the prober's kernel command line, and RestrictAddressFamilies= or seccomp: its \
                kernel or sandbox does not offer this address family.
                """),
        kernel(
            EISCONN, "EISCONN", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "The socket is already connected.",
            linux: "A listening TCP socket returns it too.",
            hint: "Report this as a bug in connectd, together with the whole result: the target did not cause it."),
    ]

    private static let networkErrors: [ErrorCatalogueEntry] = [
        kernel(
            ETIMEDOUT, "ETIMEDOUT", .timeout, fault: .network, retryable: true, inManualPage: true,
            when: "The kernel sent its last SYN and stopped waiting for an answer.",
            linux: """
                By default it takes about two minutes (net.ipv4.tcp_syn_retries), so a check's own deadline usually \
                passes first: that error is DEADLINE. A full listen backlog, a DROP in the prober's own OUTPUT rules \
                and a wrong or missing TCP MD5 key look the same.
                """,
            hint: """
                Check for a firewall that drops packets, a dead host or a broken return path, and for a full listen \
                backlog on the target (`nstat -az TcpExtListenDrops`).
                """),
        kernel(
            EINVAL, "EINVAL", .unreachable, fault: .network, retryable: false, inManualPage: true,
            when: "A TCP socket connects to a broadcast or multicast address.",
            linux: """
                Linux returns ENETUNREACH for that. On Linux, EINVAL means a route of type blackhole, a socket bound \
                to loopback that connects to another machine, or a link-local IPv6 address without a zone.
                """,
            hint: """
                Check `ip route get` with the address for a blackhole route: on Linux that is the cause of this error, \
                not a bad address as the manual page says.
                """),
        kernel(
            ECONNREFUSED, "ECONNREFUSED", .refused, fault: .target, retryable: true, inManualPage: true,
            when: "The host answered that nothing listens on this port: with a TCP reset or an ICMP port unreachable.",
            linux: """
                For UNIX-domain sockets: the listener of the path is gone, the path is not a socket, or the abstract \
                name is not bound. A UDP socket gets the error on a later send or receive.
                """,
            hint: """
                Start the service, or check where it listens (`ss -ltn` on the host): the host is up, but nothing \
                listens on this port, or only on loopback.
                """),
        kernel(
            EHOSTUNREACH, "EHOSTUNREACH", .unreachable, fault: .network, retryable: true, inManualPage: true,
            when: "The last hop cannot reach the host: nothing answers for its address, or a router says so.",
            linux: """
                Also for most ICMP messages ("administratively prohibited" from a firewall, an exceeded hop limit) and \
                for a route of type unreachable. A neighbor that does not answer takes about three seconds.
                """,
            hint: """
                Check that the host is up (`ip neigh`), that its address and prefix are right, and that `ip route get` \
                shows no unreachable route: nothing answers for its address.
                """),
        kernel(
            EINTR, "EINTR", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "A signal interrupted the call; the connect continues in the background.",
            linux: "A UNIX-domain connect that waits for a place in the backlog does not continue in the background.",
            hint: "Report this as a bug in connectd, together with the whole result: the target did not cause it."),
        kernel(
            ENETUNREACH, "ENETUNREACH", .unreachable, fault: .network, retryable: true, inManualPage: true,
            when: "There is no route to the network of this address, on the prober or at a router on the path.",
            linux: """
                Also for TCP to a multicast or broadcast address (EINVAL in the manual page), for a route of type \
                throw and for a rule of type unreachable.
                """,
            hint: """
                Check `ip route get` with this address: the prober has no route to it; the default route is missing, \
                an interface is down, or IPv6 has no connectivity.
                """),
        kernel(
            EADDRINUSE, "EADDRINUSE", .proberExhausted, fault: .prober, retryable: true, inManualPage: true,
            when: "The local address and port are already in use.",
            linux: """
                On Linux bind(2) returns it, and the class is then `prober_misconfigured`; connect(2) returns \
                EADDRNOTAVAIL when no local port is free.
                """,
            hint: """
                Widen net.ipv4.ip_local_port_range, or run fewer checks at once: the kernel found no free local port \
                for this connect; `ss -tan` shows what holds them.
                """),
    ]

    private static let progressAndPermissionErrors: [ErrorCatalogueEntry] = [
        kernel(
            EFAULT, "EFAULT", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "The address is outside the process's memory.",
            linux: nil,
            hint: "Report this as a bug in connectd, together with the whole result: the target did not cause it."),
        kernel(
            EINPROGRESS, "EINPROGRESS", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "The socket is non-blocking and the connect is in progress.",
            linux: "Also a blocking socket whose SO_SNDTIMEO expired. A UNIX-domain connect returns EAGAIN instead.",
            hint: "Report this as a bug in connectd, together with the whole result: the target did not cause it."),
        kernel(
            EALREADY, "EALREADY", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "An earlier connect on this socket is still in progress.",
            linux: nil,
            hint: "Report this as a bug in connectd, together with the whole result: the target did not cause it."),
        kernel(
            EPERM, "EPERM", .notPermitted, fault: .prober, retryable: false, inManualPage: true,
            when: "TCP_MD5SIG is set on the socket, but its keys are not configured correctly.",
            linux: """
                Linux answers a wrong or missing MD5 key with silence (ETIMEDOUT, DEADLINE). On Linux, EPERM comes \
                from a cgroup BPF program, a dropped UDP send, a missing capability, or a UNIX datagram peer that is \
                connected to another socket.
                """,
            hint: """
                Check cgroup BPF programs (`bpftool cgroup tree`), systemd's IPAddressDeny= and the firewall's output \
                rules on the prober: one of them forbids this connection.
                """),
    ]

    /// Returns an entry for a kernel error.
    static func kernel(
        _ number: Int32, _ name: String, aliases: [String] = [], _ errorClass: ErrorClass, fault: Fault,
        retryable: Bool, inManualPage: Bool, when: String, linux: String?, hint: String
    ) -> ErrorCatalogueEntry {
        ErrorCatalogueEntry(
            errno: Errno(number), name: name, aliases: aliases, errorClass: errorClass, fault: fault, source: .kernel,
            retryable: retryable, message: message(of: number), when: when, linux: linux, hint: hint,
            inManualPage: inManualPage)
    }
}

extension ErrnoCatalogue {
    /// The errors of UNIX-domain paths in the manual page.
    static let pathErrors: [ErrorCatalogueEntry] = [
        kernel(
            ENOTDIR, "ENOTDIR", .noSuchSocket, fault: .target, retryable: false, inManualPage: true,
            when: "A component in the middle of the path is not a directory.",
            linux: nil,
            hint: """
                Check the path with `namei -l`: a component before the last one is a file or a socket, not a \
                directory; often a mount is missing a directory.
                """),
        kernel(
            ENAMETOOLONG, "ENAMETOOLONG", .badPath, fault: .request, retryable: false, inManualPage: true,
            when: "The path, or one component of it, is too long.",
            linux: """
                A socket address holds 107 bytes of path, much less than PATH_MAX. connectd reports ENAMETOOLONG for a \
                longer path and never truncates it. The kernel reports it for a component over 255 bytes reached \
                through a symbolic link.
                """,
            hint: """
                Use a shorter path, or a symbolic link to the socket's directory: on Linux a UNIX-domain address holds \
                at most 107 bytes of path.
                """),
        kernel(
            ENOENT, "ENOENT", .noSuchSocket, fault: .target, retryable: true, inManualPage: true,
            when: "Nothing exists at the path, or a symbolic link is dangling.",
            linux: "An abstract name that is not bound gives ECONNREFUSED instead.",
            hint: """
                Start the service, check where it listens (`ss -xl`), and check that its directory is mounted into \
                connectd's container: there is no socket at this path.
                """),
        kernel(
            EACCES, "EACCES", .notPermitted, fault: .prober, retryable: false, inManualPage: true,
            when: """
                The process may not search a directory of the UNIX-domain path, or may not write to the socket; \
                connect(2) does not tell which.
                """,
            linux: """
                Internet sockets get it too: from a route of type prohibit, from Landlock or another security module, \
                for UDP to a broadcast address, and over IPv6 from a firewall's "administratively prohibited".
                """,
            hint: """
                Check `ip route get` with the address for a prohibit route; otherwise check Landlock, SELinux or \
                AppArmor: a rule on the prober itself forbids this connection.
                """),
        kernel(
            ELOOP, "ELOOP", .badPath, fault: .request, retryable: false, inManualPage: true,
            when: "The path has too many symbolic links, usually a loop.",
            linux: "The limit is 40 symbolic links.",
            hint: "Check the path with `namei -l`: its symbolic links form a loop, and the output shows which links."),
        kernel(
            EPROTOTYPE, "EPROTOTYPE", .wrongType, fault: .request, retryable: false, inManualPage: true,
            when: "The socket at the path is of another type than the connecting one.",
            linux: "SOCK_SEQPACKET is a type of its own, besides stream and dgram.",
            hint: """
                Use unix:, unix+dgram: or unix+seqpacket: to match the socket's type, which `ss -xl` shows (u_str, \
                u_dgr, u_seq): this target names another type.
                """),
    ]
}
