import CheckModel
import ConnectAPI
import Glibc
import HTTPServer
import Logging

/// Why the service cannot start, for people.
enum StartFailure {
    /// On standard error; for the journal as errors.
    static func say(_ text: String) {
        let isForJournal = JournalPriority.isWanted(environment: Environment.all)
        Output.errorLine(isForJournal ? JournalPriority.marked(text, as: .error) : text)
    }

    static func text(_ error: HTTPServiceError) -> String {
        switch error {
        case .cannotListen(let address, let errno):
            "cannot listen on \(address.text): \(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
                + advice(address, errno)
        case .cannotStartWorker(let errno):
            "cannot start a worker: \(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
        }
    }

    /// What to do about the one that everybody meets.
    private static func advice(_ address: ListenAddress, _ errno: Errno) -> String {
        guard case .ip = address, errno.rawValue == EADDRINUSE else { return "" }
        return "; `ss -ltnp` shows who has it, --listen (make run LISTEN=127.0.0.1:9000) takes another"
    }
}
