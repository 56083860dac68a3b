internal import AccessPolicy
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Opens a UNIX-domain path, judges what was opened, and connects to it.
///
/// Each of these calls may block for as long as a file system does not answer: on a thread for that only.
final class UnixPathConnect: Sendable {
    enum Ending: Sendable {
        case connected(ConnectedSocket)
        case denied(DenialReason)
        /// The path led nowhere: the errno is what connect(2) would have said, which takes the same way.
        case unopened(Errno)
        case failed(Errno, Phase)
    }

    let path: [UInt8]
    let kind: SocketKind
    /// nil where the caller acts with its own rights.
    let policy: Policy?
    private let foundAllowed = Atomic<Bool>(false)

    init(path: [UInt8], kind: SocketKind, policy: Policy?) {
        self.path = path
        self.kind = kind
        self.policy = policy
    }

    /// Whether the path is one that a rule allows, as it is written or behind its links: known while `run` hangs, too.
    var isAllowed: Bool { foundAllowed.load(ordering: .acquiring) }

    func run() -> Ending {
        guard let policy else {
            foundAllowed.store(true, ordering: .releasing)
            return connect(to: UnixPath(path, followsMagicLinks: true)) { _, _ in .allow }
        }
        guard let path = allowedPath(by: policy) else { return .denied(Self.denial(of: path, by: policy)) }
        foundAllowed.store(true, ordering: .releasing)
        return connect(to: UnixPath(path, followsMagicLinks: false)) { name, file in
            policy.judge(path: .path(name), file: file)
        }
    }

    /// What `policy` says of a path that it does not allow as it is written.
    static func denial(of path: [UInt8], by policy: Policy) -> DenialReason {
        switch policy.judge(path: .path(path)) {
        case .allow: .unixPath
        case .deny(let reason): reason
        }
    }

    private func allowedPath(by policy: Policy) -> [UInt8]? {
        if policy.ruleAllowing(path: .path(path)) != nil { return path }
        return LinkSearch(policy: policy).allowedPath(behind: path)
    }

    private func connect(to found: consuming UnixPath, _ judge: ([UInt8], FileIdentity?) -> Verdict) -> Ending {
        switch found.opened {
        case .none:
            if case .deny(let reason) = judge(found.judged, nil) { return .denied(reason) }
            return .unopened(found.failure ?? Errno(0))
        case .some(let opened):
            if case .deny(let reason) = judge(found.judged, opened.fileIdentity()) { return .denied(reason) }
            return connect(throughDescriptor: opened.rawValue)
        }
    }

    /// Connects to the opened socket itself, by its number, so that nothing can be put in its place.
    private func connect(throughDescriptor number: Int32) -> Ending {
        var phase = Phase.socket
        do throws(Errno) {
            let socket = try Socket(kind)
            phase = .connect
            _ = try socket.connect(to: .unix(.path(Array("/proc/self/fd/\(number)".utf8))))
            return .connected(ConnectedSocket(socket))
        } catch {
            return .failed(error, phase)
        }
    }
}

/// A socket on its way from the thread that connected it to its check; the last owner closes it.
final class ConnectedSocket: Sendable {
    let socket: Socket

    init(_ socket: consuming Socket) {
        self.socket = socket
    }
}
