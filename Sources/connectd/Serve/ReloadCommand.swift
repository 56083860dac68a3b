import ArgumentParser
import CLinux
import ErrorCatalogue
import NetworkTypes
import SocketIO

/// `connectd reload`: for a unit's ExecReload.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Let a running service read its configuration again, and wait until that is done.",
        discussion: """
            It asks by a signal that other programs ignore, and waits for the answer. It needs the right to do so: the service's own user, or root.

            Exit status: 0 when the new configuration is in force; 1 when it was refused, and the one before goes on (the \
            service's log says why), or when there was no answer. 2 on wrong usage.

            Examples:
              connectd reload "$(pidof connectd)"
              ExecReload=/usr/local/bin/connectd reload $MAINPID
            """)

    @Argument(help: "The number of the service's process.")
    var process: Int32

    @Option(help: "How long it may take: 500ms, 30s (1ms … 60s; default: 30s).", transform: Duration.init(parsing:))
    var timeout = Duration(milliseconds: 30_000)

    func validate() throws {
        // kill(2) takes others for groups of processes.
        guard process > 0 else { throw ValidationError("\"\(process)\" is the number of no process") }
    }

    func run() throws {
        let deadline = Clock.now().advanced(byMilliseconds: timeout.milliseconds)
        let failure: String
        do throws(Errno) {
            switch try ReloadSignal.ask(process, until: deadline) {
            case .loaded: return Output.line("ok    \(process)  the configuration is in force")
            case .refused: failure = "the configuration was refused, the running one stays; the service's log says why"
            case nil: failure = "no answer within \(timeout)"
            }
        } catch {
            failure = "\(ErrnoCatalogue.name(of: error)), \(ErrnoCatalogue.message(of: error))"
        }
        Output.errorLine("FAIL  \(process)  \(failure)")
        throw ExitCode(1)
    }
}
