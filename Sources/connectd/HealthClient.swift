import CLinux
import CheckModel
import DNS
import SocketIO
import TLSClient

/// One HTTP request over a socket of its own, by a deadline.
struct HealthClient {
    /// Why there is no answer.
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
            case .notHTTP: "the answer is no HTTP response"
            }
        }
    }

    static let mostBytes = 65_536

    let reactor: Reactor
    let deadline: MonotonicTime
    let tls: HealthTLS

    /// GET, with `Connection: close`. Call it from a task that prefers the reactor's thread.
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
        try await connect(socket, to: endpoint, token)
        let channel = url.isHTTPS ? try await shakeHands(with: url.peer, on: socket, token) : nil
        try await send(Self.request(for: url), on: socket, token, through: channel)
        let response = try await receive(on: socket, token, through: channel)
        channel?.sayGoodbye(on: socket)
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
