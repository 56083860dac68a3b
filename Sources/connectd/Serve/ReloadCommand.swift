import ArgumentParser
import CLinux
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// `connectd reload`: for a unit's ExecReload.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Reload the configuration of a running service, and wait for the result.",
        discussion: """
            It sends SIGURG, which other programs ignore, and waits for the service to answer with the same signal. Run it \
            as the service's own user: a service that does not run as root cannot signal root. If root runs it, such a \
            service reloads, but the command fails after its timeout. Root can use kill -HUP instead.

            Exit status: 0 if the new configuration applies; 1 if it was rejected and the running one stays (the \
            service's log says why), or if no answer came; 2 on wrong usage.

            Examples:
              connectd reload "$(pidof connectd)"
              ExecReload=/usr/local/bin/connectd reload $MAINPID
            """)

    @Argument(help: "The process ID (PID) of the service.")
    var process: Int32

    @Option(help: "The timeout: 500ms, 30s (1ms … 60s; default: 30s).", transform: Duration.init(parsing:))
    var timeout = Duration(milliseconds: 30_000)

    func validate() throws {
        // kill(2) treats 0 and negative numbers as process groups.
        guard process > 0 else { throw ValidationError("\"\(process)\" is not a process ID") }
    }

    func run() throws {
        let deadline = Clock.now().advanced(byMilliseconds: timeout.milliseconds)
        let failure: String
        do throws(Errno) {
            switch try ReloadSignal.ask(process, until: deadline) {
            case .loaded: return Output.line("ok    \(process)  configuration reloaded")
            case .refused:
                failure = "the configuration was rejected and the running one stays; the service's log says why"
            case nil: failure = Self.noAnswer(within: timeout)
            }
        } catch {
            failure = "\(ErrnoCatalogue.name(of: error)), \(ErrnoCatalogue.message(of: error))"
        }
        Output.errorLine("FAIL  \(process)  \(failure)")
        throw ExitCode(1)
    }

    /// The service may have reloaded all the same: kill(2) does not let it answer a process of another user.
    private static func noAnswer(within timeout: Duration) -> String {
        """
        no answer within \(timeout); the service may have reloaded all the same: its log says so. A service of \
        another user cannot answer: run this command as the service's user
        """
    }
}
