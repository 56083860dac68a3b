import CLinux
import CheckModel
import DNS
import ErrorCatalogue
import NetworkTypes
import SocketIO
import TLS

/// Sends one HTTP request over a new socket, with a deadline.
struct HealthClient {
    /// The reason for a missing answer.
    enum Failure: Error {
        case kernel(Errno)
        case resolver(ResolveFailure)
        case tls(TLSHandshakeFailure)
        case wrongCertificate(String)
        case deadline, notHTTP

        var text: String {
            switch self {
            case .kernel(let errno): "\(ErrnoCatalogue.name(of: errno)) (\(ErrnoCatalogue.message(of: errno)))"
            case .resolver(.shortage(let errno)): Failure.kernel(errno).text
            case .resolver(let failure): OwnError(failure).rawValue
            case .tls(let failure): failure.name.rawValue + (failure.message.map { " (\($0))" } ?? "")
            case .wrongCertificate(let flaw): flaw
            case .deadline: "no answer in time"
            case .notHTTP: "the answer is not an HTTP response"
            }
        }
    }

    let reactor: Reactor
    let deadline: MonotonicTime
    let tls: HealthTLS

    /// Sends GET with `Connection: close`. Call it from a task that prefers the reactor's thread.
    func get(_ url: HealthURL) async throws(Failure) -> HealthResponse {
        var failure = Failure.deadline
        for endpoint in try await endpoints(of: url.peer) {
            do throws(Failure) {
                return try await exchange(url, with: endpoint)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func endpoints(of peer: HealthURL.Peer) async throws(Failure) -> [Endpoint] {
        switch peer {
        case .unix(let address): return [.unix(address)]
        case .internet(.address(let address), let port): return [.ip(IPEndpoint(address: address, port: port))]
        case .internet(.name(let name), let port):
            do throws(ResolveFailure) {
                let resolver = Resolver(reactor: reactor)
                let resolution = try await resolver.resolve(name, family: .any, server: nil, until: deadline)
                return resolution.addresses.map { .ip(IPEndpoint(address: $0, port: port)) }
            } catch {
                throw .resolver(error)
            }
        }
    }

    private func exchange(_ url: HealthURL, with endpoint: Endpoint) async throws(Failure) -> HealthResponse {
        let socket = try Self.open(for: endpoint)
        let token = try register(socket)
        defer { reactor.removeOnThread(token) }
        let stream = SocketStream(on: socket.number, token: token, reactor: reactor, until: deadline)
        try await connect(socket, to: endpoint, stream)
        let connection = HealthConnection(
            stream: stream, channel: url.isHTTPS ? try await handshake(with: url.peer, on: stream) : nil)
        try await connection.send(Self.request(for: url))
        let response = try await connection.receive()
        connection.channel?.sendCloseNotify(on: stream)
        return response
    }

    private static func open(for endpoint: Endpoint) throws(Failure) -> Socket {
        do throws(Errno) {
            return try Socket(kind(for: endpoint))
        } catch {
            throw .kernel(error)
        }
    }

    private func register(_ socket: borrowing Socket) throws(Failure) -> SlotToken {
        do throws(Errno) {
            return try reactor.addOnThread(socket.number, for: .anything)
        } catch {
            throw .kernel(error)
        }
    }

    private static func kind(for endpoint: Endpoint) -> SocketKind {
        switch endpoint {
        case .unix: .unix(.stream)
        case .ip(let endpoint):
            switch endpoint.address {
            case .v4: .tcp(.ipv4)
            case .v6: .tcp(.ipv6)
            }
        }
    }

    private static func request(for url: HealthURL) -> [UInt8] {
        Array(
            """
            GET \(url.resource) HTTP/1.1\r
            Host: \(url.authority)\r
            User-Agent: connectd/\(Version.number)\r
            Accept: */*\r
            Connection: close\r
            \r\n
            """.utf8)
    }
}

/// The response to a health check: RFC 9112, sections 4 and 6.3.
struct HealthResponse {
    let status: Int
    /// The reason phrase, such as `Service Unavailable`, safe for a terminal.
    let reason: String
    let body: [UInt8]
    /// Whether the whole body has been received. Without Content-Length only EOF ends the body.
    let isComplete: Bool

    /// nil if the head is incomplete, or if this is not HTTP.
    init?(parsing bytes: [UInt8]) {
        guard let end = Self.endOfHead(bytes) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(whereSeparator: \.isNewline)
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1]),
            (100...599).contains(status)
        else { return nil }
        self.status = status
        reason = words.count == 3 ? Self.printable(words[2]) : ""
        let body = Array(bytes[end...])
        self.body = body
        isComplete = Self.contentLength(lines.dropFirst()).map { body.count >= $0 } ?? false
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        let end: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A]
        guard bytes.count >= end.count else { return nil }
        return (0...(bytes.count - end.count)).first { bytes[$0..<($0 + end.count)].elementsEqual(end) }
            .map { $0 + end.count }
    }

    private static func contentLength(_ fields: some Sequence<Substring>) -> Int? {
        let name = "content-length:"
        return fields.first { $0.lowercased().hasPrefix(name) }.flatMap { field in
            Int(field.dropFirst(name.count).filter { $0 != " " && $0 != "\t" })
        }
    }

    /// The body as one line of at most 300 characters, safe for a terminal.
    var bodyLine: String {
        Self.printable(Substring(decoding: body, as: UTF8.self))
    }

    private static func printable(_ text: Substring) -> String {
        let words = text.unicodeScalars.split { !(0x21...0x7E).contains($0.value) }
        return String(words.map(Substring.init).joined(separator: " ").prefix(300))
    }
}

/// The TLS settings of a health check.
struct HealthTLS {
    var options = TLSOptions()
    var material = TLSMaterial()
    /// The certificate that the service must present, or one with the same key; nil to verify CA and name instead.
    var own: CertificateReport?

    /// The problem with the presented certificate; nil if it is fine.
    func flaw(in report: TLSReport) -> String? {
        guard let own else { return nil }
        let isOwn = report.chain.first.map { $0.publicKeySHA256 == own.publicKeySHA256 } ?? false
        return isOwn ? nil : "the certificate is not the configured one"
    }
}
