import CheckModel
import ConnectAPI
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
        case .cannotStartWorker(let errno):
            "cannot start a worker: \(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
        }
    }
}
