public import CheckModel
internal import CLinux

/// A file descriptor with one owner: it is closed when its owner is done with it, on every way out.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, valid as long as this value lives.
    public let rawValue: Int32

    /// Takes over a descriptor that nobody else closes.
    public init(adopting rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit {
        // close(2) frees the number also when it reports EINTR or EIO: it must not be called again.
        close(rawValue)
    }

    /// Gives the descriptor away: the caller closes it.
    public consuming func release() -> Int32 {
        let number = rawValue
        discard self
        return number
    }

    /// A name opened by O_PATH, open(2): it can be looked at and connected to through /proc/self/fd, not read.
    public static func openPath(_ path: [UInt8]) throws(Errno) -> Descriptor {
        try open(path, by: connectd_open_path)
    }

    /// A file opened for reading.
    public static func openForReading(_ path: [UInt8]) throws(Errno) -> Descriptor {
        try open(path, by: connectd_open_read)
    }

    private static func open(
        _ path: [UInt8], by call: (UnsafePointer<CChar>?) -> Int32
    ) throws(Errno) -> Descriptor {
        // C would open the part before a NUL, which is not what was asked for.
        guard !path.contains(0) else { throw Errno(EINVAL) }
        var error = Errno(0)
        let number = (path + [0]).withUnsafeBytes { bytes in
            let number = call(bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
            // Here, since freeing the copy of the path may change it.
            error = .current
            return number
        }
        guard number >= 0 else { throw error }
        return Descriptor(adopting: number)
    }
}

extension Descriptor {
    /// The name behind the descriptor, without links: readlink(2) of /proc/self/fd/N.
    ///
    /// It is the kernel's text as it stands: a name that was removed meanwhile ends in ` (deleted)`, one outside the
    /// process's root begins with `(unreachable)`, and what never had one reads like `socket:[1234]`. None of these leads
    /// anywhere, and a file can be called so; whoever judges by names has to refuse what is not as expected.
    /// - Returns: nil where the name cannot be told: it has more than 4095 bytes, or /proc is not there. The path by which
    ///   the descriptor was opened is no substitute: links can have been followed.
    public borrowing func linkTarget() -> [UInt8]? {
        let link = "/proc/self/fd/\(rawValue)"
        // PATH_MAX: no path of Linux is longer.
        var name = [CChar](repeating: 0, count: 4096)
        let count = readlink(link, &name, name.count)
        return count > 0 && count < name.count ? name[..<count].map(UInt8.init(bitPattern:)) : nil
    }
}
