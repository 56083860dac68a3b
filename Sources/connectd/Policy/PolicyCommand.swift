import AccessPolicy
import ArgumentParser
import CheckEngine
import Configuration
import NetworkTypes

/// `connectd policy`: shows which rule decides about a target, and why.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Show what a policy decides about a target, for each of its addresses, and why.",
        discussion: """
            Names are resolved as in a check. Nothing is sent to the target, and nothing connects to it.
            Rules are numbered from 0, as in the log: policy.rules[0] is the first.

            Exit status: 0 if a check of each target could connect; 1 if a target is denied; 2 on wrong usage; 3 if a \
            name has no address, so that nothing could be decided.

            Examples:
              connectd policy db.internal:5432 --config /etc/connectd/connectd.yaml
              connectd policy 169.254.169.254:80 unix:/run/app/api.sock --config connectd.yaml --explain
            """)

    @Argument(help: "The targets, as for connectd check.")
    var targets: [String] = []

    @Option(help: ArgumentHelp("The configuration file with the policy.", valueName: "file"), completion: .file())
    var config: String

    @Flag(help: "Print the order in which hard denials, rules and the profile decide.")
    var explain = false

    @Flag(help: "Print JSON: an array with one object for each target.")
    var json = false

    @Option(help: "The time limit for resolving each name.", transform: Duration.init(parsing:))
    var timeout = Duration(milliseconds: 5000)

    func run() throws {
        let targets = try self.targets.map(Target.init(argument:))
        guard !targets.isEmpty || explain else {
            throw ValidationError("no target: write one as in connectd policy db.internal:5432 --config FILE")
        }
        let policy = try Self.policy(in: config)
        let judged = try PolicySession(policy: policy).judge(targets, within: timeout.milliseconds)
        if json { return try finish(judged, printing: PolicyDocument.bytes(of: judged, policy)) }
        var sections = explain ? [PolicyText.order(of: policy)] : []
        sections += judged.map { PolicyText.text(of: $0, policy) }
        try finish(judged, printing: Array((sections.joined(separator: "\n\n") + "\n").utf8))
    }

    private func finish(_ judged: [JudgedTarget], printing bytes: [UInt8]) throws {
        Output.bytes(bytes)
        if judged.contains(where: { $0.state == .denied }) { throw ExitCode(1) }
        if judged.contains(where: { $0.state == .unresolved }) { throw ExitCode(3) }
    }

    private static func policy(in file: String) throws -> Policy {
        guard let policy = try CallerContext.read(config: file).policy else {
            throw ValidationError("the configuration has no policy")
        }
        return policy
    }
}
