import CheckModel
import DNS
import ErrorCatalogue
import Foundation
import NetworkTypes
import SocketIO

/// A resolver on a reactor with its own thread and its own files.
struct RunningResolver: Sendable {
    let reactor: Reactor
    let resolver: Resolver
    let files: TemporaryFiles

    func resolve(
        _ name: String, family: ResolveOptions.Family = .any, server: IPEndpoint? = nil, asHostsHave: Bool = false,
        milliseconds: Int = 5000
    ) async -> Result<Resolution, ResolveFailure> {
        let resolver = resolver
        // As in the service: the task prefers the worker's thread.
        let task = Task(executorPreference: reactor.thread) { () -> Result<Resolution, ResolveFailure> in
            let deadline = Clock.now().advanced(byMilliseconds: milliseconds)
            do throws(ResolveFailure) {
                return .success(
                    try await resolver.resolve(
                        name, family: family, server: server, asHostsHave: asHostsHave, until: deadline))
            } catch {
                return .failure(error)
            }
        }
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

/// Runs `body` with a resolver whose files contain `resolvConf` and `hosts`, and stops it.
func withResolver<Value: Sendable>(
    resolvConf: String = "", hosts: String = "", nameServerPort: UInt16 = 53,
    _ body: (RunningResolver) async throws -> Value
) async throws -> Value {
    let files = try TemporaryFiles(resolvConf: resolvConf, hosts: hosts)
    defer { files.remove() }
    let reactor = try Reactor(thread: ReactorThread(index: 0))
    let thread = try WorkerThread(running: reactor)
    let resolver = Resolver(
        reactor: reactor, resolvConfPath: files.resolvConf.path, hostsPath: files.hosts.path,
        nameServerPort: nameServerPort)
    do {
        let value = try await body(RunningResolver(reactor: reactor, resolver: resolver, files: files))
        thread.stopAndJoin()
        return value
    } catch {
        thread.stopAndJoin()
        throw error
    }
}

/// A resolv.conf and a hosts file in a temporary directory.
struct TemporaryFiles: Sendable {
    let directory: URL
    var resolvConf: URL { directory.appending(path: "resolv.conf") }
    var hosts: URL { directory.appending(path: "hosts") }

    init(resolvConf: String, hosts: String) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "dns-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Data(resolvConf.utf8).write(to: self.resolvConf)
        try Data(hosts.utf8).write(to: self.hosts)
    }

    func remove() {
        try? FileManager.default.removeItem(at: directory)
    }
}

extension Result where Success == Resolution, Failure == ResolveFailure {
    var addresses: Set<String> { Set((try? get().addresses.map(\.text)) ?? []) }

    var failure: ResolveFailure? {
        switch self {
        case .success: nil
        case .failure(let failure): failure
        }
    }
}
