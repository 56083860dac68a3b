internal import AccessPolicy
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO
internal import Synchronization

/// Opens a UNIX-domain path, judges the opened file, and connects to it.
///
/// Each of these calls may block as long as a file system does not answer. So `run` needs a thread that may block.
final class UnixPathConnect: Sendable {
    enum Completion: Sendable {
        case connected(ConnectedSocket)
        case denied(DenialReason)
        /// The path could not be opened. The errno is the one that connect(2) would have returned.
        case unopened(Errno)
        case failed(Errno, Phase)
    }

    let path: [UInt8]
    let kind: SocketKind
    /// nil if the caller acts with its own rights.
    let policy: Policy?
    private let foundAllowed = Atomic<Bool>(false)

    init(path: [UInt8], kind: SocketKind, policy: Policy?) {
        self.path = path
        self.kind = kind
        self.policy = policy
    }

    /// Whether a rule allows the path, as written or after following links. It can be read while `run` hangs.
    var isAllowed: Bool { foundAllowed.load(ordering: .acquiring) }

    func run() -> Completion {
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

    /// Judges a path or an abstract name as `run` does, but does not connect to it.
    /// - Returns: The decision, and the path or name that was judged.
    static func decision(
        on address: UnixAddress, by policy: Policy
    ) -> (judged: UnixAddress, decision: PolicyDecision) {
        guard case .path(let path) = address else { return (address, policy.decision(on: address)) }
        let connect = UnixPathConnect(path: path, kind: .unix(.stream), policy: policy)
        guard policy.allowsSomePaths, let allowed = connect.allowedPath(by: policy) else {
            return (address, PolicyDecision(denial: denial(of: path, by: policy)))
        }
        return decision(on: UnixPath(allowed, followsMagicLinks: false), by: policy)
    }

    private static func decision(
        on found: consuming UnixPath, by policy: Policy
    ) -> (judged: UnixAddress, decision: PolicyDecision) {
        let file: FileIdentity? =
            switch found.opened {
            case .none: nil
            case .some(let opened): opened.fileIdentity()
            }
        let judged = UnixAddress.path(found.judged)
        return (judged, policy.decision(on: judged, file: file))
    }

    /// The policy's denial of a path that it does not allow as written.
    static func denial(of path: [UInt8], by policy: Policy) -> DenialReason {
        switch policy.judge(path: .path(path)) {
        case .allow: .unixPath
        case .deny(let reason): reason
        }
    }

    private func allowedPath(by policy: Policy) -> [UInt8]? {
        if policy.ruleAllowing(path: .path(path)) != nil { return path }
        return LinkSearch(policy: policy).allowedPath(following: path)
    }

    private func connect(to found: consuming UnixPath, _ judge: ([UInt8], FileIdentity?) -> Verdict) -> Completion {
        switch found.opened {
        case .none:
            if case .deny(let reason) = judge(found.judged, nil) { return .denied(reason) }
            return .unopened(found.failure ?? Errno(0))
        case .some(let opened):
            if case .deny(let reason) = judge(found.judged, opened.fileIdentity()) { return .denied(reason) }
            return connect(throughDescriptor: opened.rawValue)
        }
    }

    /// Connects to the opened socket through its descriptor, so that no other file can replace it.
    private func connect(throughDescriptor number: Int32) -> Completion {
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

/// A socket on its way from the thread that connected it to its check. The last reference closes it.
final class ConnectedSocket: Sendable {
    let socket: Socket

    init(_ socket: consuming Socket) {
        self.socket = socket
    }
}
