import Configuration
import Foundation

/// A directory of real files for one test, removed by deinit.
struct TemporaryFolder: ~Copyable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("connectd-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file that only its owner may read, and returns its path.
    @discardableResult
    func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
        try write(Array(text.utf8), to: name, mode: mode)
    }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String, mode: Int = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}

/// Loads a document from a real file.
func load(
    _ yaml: String, environment: [String: String] = [:], flags: Flags = Flags()
) throws -> (settings: Settings, warnings: [String]) {
    let folder = try TemporaryFolder()
    let file = try folder.write(yaml, to: "connectd.yaml")
    return try SettingsLoader.load(file: file, environment: environment, flags: flags)
}

/// The problems of a document; empty for a valid one.
func problems(
    _ yaml: String, environment: [String: String] = [:], flags: Flags = Flags()
) throws -> [ConfigurationProblem] {
    do {
        _ = try load(yaml, environment: environment, flags: flags)
        return []
    } catch let error as ConfigurationProblems {
        return error.problems
    }
}
