import CLinux
import Foundation
import NetworkTypes
import SocketIO

/// dnsmasq with the test's records, in a process of its own.
final class Dnsmasq {
    let endpoint: IPEndpoint
    private let process = Process()

    struct DidNotStart: Error {}

    init(port: UInt16, address: String = "127.0.0.1", _ arguments: [String]) async throws {
        endpoint = IPEndpoint(address, port)
        process.executableURL = URL(filePath: "/usr/sbin/dnsmasq")
        process.arguments =
            [
                "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts",
                "--bind-interfaces", "--listen-address=\(address)", "--port=\(port)", "--user=", "--group=",
                "--local=/#/",
            ] + arguments
        try process.run()
        for _ in 0..<200 where process.isRunning {
            if Self.accepts(endpoint) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw DidNotStart()
    }

    deinit {
        // SIGTERM would stay pending: a child inherits the signal mask of the thread that starts it, which blocks every
        // signal.
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// dnsmasq listens on TCP as soon as it listens on UDP.
    private static func accepts(_ endpoint: IPEndpoint) -> Bool {
        TestSocket.connectsOverTCP(to: endpoint)
    }
}
