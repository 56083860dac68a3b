import CheckModel
import HTTPServer

/// Why the service cannot start, for people.
enum StartFailure {
    static func text(_ error: HTTPServiceError) -> String {
        switch error {
        case .cannotListen(let address, let errno):
            "cannot listen on \(address.text): \(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
        case .cannotStartWorker(let errno):
            "cannot start a worker: \(ErrnoCatalogue.name(of: errno)), \(ErrnoCatalogue.message(of: errno))"
        }
    }
}
