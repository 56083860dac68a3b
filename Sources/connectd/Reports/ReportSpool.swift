import CLinux
import Glibc
import NetworkTypes
import SocketIO

/// Holds the pieces of a report until its end: the first ones in memory, many of them in a temporary file without a name.
///
/// If no temporary file can be written, all pieces stay in memory.
final class ReportSpool {
    private struct SpoolEntry {
        let group: Int32
        let length: Int32
        let index: Int
        let offset: Int
    }

    private static let blockSize = 1 << 20

    private var pieces: [SpoolEntry] = []
    /// The bytes after those in the file.
    private var tail: [UInt8] = []
    private var fileLength = 0
    private var file: SpoolFile?
    private var isFileUsable = true

    var isEmpty: Bool { pieces.isEmpty }

    /// - Parameters:
    ///   - index: The position among the pieces of its group.
    ///   - group: The position of the group, less than 2³¹.
    func append(_ bytes: [UInt8], at index: Int, group: Int = 0) {
        pieces.append(
            SpoolEntry(
                group: Int32(clamping: group), length: Int32(clamping: bytes.count), index: index,
                offset: fileLength + tail.count))
        tail += bytes
        if tail.count >= Self.blockSize { moveToFile() }
    }

    /// Passes each piece and its group, sorted by group and index.
    func forEach(_ take: ([UInt8], Int) -> Void) {
        pieces.sort { ($0.group, $0.index, $0.offset) < ($1.group, $1.index, $1.offset) }
        for piece in pieces { take(bytes(of: piece), Int(piece.group)) }
    }

    private func moveToFile() {
        guard isFileUsable else { return }
        if file == nil { file = SpoolFile() }
        guard let file, file.write(tail, at: fileLength) else {
            // What is in the file so far stays readable.
            isFileUsable = false
            return
        }
        fileLength += tail.count
        tail.removeAll(keepingCapacity: true)
    }

    private func bytes(of piece: SpoolEntry) -> [UInt8] {
        let length = Int(piece.length)
        guard piece.offset < fileLength else {
            let begin = piece.offset - fileLength
            return Array(tail[begin..<(begin + length)])
        }
        guard let bytes = file?.read(length, at: piece.offset) else {
            Output.end(.current, writing: "the report: a temporary file is not readable")
        }
        return bytes
    }
}

/// A temporary file without a name: mkstemp(3) and unlink(2), in TMPDIR or /tmp.
private final class SpoolFile {
    private let descriptor: Descriptor

    /// nil if the file cannot be created.
    init?() {
        let folder = Environment.all["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(folder)/connectd.XXXXXX".utf8CString)
        let number = mkstemp(&template)
        guard number >= 0 else { return nil }
        unlink(template)
        descriptor = Descriptor(adopting: number)
    }

    /// - Returns: Whether all bytes were written.
    func write(_ bytes: [UInt8], at offset: Int) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(
                    descriptor.rawValue, $0.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset + done))
            }
            if count > 0 { done += count } else if count == 0 || Errno.current.rawValue != EINTR { return false }
        }
        return true
    }

    /// nil if the bytes cannot be read.
    func read(_ length: Int, at offset: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: length)
        var done = 0
        while done < length {
            let count = bytes.withUnsafeMutableBytes {
                pread(descriptor.rawValue, $0.baseAddress?.advanced(by: done), length - done, off_t(offset + done))
            }
            if count > 0 { done += count } else if count == 0 || Errno.current.rawValue != EINTR { return nil }
        }
        return bytes
    }
}
