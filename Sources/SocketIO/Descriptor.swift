import CLinux
public import NetworkTypes

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

    /// What a walk through a path may do, openat2(2).
    public struct PathRules: OptionSet, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Opens a symbolic link itself where the path ends in one.
        public static let noFollow = PathRules(rawValue: 1)
        /// Fails with EXDEV at a mount point.
        public static let noCrossing = PathRules(rawValue: 2)
    }

    /// A name opened by O_PATH that no link of procfs leads to: such a link (`/proc/PID/root`, `/proc/self/fd/N`) goes to
    /// a place that its text does not name, for example into another container.
    /// - Throws: ELOOP at such a link; ENOSYS where the kernel is older than 5.6; the errno of openat2(2).
    public static func openPathWithoutMagicLinks(_ path: [UInt8]) throws(Errno) -> Descriptor {
        try open(path) { connectd_open_path_at(connectd_at_cwd, $0, 0, connectd_resolve_no_magic_links) }
    }

    /// The same for a name within this folder.
    public borrowing func openPathWithin(_ name: [UInt8], _ rules: PathRules) throws(Errno) -> Descriptor {
        let folder = rawValue
        let flags = rules.contains(.noFollow) ? connectd_no_follow : 0
        let crossing = rules.contains(.noCrossing) ? connectd_resolve_no_crossing : 0
        return try Self.open(name) {
            connectd_open_path_at(folder, $0, flags, connectd_resolve_no_magic_links | crossing)
        }
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
    /// What the descriptor is open for: fstat(2). nil where the file system does not tell.
    public borrowing func fileIdentity() -> FileIdentity? {
        var status = stat()
        guard fstat(rawValue, &status) == 0 else { return nil }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Where a symbolic link that was opened by `noFollow` leads to; nil for anything else.
    public borrowing func symbolicLinkTarget() -> [UInt8]? {
        // PATH_MAX: no link of Linux is longer.
        var target = [CChar](repeating: 0, count: 4096)
        let count = readlinkat(rawValue, "", &target, target.count)
        return count > 0 && count < target.count ? target[..<count].map(UInt8.init(bitPattern:)) : nil
    }

    /// Whether the folder is of procfs, or of a file system that cannot be told.
    public borrowing func isOnProcfs() -> Bool { connectd_is_procfs(rawValue) != 0 }

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

/// Whole files, read(2).
public enum FileContents {
    /// Reads until the end.
    /// - Parameters:
    ///   - limit: bytes; a longer file throws EFBIG.
    ///   - deadline: until when who writes into a pipe is waited for; ETIMEDOUT after that. The descriptor must not block then.
    public static func read(
        _ descriptor: Int32, limit: Int = 16 << 20, until deadline: MonotonicTime? = nil
    ) throws(Errno) -> [UInt8] {
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            if let deadline { try wait(for: descriptor, until: deadline) }
            let count = CLinux.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                let error = Errno.current
                if error.rawValue == EINTR { continue }
                throw error
            }
            if count == 0 { return contents }
            contents += buffer[..<count]
            if contents.count > limit { throw Errno(EFBIG) }
        }
    }

    private static func wait(for descriptor: Int32, until deadline: MonotonicTime) throws(Errno) {
        while true {
            let now = Clock.now()
            guard now < deadline else { throw Errno(ETIMEDOUT) }
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let milliseconds = (deadline.nanoseconds - now.nanoseconds) / 1_000_000 + 1
            if poll(&watched, 1, Int32(clamping: milliseconds)) > 0 { return }
        }
    }
}
