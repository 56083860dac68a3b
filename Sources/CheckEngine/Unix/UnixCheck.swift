internal import AccessPolicy
internal import CLinux
internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import SocketIO

/// A check of a UNIX-domain target.
struct UnixCheck {
    let draft: ResultDraft
    let blocking: BlockingThreads

    private var plan: AttemptPlan { draft.plan }
    private var policy: Policy? { draft.plan.policy }

    func run() async throws(DenialReason) {
        guard case .unix(_, let address) = plan.request.target.peer else { return }
        let begin = Clock.now()
        let attempt = ConnectAttempt(plan: plan, endpoint: .unix(address), deadline: plan.deadline)
        switch address {
        case .abstract:
            try judge(address)
            draft.take([await attempt.run()], begunAt: begin)
        case .path(let path):
            // If the policy allows no path at all, the path is not opened.
            if let policy, !policy.allowsSomePaths { throw .unixPath }
            let record = AttemptRecord(of: .unix(address), checkStart: plan.start)
            if path.count > Self.longestPath {
                try judge(address)
                attempt.noteUnopened(Errno(ENAMETOOLONG), into: record)
            } else {
                try await open(path, for: attempt, into: record)
            }
            draft.take([record.finished()], begunAt: begin)
        }
    }

    /// The longest path that fits into sun_path with its NUL.
    private static let longestPath = 107

    private func judge(_ address: UnixAddress) throws(DenialReason) {
        guard let policy else { return }
        switch policy.judge(path: address) {
        case .allow: return
        case .deny(let reason): throw reason
        }
    }

    /// Opens the path and connects on a thread that may block, then runs the later phases.
    private func open(
        _ path: [UInt8], for attempt: ConnectAttempt, into record: AttemptRecord
    ) async throws(DenialReason) {
        // The rule that allows the path as it is written. Without one, only symbolic links can lead to an allowed path.
        let rule = policy.map { $0.ruleAllowing(path: .path(path)) ?? Self.linksOnly } ?? Self.ownRights
        let job = UnixPathConnect(path: path, kind: plan.socketKind(for: attempt.endpoint), policy: policy)
        let mount = Self.group(ofMountAt: path)
        let result = await blocking.run(
            inGroup: mount ?? rule, mayHang: mount != nil, on: plan.reactor, until: plan.deadline
        ) { job.run() }
        switch result {
        case .finished(.connected(let connected)): await attempt.runLaterPhases(from: connected, into: record)
        case .finished(.denied(let reason)): throw reason
        case .finished(.unopened(let error)): attempt.noteUnopened(error, into: record)
        case .finished(.failed(let error, let phase)): attempt.fail(record, with: error, in: phase)
        case .cancelled: attempt.noteCancelled(into: record, in: .connect)
        case .deadline:
            if !job.isAllowed { try refuse(path) }
            attempt.noteUnanswered(into: record)
        case .neverBegan:
            if rule == Self.linksOnly { try refuse(path) }
            attempt.enter(Classifier.report(for: .proberBusy), in: .connect, into: record)
        }
    }

    /// Throws the same denial whether or not the path exists or answers.
    private func refuse(_ path: [UInt8]) throws(DenialReason) {
        if let policy { throw UnixPathConnect.denial(of: path, by: policy) }
    }

    /// Paths under the same remote mount point share a group, whatever rule allows them.
    /// - Returns: nil for a path on a file system of this machine; its rule is its group.
    private static func group(ofMountAt path: [UInt8]) -> Int? {
        guard let mountPoint = RemoteMounts.ofProcess.mountPoint(of: path) else { return nil }
        return linksOnly - 1 - Int(truncatingIfNeeded: UInt(bitPattern: mountPoint.hashValue) >> 2)
    }

    // Thread groups other than those of rules, whose numbers are the rules' indexes.
    private static let ownRights = -1
    private static let linksOnly = -2
}
