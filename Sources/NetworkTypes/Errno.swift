import Glibc

/// An error number of the kernel, as errno(3) holds it.
///
/// It is thrown where a system call fails, and reported to users as it is: connectd never replaces one number by another.
public struct Errno: Error, Hashable, Sendable {
    /// The number, for example 111 for ECONNREFUSED on Linux.
    public let rawValue: Int32

    public init(_ rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The calling thread's errno(3). Read it directly behind the call that failed.
    public static var current: Errno {
        Errno(errno)
    }
}
