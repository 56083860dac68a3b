internal import CLinux
internal import CheckModel
internal import SocketIO

/// A check of a UNIX-domain target.
struct UnixCheck {
    let draft: ResultDraft

    private var plan: AttemptPlan { draft.plan }
    private var policy: Policy? { draft.plan.policy }

    func run() async throws(DenialReason) {
        guard case .unix(_, let address) = plan.request.target.peer else { return }
        switch address {
        case .abstract:
            try judge(address)
            await attempt(address, named: address)
        case .path(let path):
            // What cannot be connected to anyway is not followed: a long path through links takes the thread for
            // tens of milliseconds, and how long it takes would tell what exists.
            if let policy, !policy.allowsSomePaths { throw .unixPath }
            guard path.count <= Self.longestPath else {
                try judge(address)
                return refuse(Errno(ENAMETOOLONG), of: address)
            }
            let found = UnixPath(path)
            try judge(.path(found.judged))
            if let failure = found.failure {
                refuse(failure, of: address)
            } else {
                await attempt(found.address, named: address)
            }
        }
    }

    /// What fits into sun_path with its NUL.
    private static let longestPath = 107

    private func judge(_ address: UnixAddress) throws(DenialReason) {
        guard let policy else { return }
        switch policy.judge(path: address) {
        case .allow: return
        case .deny(let reason): throw reason
        }
    }

    /// The path has led nowhere: its errno is what connect(2) would have said, which takes the same way.
    private func refuse(_ error: Errno, of address: UnixAddress) {
        var circumstances = plan.circumstances(in: .connect, of: .unix(address))
        circumstances.unixAccess = .searchDenied
        let report = Classifier.report(for: error, in: circumstances)
        let begin = Clock.now()
        var attempt = AttemptResult(
            endpoint: .unix(address), outcome: .failed(report.errorClass), phase: .connect,
            startNanoseconds: begin.since(plan.start))
        attempt.error = report
        draft.take([AttemptOutcome(result: attempt)], begunAt: begin)
    }

    private func attempt(
        _ address: UnixAddress, named name: UnixAddress
    ) async {
        let begin = Clock.now()
        let attempt = ConnectAttempt(
            plan: plan, endpoint: .unix(address), deadline: plan.deadline, shownEndpoint: .unix(name))
        let outcome = await attempt.run()
        draft.take([outcome], begunAt: begin)
    }
}
