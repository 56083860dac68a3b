import Glibc
internal import NetworkTypes

extension ErrnoCatalogue {
    /// The errors that the manual page of connect(2) names, in its order.
    static let manualPageEntries: [ErrorCatalogueEntry] =
        descriptorErrors + networkErrors + progressAndPermissionErrors + pathErrors

    private static let descriptorErrors: [ErrorCatalogueEntry] = [
        kernel(
            EBADF, "EBADF", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "The descriptor is not open.",
            linux: "A descriptor opened with O_PATH gives it too.",
            hint: "This is a defect of connectd, not of the target: please report it together with the whole result."),
        kernel(
            ENOTSOCK, "ENOTSOCK", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "The descriptor is open, but is no socket.",
            linux: """
                Other systems also give it for a UNIX-domain path that leads to something else than a socket, and then \
                it is `wrong_type`; Linux gives ECONNREFUSED there.
                """,
            hint: "This is a defect of connectd, not of the target: please report it together with the whole result."),
        kernel(
            EADDRNOTAVAIL, "EADDRNOTAVAIL", .proberExhausted, fault: .prober, retryable: true, inManualPage: true,
            when: """
                The prober has no local address and port for this connection: the ephemeral ports towards this target are \
                used up, or the address that bind(2) was given is not one of its own.
                """,
            linux: """
                Mostly it means that no ephemeral port is left; where IPv6 is switched off or the family has no address \
                at all, a connect gives it too, for UDP as well.
                """,
            hint: """
                No ephemeral port is left towards this target: count TIME_WAIT with `ss -tan`, widen \
                net.ipv4.ip_local_port_range, or let checks close with "close":"rst".
                """),
        kernel(
            EAFNOSUPPORT, "EAFNOSUPPORT", .proberMisconfigured, fault: .prober, retryable: false, inManualPage: true,
            when: "The socket's family and the address's family differ, or the prober does not have the family.",
            linux: "socket(2) gives it where IPv6 is not built in, or where a seccomp filter forbids the family.",
            hint: """
                The prober's kernel or sandbox does not offer this address family: look at ipv6.disable on the kernel's \
                command line, and at RestrictAddressFamilies= or seccomp.
                """),
        kernel(
            EISCONN, "EISCONN", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "The socket is connected already.",
            linux: "A listening TCP socket gives it too.",
            hint: "This is a defect of connectd, not of the target: please report it together with the whole result."),
    ]

    private static let networkErrors: [ErrorCatalogueEntry] = [
        kernel(
            ETIMEDOUT, "ETIMEDOUT", .timeout, fault: .network, retryable: true, inManualPage: true,
            when: "The kernel sent its last SYN and gave up waiting for an answer.",
            linux: """
                By default it takes about two minutes (net.ipv4.tcp_syn_retries), so that a check's own deadline comes \
                first: that one is DEADLINE. A full backlog of the listener, a drop in the prober's own OUTPUT rules and a \
                wrong or missing TCP MD5 key look the same.
                """,
            hint: """
                Every SYN went unanswered: look for a firewall that drops, a dead host or a lost way back, and on the \
                target for a full listen backlog (`nstat -az TcpExtListenDrops`).
                """),
        kernel(
            EINVAL, "EINVAL", .unreachable, fault: .network, retryable: false, inManualPage: true,
            when: "TCP was to connect to a broadcast or multicast address.",
            linux: """
                Linux gives ENETUNREACH for that. Its own EINVAL means a route of type blackhole, a socket bound to \
                loopback that connects off the machine, or a link-local IPv6 address without a zone.
                """,
            hint: """
                On Linux this is a blackhole route, not a bad address as the manual page has it: `ip route get` with the \
                address shows the route that swallows it.
                """),
        kernel(
            ECONNREFUSED, "ECONNREFUSED", .refused, fault: .target, retryable: true, inManualPage: true,
            when: "The host answered, and nobody listens there: a TCP reset, or an ICMP port unreachable.",
            linux: """
                For UNIX-domain sockets it is a path whose listener is gone, a path that is no socket at all, or an \
                abstract name that nobody has bound. A UDP socket gets it with a later send or receive.
                """,
            hint: """
                The host is up, but nothing listens on this port: see whether the service runs (`ss -ltn` there), on this \
                address and not on loopback only.
                """),
        kernel(
            EHOSTUNREACH, "EHOSTUNREACH", .unreachable, fault: .network, retryable: true, inManualPage: true,
            when: "The last stretch to the host is missing: nobody answers for its address, or a router says so.",
            linux: """
                Also for most ICMP messages: a firewall's "administratively prohibited", an exceeded hop limit; and for \
                a route of type unreachable. A neighbour that does not answer takes about three seconds.
                """,
            hint: """
                Nobody answers for the target's address: see whether the host is up (`ip neigh`), its address and prefix \
                are right, and `ip route get` shows no unreachable route.
                """),
        kernel(
            EINTR, "EINTR", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "A signal interrupted the call; the connect goes on by itself.",
            linux: "A UNIX-domain connect that waits for a place in the backlog does not go on by itself.",
            hint: "This is a defect of connectd, not of the target: please report it together with the whole result."),
        kernel(
            ENETUNREACH, "ENETUNREACH", .unreachable, fault: .network, retryable: true, inManualPage: true,
            when: "There is no route to the network of this address, here or at a router on the way.",
            linux: """
                Also for TCP to a multicast or broadcast address, where the manual page has EINVAL, for a `throw` route \
                and for a rule of type unreachable.
                """,
            hint: """
                The prober has no route to this address: `ip route get` with it shows why; look for a missing default \
                route, an interface that is down, or IPv6 without connectivity.
                """),
        kernel(
            EADDRINUSE, "EADDRINUSE", .proberExhausted, fault: .prober, retryable: true, inManualPage: true,
            when: "The local address and port are taken.",
            linux: """
                On Linux it is bind(2) that gives it, and then the class is `prober_misconfigured`; connect(2) says \
                EADDRNOTAVAIL when no local port is free.
                """,
            hint: """
                The kernel found no free local port for this connect: `ss -tan` shows what holds them; widen \
                net.ipv4.ip_local_port_range or run fewer checks at once.
                """),
    ]

