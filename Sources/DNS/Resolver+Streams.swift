internal import CLinux
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

// Queries over TCP: those whose answers did not fit into a datagram, or all (`use-vc`).
extension Resolver {
    /// Starts a try over TCP, which ends in `endedOverTCP`.
    func askOverTCP(_ context: TryContext, through channel: ServerChannel) {
        guard channel.streams.add(context) else { return endedOverTCP(context, with: .failure(.timeout)) }
        openStreams(of: channel)
    }

    private func openStreams(of channel: ServerChannel) {
        while let connection = channel.streams.open() {
            let identifier = channel.identifier
            let task = Task(executorPreference: reactor.thread) {
                await self.serveStream(connection, ofChannel: identifier)
            }
            channel.streams.started(connection, task)
        }
    }

    /// Sends one query after another until none is left.
    private func serveStream(_ connection: Int, ofChannel identifier: Int) async {
        guard let channel = groups.channel(identifier) else { return }
        var stream: StreamConnection?
        while !Task.isCancelled, let context = channel.streams.next(for: connection) {
            let isWanted = questions[context.question] != nil
            let result = isWanted ? await ask(context, at: channel, over: &stream) : .failure(.cancelled)
            channel.streams.done(context.question, by: connection)
            endedOverTCP(context, with: result)
        }
        channel.streams.closed(connection)
        openStreams(of: channel)
    }

    /// A server may close a connection at any time, so the query is sent again over a new one.
    private func ask(
        _ context: TryContext, at channel: ServerChannel, over stream: inout StreamConnection?
    ) async -> TryResult {
        guard let query = QueryMessage(name: context.name, type: context.type) else { return .failure(.nxdomain) }
        let patience = Int64(channel.answerSeconds) * 1_000_000_000
        let deadline = Clock.now().advanced(byNanoseconds: patience)
        var newConnections = 0
        while true {
            do throws(StreamFailure) {
                let message = try await exchange(query, with: channel.server, over: &stream, &newConnections, deadline)
                return judge(message, of: query, context)
            } catch {
                stream = nil
                if error.mayBeRetried, newConnections < 2 { continue }
                return .failure(error.resolveFailure)
            }
        }
    }

    private func exchange(
        _ query: QueryMessage, with server: IPEndpoint, over stream: inout StreamConnection?,
        _ newConnections: inout Int, _ deadline: MonotonicTime
    ) async throws(StreamFailure) -> [UInt8] {
        let open: StreamConnection
        if let stream {
            open = stream
        } else {
            newConnections += 1
            do throws(Errno) {
                open = try StreamConnection(to: server, on: reactor)
            } catch {
                throw .kernel(error)
            }
        }
        let message = try await open.ask(query.bytes, until: deadline)
        stream = open.hasLeftovers ? nil : open
        return message
    }

    /// Over TCP a wrong ID is not a forgery, as it may be over UDP: only the server itself can send it.
    private func judge(_ message: [UInt8], of query: QueryMessage, _ context: TryContext) -> TryResult {
        guard MessageHeader(message)?.identifier == query.identifier else { return .failure(.badAnswer) }
        switch AnswerReader.judge(message, name: context.name, type: context.type, isTCP: true) {
        case .result(let result): return result
        case .truncated: return .failure(.badAnswer)
        }
    }
}

extension StreamFailure {
    /// Whether the server closed the connection, perhaps for reasons unrelated to the query.
    fileprivate var mayBeRetried: Bool {
        switch self {
        case .closed: true
        case .kernel(let error): [ECONNRESET, EPIPE].contains(error.rawValue)
        case .deadline, .cancelled: false
        }
    }

    fileprivate var resolveFailure: ResolveFailure {
        switch self {
        case .closed: .unreachable
        case .kernel(let error) where error.isShortageHere: .shortage(error)
        case .kernel(let error): error.rawValue == ETIMEDOUT ? .timeout : .unreachable
        case .deadline: .timeout
        case .cancelled: .cancelled
        }
    }
}
