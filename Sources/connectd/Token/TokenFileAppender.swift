import ArgumentParser
import CLinux
import Configuration
import ErrorCatalogue
import Glibc
import NetworkTypes
import SocketIO

/// A line of the tokens file, from the options of `connectd token add`.
struct TokenLine {
    let name: String
    let expires: String?
    let scope: String?
    let profile: String?

    /// - Throws: The invalid part.
    func validate() throws(ValueRefusal) {
        let token = try TokensFile.read(line: text(for: Array("a-token-of-any-length".utf8)))
        // The text after a colon would become the token, in plain text.
        guard token.name == name else { throw ValueRefusal(sentence: "must have a name without a colon") }
    }

    /// The line with the token's digest, without a line end.
    func text(for token: [UInt8]) -> String {
        let options = [("expires", expires), ("scope", scope), ("profile", profile)].compactMap { key, value in
            value.map { " \(key)=\($0)" }
        }
        return "\(name):\(TokenDigest.text(of: TokenDigest.digest(of: token)))\(options.joined())"
    }
}

/// Where a new token comes from.
enum TokenSource {
    /// The most bytes of a token: a header field with it must fit into a request's head.
    private static let mostBytes = 4096

    /// 32 random bytes in hexadecimal, from getrandom(2).
    static func random() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return Array(HexText.text(bytes).utf8)
    }

    /// One line of standard input.
    static func standardInput() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: mostBytes + 2)
        var count = 0
        while count < bytes.count {
            let read = bytes[count...].withUnsafeMutableBytes { Glibc.read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if read < 0, Errno.current.rawValue == EINTR { continue }
            if read <= 0 { break }
            count += read
        }
        var token = bytes[..<count]
        if token.last == UInt8(ascii: "\n") { token.removeLast() }
        if token.last == UInt8(ascii: "\r") { token.removeLast() }
        guard (TokensFile.advisedTokenBytes...mostBytes).contains(token.count),
            token.allSatisfy({ (0x21...0x7E).contains($0) })
        else {
            throw ValidationError(
                "the token on standard input must have \(TokensFile.advisedTokenBytes) to \(mostBytes) visible ASCII characters"
            )
        }
        return Array(token)
    }
}

/// Appends a line to a tokens file: open(2) with O_APPEND and mode 600, flock(2), one write(2), fsync(2).
struct TokenFileAppender {
    let path: String

    /// - Throws: `ValidationError` if the file is invalid or has the name; `ExitCode(1)`, after a message, if it cannot be
    ///   written.
    func append(_ line: String, named name: String) throws {
        let number = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o600)
        guard number >= 0 else { throw failed(.current) }
        let descriptor = Descriptor(adopting: number)
        // Two runs at once must not both find that the name is free.
        guard flock(descriptor.rawValue, LOCK_EX) == 0 else { throw failed(.current) }
        let existing = try contents(of: descriptor.rawValue)
        do throws(ValueRefusal) {
            try TokensFile.validate(existing, appending: line)
        } catch {
            throw ValidationError("\(TerminalText.clean(path)) \(error.reason)")
        }
        let separator = existing.isEmpty || existing.last == UInt8(ascii: "\n") ? "" : "\n"
        if let error = Output.write(Array("\(separator)\(line)\n".utf8), to: descriptor.rawValue) {
            throw failed(error)
        }
        guard fsync(descriptor.rawValue) == 0 else { throw failed(.current) }
    }

    private func contents(of descriptor: Int32) throws -> [UInt8] {
        do throws(Errno) {
            return try FileContents.read(
                descriptor, limit: TokensFile.mostBytes, until: Clock.now().advanced(byMilliseconds: 1000))
        } catch {
            throw failed(error)
        }
    }

    private func failed(_ error: Errno) -> ExitCode {
        Output.errorLine("connectd: cannot write to \(TerminalText.clean(path)): \(ErrnoCatalogue.message(of: error))")
        return ExitCode(1)
    }
}
