import ArgumentParser
import CAres
import CLinux
import CMicrohttpd
import COpenSSL
import ErrorCatalogue
import NetworkTypes
import SocketIO
import TLS

@main
struct Connectd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connectd",
        abstract: "Can this machine connect to that target, and if not, exactly why?",
        discussion: """
            Examples:
              connectd serve
              connectd check db.internal:5432
              connectd wait db.internal:5432 -- ./start
              connectd errors ECONNREFUSED
              curl --json '{"target":"db.internal:5432"}' localhost:8080/v1/checks
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, CheckCommand.self, WaitCommand.self, ErrorsCommand.self, ConfigCommand.self,
            HealthcheckCommand.self, ReloadCommand.self, VerifyCommand.self, PingCommand.self, TraceCommand.self,
            DiagnoseCommand.self, SurveyCommand.self, PolicyCommand.self, TokenCommand.self,
        ])

    static func main() {
        Output.prepare()
        OpenSSLMemory.watch()
        if let complaint = UnknownSubcommand.complaint(about: ProgramArguments.own) {
            end(complaint, .validationFailure)
        }
        if ProgramArguments.asksForVersion { end(Version.text, .success) }
        do {
            var command = try parseAsRoot(ProgramArguments.own)
            do {
                try command.run()
            } catch let error as ValidationError {
                end(complaint(error, about: type(of: command)), exitCode(for: error))
            }
        } catch let errno as Errno {
            end("Error: \(StartFailure.text(of: errno))", .failure)
        } catch {
            end(OptionSuggestion.completed(fullMessage(for: error)), exitCode(for: error))
        }
    }

    /// A missing subcommand is wrong usage: the help goes to standard error.
    func run() throws {
        Output.errorLine(Self.helpMessage())
        throw ExitCode.validationFailure
    }

    /// The library's error message, with the usage of the subcommand instead of the root command.
    private static func complaint(_ error: ValidationError, about command: any ParsableCommand.Type) -> String {
        let name = [configuration, command.configuration].compactMap(\.commandName).joined(separator: " ")
        return """
            Error: \(error.message)
            Usage: \(usageString(for: command))
              See '\(name) --help' for more information.
            """
    }

    /// Exits with 2 on wrong usage, where the library would use 64, unless another convention applies.
    private static func end(_ message: String, _ code: ExitCode) {
        guard code != .success else {
            if !message.isEmpty { Output.line(message) }
            endProcess(0)
        }
        // An exit status that a command chose itself has no message.
        guard !message.isEmpty || code == .validationFailure else { endProcess(code.rawValue) }
        let convention = ProgramArguments.usage
        if !message.isEmpty { report(message, by: convention) }
        endProcess(code == .validationFailure ? convention.usageStatus : convention.failureStatus)
    }

    private static func report(_ message: String, by convention: UsageConvention) {
        switch convention {
        case .usual, .health:
            Output.errorLine(message)
        case .nagios:
            let reason = message.prefix { !$0.isNewline }
            Output.line(NagiosReport.line(.unknown, String(reason.trimmingPrefix("Error: "))))
            Output.errorLine(message)
        }
    }
}

/// Replaces this process by another program: execvp(3).
enum CommandExecution {
    /// Returns only if it fails. Every descriptor that connectd opened is close-on-exec.
    /// - Returns: The exit status, as in shells: 127 for not found, 126 for any other error.
    static func replaceProcess(by command: [String]) -> Int32 {
        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let error = execute(&arguments)
        Output.errorLine("connectd: cannot execute \(command[0]): \(ErrnoCatalogue.message(of: error))")
        return error.rawValue == ENOENT ? 127 : 126
    }

    private static func execute(_ arguments: inout [UnsafeMutablePointer<CChar>?]) -> Errno {
        guard let program = arguments[0] else { return Errno(ENOMEM) }
        execvp(program, &arguments)
        return .current
    }
}

/// The command line before parsing.
enum ProgramArguments {
    /// The arguments that the library parses: all of them, but for `wait` only those before `--`.
    static let own = split(all).own
    /// The command that `wait` executes; empty if there is none.
    static let command = split(all).command

    /// The arguments after the program's name.
    ///
    /// Swift finds its own list through the address of `environ`. The list is empty if something has moved `environ`, such
    /// as a library in LD_PRELOAD that sets a variable when it is loaded. The kernel's list does not depend on it.
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
        // It is empty if /proc does not contain this process, as in an incomplete chroot.
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

    /// Splits off the command after `--`. The library cannot do this next to a list of targets.
    static func split(_ arguments: [String]) -> (own: [String], command: [String]) {
        guard arguments.first == "wait", let terminator = arguments.firstIndex(of: "--") else { return (arguments, []) }
        return (Array(arguments[..<terminator]), Array(arguments[(terminator + 1)...]))
    }

    /// Whether the options of any command contain `-V` or `--version`.
    static let asksForVersion = own.prefix { $0 != "--" }.contains { $0 == "-V" || $0 == "--version" }

    /// The convention for errors and exit statuses.
    static let usage = UsageConvention(of: own)
}

/// The versions of the program and of its libraries.
enum Version {
    static let number = "0.1.0"

    static var text: String {
        let openSSL = OpenSSL_version(OPENSSL_VERSION_STRING).map { String(cString: $0) } ?? "?"
        let microhttpd = MHD_get_version().map { String(cString: $0) } ?? "?"
        let ares = ares_version(nil).map { String(cString: $0) } ?? "?"
        return "connectd \(number) (libmicrohttpd \(microhttpd), OpenSSL \(openSSL), c-ares \(ares))"
    }
}
