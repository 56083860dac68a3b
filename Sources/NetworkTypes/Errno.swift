internal import Glibc

/// An error number of the kernel, as in errno(3).
///
/// Failed system calls throw it, and users see it unchanged: connectd never replaces one number with another.
public struct Errno: Error, Hashable, Sendable {
    /// The number, for example 111 for ECONNREFUSED on Linux.
    public let rawValue: Int32

    public init(_ rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// ENOMEM, for libraries that report a lack of memory in another way.
    public static var outOfMemory: Errno { Errno(ENOMEM) }

    /// The calling thread's errno(3). Read it immediately after the failed call.
    public static var current: Errno {
        Errno(errno)
    }
}
