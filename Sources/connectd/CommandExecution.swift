import CLinux
import CheckModel

/// Becomes another program: execvp(3).
enum CommandExecution {
    /// Does not return where it succeeds. Every descriptor that connectd opened is close-on-exec.
    /// - Returns: why not, as shells have it: 127 not found, 126 anything else.
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
