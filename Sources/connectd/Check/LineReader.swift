import ArgumentParser
import CLinux
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// Reads a text file line by line, in bounded memory.
enum LineReader {
    /// A longer line is not text: a result with many long certificates has less.
    private static let longestLine = 4 << 20

    /// Passes each line without its line end, and its number from 1.
    ///
    /// Drops a byte order mark, and accepts LF, CRLF and CR.
    /// - Parameter name: A path; `-` is standard input.
    /// - Throws: `ValidationError` if the file cannot be read or is UTF-16; errors of `take`.
    static func forEachLine(of name: String, _ take: (ArraySlice<UInt8>, Int) throws -> Void) throws {
        if name == "-" {
            try forEachLine(in: STDIN_FILENO, named: "standard input", take)
        } else {
            let descriptor: Descriptor
            do throws(Errno) {
                descriptor = try Descriptor.openForReading(Array(name.utf8))
            } catch {
                throw unreadable(name, error)
            }
            try forEachLine(in: descriptor.rawValue, named: name, take)
        }
    }

    private static func forEachLine(
        in descriptor: Int32, named name: String, _ take: (ArraySlice<UInt8>, Int) throws -> Void
    ) throws {
        var rest: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        var number = 1
        var isStart = true
        var isAtEnd = false
        while !isAtEnd {
            let count = try read(descriptor, into: &block, named: name)
            isAtEnd = count == 0
            // A CR may have been the last byte.
            let searched = isStart ? 0 : max(rest.count - 1, 0)
            rest += block[..<count]
            if isStart {
                guard rest.count >= 3 || isAtEnd else { continue }
                isStart = false
                try removeMark(from: &rest, named: name)
            }
            let used = try takeLines(of: rest, searched: searched, from: &number, isAtEnd: isAtEnd, take)
            rest.removeFirst(used)
            guard rest.count <= longestLine else { throw unreadable(name, Errno(EFBIG)) }
        }
    }

    /// - Parameter searched: The number of bytes at the start that contain no line end.
    /// - Returns: The number of bytes that belong to complete lines.
    private static func takeLines(
        of text: [UInt8], searched: Int, from number: inout Int, isAtEnd: Bool,
        _ take: (ArraySlice<UInt8>, Int) throws -> Void
    ) throws -> Int {
        var begin = 0
        var index = searched
        while index < text.count {
            guard text[index] == 0x0A || text[index] == 0x0D else {
                index += 1
                continue
            }
            let isReturn = text[index] == 0x0D
            // The LF of a CRLF may still come.
            if isReturn, index + 1 == text.count, !isAtEnd { return begin }
            try take(text[begin..<index], number)
            number += 1
            index += isReturn && index + 1 < text.count && text[index + 1] == 0x0A ? 2 : 1
            begin = index
        }
        guard isAtEnd else { return begin }
        if begin < text.count { try take(text[begin...], number) }
        return text.count
    }

    private static func removeMark(from text: inout [UInt8], named name: String) throws {
        if text.starts(with: [0xFF, 0xFE]) || text.starts(with: [0xFE, 0xFF]) {
            throw ValidationError("\(TerminalText.clean(name)) is UTF-16: save it as UTF-8")
        }
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text.removeFirst(3) }
    }

    /// - Returns: 0 at the end.
    private static func read(_ descriptor: Int32, into block: inout [UInt8], named name: String) throws -> Int {
        while true {
            let count = CLinux.read(descriptor, &block, block.count)
            if count >= 0 { return count }
            let error = Errno.current
            switch error.rawValue {
            case EINTR: continue
            case EAGAIN:
                // The parent process made standard input non-blocking.
                var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                poll(&watched, 1, -1)
            default: throw unreadable(name, error)
            }
        }
    }

    private static func unreadable(_ name: String, _ error: Errno) -> ValidationError {
        ValidationError("cannot read \(TerminalText.clean(name)): \(ErrnoCatalogue.message(of: error))")
    }
}
