internal import CLinux
public import NetworkTypes

/// A file descriptor with one owner, closed when the value is destroyed.
public struct Descriptor: ~Copyable, Sendable {
    /// The descriptor number, valid during the lifetime of this value.
    public let rawValue: Int32

    /// Takes ownership of a descriptor: the caller must not close it.
    public init(adopting rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit {
        // close(2) frees the number even if it reports EINTR or EIO, so it must not be called again.
        close(rawValue)
    }

    /// Releases ownership: the caller must close the descriptor.
    public consuming func release() -> Int32 {
        let number = rawValue
        discard self
        return number
    }

    /// Opens a path with O_PATH, open(2): it can be inspected, and connected to through /proc/self/fd, but not read.
    public static func openPath(_ path: [UInt8]) throws(Errno) -> Descriptor {
        try open(path, by: connectd_open_path)
    }

    /// Restrictions on path resolution, openat2(2).
    public struct PathRules: OptionSet, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// Opens a symbolic link itself if the path ends in one.
        public static let noFollow = PathRules(rawValue: 1)
        /// Fails with EXDEV at a mount point.
        public static let noCrossing = PathRules(rawValue: 2)
    }

    /// Opens a path with O_PATH, and refuses magic links of procfs (`/proc/PID/root`, `/proc/self/fd/N`): they lead to
    /// a file that their text does not name, for example in another container.
    /// - Throws: ELOOP at such a link; ENOSYS before Linux 5.6; the errno of openat2(2).
    public static func openPathWithoutMagicLinks(_ path: [UInt8]) throws(Errno) -> Descriptor {
        try open(path) { connectd_open_path_at(connectd_at_cwd, $0, 0, connectd_resolve_no_magic_links) }
    }

    /// Opens a name within this directory with O_PATH, without magic links.
    public borrowing func openPathWithin(_ name: [UInt8], _ rules: PathRules) throws(Errno) -> Descriptor {
        let folder = rawValue
        let flags = rules.contains(.noFollow) ? connectd_no_follow : 0
        let crossing = rules.contains(.noCrossing) ? connectd_resolve_no_crossing : 0
        return try Self.open(name) {
            connectd_open_path_at(folder, $0, flags, connectd_resolve_no_magic_links | crossing)
        }
    }

    /// Opens a file for reading.
    public static func openForReading(_ path: [UInt8]) throws(Errno) -> Descriptor {
        try open(path, by: connectd_open_read)
    }

    private static func open(
        _ path: [UInt8], by call: (UnsafePointer<CChar>?) -> Int32
    ) throws(Errno) -> Descriptor {
        // C would open the path before the NUL.
        guard !path.contains(0) else { throw Errno(EINVAL) }
        var error = Errno(0)
        let number = (path + [0]).withUnsafeBytes { bytes in
            let number = call(bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
            // Read here, because freeing the copy of the path may change it.
            error = .current
            return number
        }
        guard number >= 0 else { throw error }
        return Descriptor(adopting: number)
    }
}

extension Descriptor {
    /// Returns the identity of the open file: fstat(2). nil if the file system does not tell.
    public borrowing func fileIdentity() -> FileIdentity? {
        var status = stat()
        guard fstat(rawValue, &status) == 0 else { return nil }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Returns the target of a symbolic link that was opened with `noFollow`; nil for anything else.
    public borrowing func symbolicLinkTarget() -> [UInt8]? {
        // PATH_MAX: no link of Linux is longer.
        var target = [CChar](repeating: 0, count: 4096)
        let count = readlinkat(rawValue, "", &target, target.count)
        return count > 0 && count < target.count ? target[..<count].map(UInt8.init(bitPattern:)) : nil
    }

    /// Whether the directory is on procfs, or on an unknown file system.
    public borrowing func isOnProcfs() -> Bool { connectd_is_procfs(rawValue) != 0 }

    /// Returns the path of the open file without links: readlink(2) of /proc/self/fd/N.
    ///
    /// The kernel's text is returned unchanged: a removed name ends in ` (deleted)`, one outside the process's root
    /// begins with `(unreachable)`, and a file that never had a name reads like `socket:[1234]`. These texts are not
    /// paths, but a file may have such a name: refuse anything unexpected.
    /// - Throws: ENAMETOOLONG if the path has more than 4095 bytes, or /proc is not mounted; ENOMEM. Do not use the path
    ///   that was opened instead: it may have contained links.
    public borrowing func linkTarget() throws(Errno) -> [UInt8] {
        let link = "/proc/self/fd/\(rawValue)"
        // PATH_MAX: no path of Linux is longer.
        var name = [CChar](repeating: 0, count: 4096)
        let count = readlink(link, &name, name.count)
        if count < 0, Errno.current.rawValue == ENOMEM { throw .current }
        guard count > 0, count < name.count else { throw Errno(ENAMETOOLONG) }
        return name[..<count].map(UInt8.init(bitPattern:))
    }
}

/// Reads whole files: read(2).
public enum FileContents {
    /// Reads a file until EOF.
    /// - Parameters:
    ///   - limit: The maximum length in bytes; a longer file throws EFBIG.
    ///   - deadline: How long to wait for the writer of a pipe; ETIMEDOUT after that. The descriptor must be
    ///     non-blocking then.
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
