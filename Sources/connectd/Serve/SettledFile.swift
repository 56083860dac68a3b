import CLinux
import Configuration
import NetworkTypes
import SocketIO

/// Reads a configuration file only when nothing writes to it any more.
///
/// A program that writes in place makes a file whose beginning is valid, but lacks the policy or the tokens that follow.
enum SettledFile {
    /// How long the file must not have changed, in milliseconds.
    private static let quietMilliseconds = 50
    /// How long a reload waits for that, in milliseconds.
    private static let patienceMilliseconds = 2000

    /// Calls `load` once the file has not changed for a moment; again if the file changed meanwhile.
    ///
    /// Files that are not there, or are not regular files, are not waited for: `load` reports them. It blocks its thread.
    /// - Throws: what `load` throws; or that the file changes all the time.
    static func read<Value>(
        _ path: String?, _ load: () throws(ConfigurationProblems) -> Value
    ) throws(ConfigurationProblems) -> Value {
        guard let path else { return try load() }
        let end = Clock.now().advanced(byMilliseconds: patienceMilliseconds)
        while let version = FileVersion(of: path) {
            let missing = Int64(quietMilliseconds) * 1_000_000 - version.age
            if missing <= 0 {
                let loaded = result(of: load)
                if FileVersion(of: path) == version { return try loaded.get() }
            }
            guard Clock.now() < end else { throw ConfigurationProblems([changing(path)]) }
            usleep(UInt32(max(missing, 1_000_000) / 1000))
        }
        return try load()
    }

    private static func result<Value>(
        of load: () throws(ConfigurationProblems) -> Value
    ) -> Result<Value, ConfigurationProblems> {
        do throws(ConfigurationProblems) {
            return .success(try load())
        } catch {
            return .failure(error)
        }
    }

    private static func changing(_ path: String) -> ConfigurationProblem {
        ConfigurationProblem(
            .file(path, nil),
            reason: "changes while it is read: write to another file, and rename that one to this name")
    }
}

/// What changes when a regular file is written or replaced.
private struct FileVersion: Equatable {
    private let device: UInt
    private let file: UInt
    private let size: Int
    /// Nanoseconds since 1970.
    private let modified: Int64

    /// nil if there is no regular file with this path.
    init?(of path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & UInt32(S_IFMT) == UInt32(S_IFREG) else { return nil }
        device = UInt(status.st_dev)
        file = UInt(status.st_ino)
        size = Int(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    /// Nanoseconds since the last change. After a change of the clock it may be of any size; a time in the future counts as
    /// long ago.
    var age: Int64 {
        let age = Clock.wallNanoseconds() - modified
        return age < 0 ? .max : age
    }
}