    private static let progressAndPermissionErrors: [ErrorCatalogueEntry] = [
        kernel(
            EFAULT, "EFAULT", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "The address lies outside the process's memory.",
            linux: nil,
            hint: "This is a defect of connectd, not of the target: please report it together with the whole result."),
        kernel(
            EINPROGRESS, "EINPROGRESS", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "The socket is non-blocking and the connect is under way.",
            linux: "Also a blocking socket whose SO_SNDTIMEO ran out. A UNIX-domain connect gives EAGAIN instead.",
            hint: "This is a defect of connectd, not of the target: please report it together with the whole result."),
        kernel(
            EALREADY, "EALREADY", .internal, fault: .prober, retryable: false, inManualPage: true,
            when: "An earlier connect on this socket is still under way.",
            linux: nil,
            hint: "This is a defect of connectd, not of the target: please report it together with the whole result."),
        kernel(
            EPERM, "EPERM", .notPermitted, fault: .prober, retryable: false, inManualPage: true,
            when: "TCP_MD5SIG is set on the socket, but its keys are not configured correctly.",
            linux: """
                Linux meets a wrong or missing MD5 key with silence (ETIMEDOUT, DEADLINE). Its EPERM is a cgroup BPF \
                program, a dropped UDP send, a missing capability, or a UNIX dgram peer that is connected elsewhere.
                """,
            hint: """
                Something on the prober forbids this connect: look at cgroup BPF programs (`bpftool cgroup tree`), \
                systemd's IPAddressDeny=, and its firewall's output rules.
                """),
    ]

    /// A row for an error of the kernel.
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
    /// The manual page's errors of names in the UNIX domain.
    static let pathErrors: [ErrorCatalogueEntry] = [
        kernel(
            ENOTDIR, "ENOTDIR", .noSuchSocket, fault: .target, retryable: false, inManualPage: true,
            when: "Something in the middle of the path is no directory.",
            linux: nil,
            hint: """
                A component before the last one is a file or a socket, not a directory: `namei -l` with the path shows \
                which, often a directory missing from a mount.
                """),
        kernel(
            ENAMETOOLONG, "ENAMETOOLONG", .badPath, fault: .request, retryable: false, inManualPage: true,
            when: "The path, or one component of it, is too long.",
            linux: """
                A socket's address holds 107 bytes of path, much less than PATH_MAX: connectd says ENAMETOOLONG for a \
                longer one and never cuts it. The kernel says it for a component over 255 bytes behind a symbolic link.
                """,
            hint: """
                A UNIX-domain address holds at most 107 bytes of path on Linux: use a shorter path, or a symbolic link to \
                the directory of the socket.
                """),
        kernel(
            ENOENT, "ENOENT", .noSuchSocket, fault: .target, retryable: true, inManualPage: true,
            when: "Nothing is at the path, or a symbolic link leads nowhere.",
            linux: "An abstract name that nobody has bound gives ECONNREFUSED instead.",
            hint: """
                There is no socket at this path: see whether the service has started and where it listens (`ss -xl`), and \
                that its directory is mounted into connectd's container.
                """),
        kernel(
            EACCES, "EACCES", .notPermitted, fault: .prober, retryable: false, inManualPage: true,
            when: """
                A directory of the UNIX-domain path may not be searched, or the socket may not be written; connect(2) does \
                not tell which.
                """,
            linux: """
                Internet sockets get it too: from a route of type prohibit, from Landlock or another security module, for \
                UDP to a broadcast address, and over IPv6 from a firewall's "administratively prohibited".
                """,
            hint: """
                The prober's own rules forbid this connect: `ip route get` with the address shows a prohibit route; \
                otherwise look at Landlock, SELinux or AppArmor on the prober.
                """),
        kernel(
            ELOOP, "ELOOP", .badPath, fault: .request, retryable: false, inManualPage: true,
            when: "The path leads through too many symbolic links, mostly a loop of them.",
            linux: "The limit is 40 links in all.",
            hint: "The path runs into a loop of symbolic links: `namei -l` with the path shows the links that form it."),
        kernel(
            EPROTOTYPE, "EPROTOTYPE", .wrongType, fault: .request, retryable: false, inManualPage: true,
            when: "The socket at the path is of another type than the one that connects.",
            linux: "SOCK_SEQPACKET counts as a type of its own, beside stream and dgram.",
            hint: """
                The socket is there, but of another type: `ss -xl` names it (u_str, u_dgr, u_seq); use unix:, unix+dgram: \
                or unix+seqpacket: accordingly.
                """),
    ]
}
