import ArgumentParser
import CLinux
import CheckModel
import SocketIO

/// A file of targets, one a line.
enum TargetFile {
    /// A target as it was written, and where: `file:line`; nil on the command line.
    struct Entry {
        let text: String
        let place: String?
    }

    /// The targets in it, without comments and blank lines; `-` is standard input.
    static func entries(in name: String) throws -> [Entry] {
        let bytes: [UInt8]
        do throws(Errno) {
            if name == "-" {
                bytes = try FileContents.read(STDIN_FILENO)
            } else {
                let descriptor = try Descriptor.openForReading(Array(name.utf8))
                bytes = try FileContents.read(descriptor.rawValue)
            }
        } catch {
            throw ValidationError("cannot read \(name): \(ErrnoCatalogue.message(of: error))")
        }
        return String(decoding: bytes, as: UTF8.self)
            .split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
            .map { Entry(text: $0.element.trimmingBlanks, place: "\(name):\($0.offset + 1)") }
            .filter { !$0.text.isEmpty && !$0.text.hasPrefix("#") }
    }
}

extension Substring {
    fileprivate var trimmingBlanks: String {
        let blanks: Set<Character> = [" ", "\t"]
        let front = drop { blanks.contains($0) }
        let count = front.reversed().prefix { blanks.contains($0) }.count
        return String(front.dropLast(count))
    }
}
