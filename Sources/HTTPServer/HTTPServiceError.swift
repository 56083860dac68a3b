public import NetworkTypes

/// Why the service cannot start.
public enum HTTPServiceError: Error, Hashable, Sendable {
    /// EADDRINUSE: somebody listens there. EACCES, EADDRNOTAVAIL, ENAMETOOLONG, ENOENT … as bind(2) has them.
    case cannotListen(ListenAddress, Errno)
    /// EMFILE, ENFILE, ENOMEM: no room for what a worker needs.
    case cannotStartWorker(Errno)
}
