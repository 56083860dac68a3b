import Foundation

/// The `openssl` command in a folder of its own, which is gone with it: an independent maker and reader of certificates.
final class OpenSSLTool: Sendable {
    struct Failure: Error {
        let arguments: [String]
        let message: String
    }

    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("connectd-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs it, and returns what it prints, without the white space at the ends.
    @discardableResult
    func callAsFunction(_ arguments: String...) throws -> String {
        try run(arguments)
    }

    func bytes(of name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
    }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
    }

    /// A self-signed certificate `NAME.pem` with its key `NAME.key`.
    /// - Returns: the certificate in PEM.
    @discardableResult
    func selfSigned(
        _ name: String, subject: String = "/CN=a.example",
        key: [String] = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        serial: String? = nil, extensions: [String] = [], days: Int = 10
    ) throws -> [UInt8] {
        var arguments = ["req", "-x509", "-utf8", "-nodes", "-newkey"] + key
        arguments += ["-keyout", "\(name).key", "-out", "\(name).pem", "-subj", subject, "-days", "\(days)"]
        if let serial { arguments += ["-set_serial", serial] }
        for value in extensions { arguments += ["-addext", value] }
        try run(arguments)
        return try bytes(of: "\(name).pem")
    }

    @discardableResult
    func run(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        // Into a file: a pipe that is not read at the same time can fill up.
        let errorFile = "\(folder)/errors"
        try write("", to: "errors")
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: errorFile)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let message = try String(contentsOfFile: errorFile, encoding: .utf8)
            throw Failure(arguments: arguments, message: message)
        }
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
