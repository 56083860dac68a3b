public import CheckModel

/// Why the service cannot start.
public enum HTTPServiceError: Error, Hashable, Sendable {
    /// EADDRINUSE if the address is in use; EACCES, EADDRNOTAVAIL, ENAMETOOLONG, ENOENT and others as in bind(2).
    case cannotListen(ListenAddress, Errno)
    /// EMFILE, ENFILE, ENOMEM, ENOSPC: a worker could not get what it needs.
    case cannotStartWorker(Errno)
}
