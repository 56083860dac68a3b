internal import Glibc

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
