internal import Logging
internal import Synchronization

/// Counts and logs refusals because of limits per client.
final class ClientJournal: Sendable {
    private let table: ClientTable
    private let logger: Logger
    private let counts = Mutex<[ClientLimit: UInt64]>([:])

    init(table: ClientTable, logger: Logger) {
        self.table = table
        self.logger = logger
    }

    var refusalCounts: [ClientLimit: UInt64] { counts.withLock { $0 } }

    /// A client that does not stop gets a line every ten seconds.
    func note(refusalOf client: Client, by limit: ClientLimit) {
        counts.withLock { $0[limit, default: 0] += 1 }
        guard let refusals = table.refusalsToLog(of: client) else { return }
        logger.notice(
            "a client has reached its limit",
            metadata: [
                "client": "\(client.text)", "limit": "\(limit.rawValue)", "refused": .stringConvertible(refusals),
            ])
    }

    /// The same for a connection, whose client has not sent a request.
    func noteConnection(refusalOf client: String) {
        note(refusalOf: .connection(client), by: .connections)
    }
}
