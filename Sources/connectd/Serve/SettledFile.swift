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
        while let version = FileSignature(ofRegular: path) {
            let missing = Int64(quietMilliseconds) * 1_000_000 - version.age
            if missing <= 0 {
                let loaded = result(of: load)
                if FileSignature(ofRegular: path) == version { return try loaded.get() }
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

extension FileSignature {
    /// nil if there is no regular file with this path.
    fileprivate init?(ofRegular path: String) {
        self.init(of: path)
        guard isRegular else { return nil }
    }

    /// Nanoseconds since the last change. After a change of the clock it may be of any size; a time in the future counts as
    /// long ago.
    fileprivate var age: Int64 {
        let age = Clock.wallNanoseconds() - modifiedNanoseconds
        return age < 0 ? .max : age
    }
}
