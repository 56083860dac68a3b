import CLinux
import CheckModel
import SocketIO

/// The command line, before it is parsed.
enum ProgramArguments {
    /// What the library parses: everything, but for `wait` only what stands in front of `--`.
    static let own = split(all).own
    /// The command that `wait` executes; empty where there is none.
    static let command = split(all).command

    /// The arguments after the program's name.
    ///
    /// Swift's own list is found by the place of `environ`, and is empty as soon as something has moved that: a library in
    /// LD_PRELOAD that sets or removes a variable when it is loaded. The kernel's list stays.
    private static let all: [String] = {
        let list = (try? kernelsList()).map { arguments(of: $0) } ?? CommandLine.arguments
        return Array(list.dropFirst())
    }()

    private static func kernelsList() throws(Errno) -> [UInt8] {
        let file = try Descriptor.openForReading(Array("/proc/self/cmdline".utf8))
        var bytes: [UInt8] = []
        while true {
            let block = try read(file)
            if block.isEmpty { break }
            bytes += block
        }
        // Without /proc of its own process, as in a half-made chroot, there is nothing in it.
        guard !bytes.isEmpty else { throw Errno(ENOENT) }
        return bytes
    }

    private static func read(_ file: borrowing Descriptor) throws(Errno) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = CLinux.read(file.rawValue, &block, block.count)
            if count >= 0 { return Array(block[..<count]) }
            if Errno.current.rawValue != EINTR { throw .current }
        }
    }

    /// The arguments of proc_pid_cmdline(5): each ends with a NUL, and may be empty.
    static func arguments(of list: [UInt8]) -> [String] {
        let whole = list.last == 0 ? list.dropLast() : list[...]
        return whole.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Cuts the command off that stands behind `--`. The library would do so too, but not beside a list of targets.
    static func split(_ arguments: [String]) -> (own: [String], command: [String]) {
        guard arguments.first == "wait", let terminator = arguments.firstIndex(of: "--") else { return (arguments, []) }
        return (Array(arguments[..<terminator]), Array(arguments[(terminator + 1)...]))
    }

    /// Whether `-V` or `--version` is among the options of any command.
    static let asksForVersion = own.prefix { $0 != "--" }.contains { $0 == "-V" || $0 == "--version" }

    /// How the process ends on wrong usage.
    static let usage = UsageConvention(of: own)
}
