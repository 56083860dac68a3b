internal import AccessPolicy
internal import CLinux
internal import Glibc
internal import NetworkTypes
internal import SocketIO

/// The contents of a small file.
struct BoundedFile {
    /// 1 MiB: far more than any configuration, far less than memory.
    static let maximumBytes = 1 << 20

    /// The maximum wait for the writer of a pipe: a start or reload must not delay SIGTERM for long.
    static let waitMilliseconds = 5000

    let bytes: [UInt8]
    /// Whether every user of this machine may read it: mode `o+r`.
    let isWorldReadable: Bool

    /// Reads the file with open(2), fstat(2) and read(2). It waits up to `waitMilliseconds` for a pipe.
    init(path: String) throws(ValueRefusal) {
        guard !path.utf8.contains(0) else { throw ValueRefusal("has a NUL character in its name") }
        let descriptor = path.withCString(connectd_open_read_at_once)
        guard descriptor >= 0 else { throw Self.unreadable(.current) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(.current) }
        isWorldReadable = status.st_mode & S_IROTH != 0
        do throws(Errno) {
            bytes = try FileContents.read(
                descriptor, limit: Self.maximumBytes,
                until: Clock.now().advanced(byMilliseconds: Self.waitMilliseconds))
        } catch {
            throw Self.refusal(error)
        }
    }

    private static func refusal(_ error: Errno) -> ValueRefusal {
        switch error {
        case Errno(EFBIG): ValueRefusal("is larger than 1 MiB")
        case Errno(ETIMEDOUT): ValueRefusal("cannot be read: it is a pipe that did not reach EOF within 5 s")
        case _: unreadable(error)
        }
    }

    private static func unreadable(_ error: Errno) -> ValueRefusal {
        ValueRefusal("cannot be read: \(String(cString: strerror(error.rawValue)))")
    }
}

/// A file that the configuration names, and its key.
struct FileReference {
    /// The path for open(2): absolute, or relative to the working directory.
    let path: String
    let source: ConfigurationProblem.Source
    let key: String

    /// A problem with the whole file, reported at its key.
    func problem(_ refusal: ValueRefusal) -> ConfigurationProblem {
        ConfigurationProblem(source, path: key, reason: "the file \(Quote.file(path)) \(refusal.reason)")
    }
}

/// Validates names of tokens, keys and monitors, which appear in logs, metrics and requests.
enum EntryName {
    static let rule = "1 to 64 letters, digits, \".\", \"_\" or \"-\""

    /// The name; nil if it breaks the rule.
    static func read(_ bytes: some Collection<UInt8>) -> String? {
        guard (1...64).contains(bytes.count), bytes.allSatisfy(isAllowed) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// One entry of `client_certificates` before its files are read.
struct ClientCertificateFiles {
    let name: String
    let certificate: FileReference
    let key: FileReference
    /// nil: every target.
    let targets: [TargetPattern]?
}

/// A file with one key of TCP_MD5SIG (tcp(7)). One line end after the key is ignored.
struct MD5KeyFile {
    /// TCP_MD5SIG_MAXKEYLEN.
    static let maximumKeyBytes = 80

    let key: Secret
    let warnings: [String]

    init(_ reference: FileReference) throws(ValueRefusal) {
        let file = try BoundedFile(path: reference.path)
        let bytes = Self.withoutLineEnd(file.bytes)
        guard !bytes.isEmpty else { throw ValueRefusal("is empty: it must contain a key") }
        guard bytes.count <= Self.maximumKeyBytes else {
            throw ValueRefusal(
                "contains a key of \(bytes.count) bytes; TCP_MD5SIG allows at most \(Self.maximumKeyBytes)")
        }
        key = Secret(bytes)
        warnings = file.isWorldReadable ? [FileWarning.worldReadable(reference)] : []
    }

    private static func withoutLineEnd(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        guard bytes.last == 0x0A else { return bytes[...] }
        let line = bytes.dropLast()
        return line.last == 0x0D ? line.dropLast() : line
    }
}

/// Warnings about files.
enum FileWarning {
    static func worldReadable(_ reference: FileReference) -> String {
        "\(reference.key): \(Quote.file(reference.path)) is world-readable; keep it secret with chmod 600"
    }
}
