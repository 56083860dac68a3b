import ArgumentParser
import CheckEngine
import CheckModel
import ConnectAPI
import Dialog
import NetworkTypes
import StrictJSON

/// The checks of a command. Each one is decoded when it is needed, because a request takes much more memory than its text.
struct CheckPlan: CheckSource {
    /// What the checks have in common.
    struct Traits {
        var hasTLS = false
        /// Whether a check has several sockets at once, to try several addresses or to trace.
        var usesManySockets = false
        var longestTimeoutMilliseconds = 0
        var widestTarget = 0
    }

    private let list: TargetList
    private let template: RequestTemplate
    /// The targets to check, as indices of the list; nil for all.
    private let kept: [Int32]?
    let traits: Traits
    /// What `--skip-done` did.
    let skipped: Skipped

    struct Skipped {
        /// Targets that need no check.
        var count = 0
        /// Those of them whose result was not ok.
        var failures = 0
        /// Lines of the file that are not results.
        var ignoredLines = 0
    }

    var count: Int { kept?.count ?? list.count }
    /// Whether targets come from a file.
    var hasFile: Bool { list.hasFile }

    /// Decodes all targets once.
    /// - Parameter problems: The problems of the list so far.
    /// - Throws: `ValidationError` with all problems: each bad argument, and each bad line with its number.
    init(
        _ list: TargetList, _ template: RequestTemplate, excluding exclusions: ExclusionList? = nil,
        skipping finished: FinishedTargets? = nil, _ problems: ProblemList = ProblemList()
    ) throws {
        var (problems, finished) = (problems, finished)
        var traits = Traits()
        var kept: [Int32] = []
        var skipped = Skipped(ignoredLines: finished?.ignoredLines ?? 0)
        for index in 0..<list.count {
            let source = list.source(at: index)
            do throws(RequestProblems) {
                let request = try template.check(of: source).request
                if exclusions?.contains(request.target) == true { continue }
                if let isOK = finished?.take(request) {
                    skipped.count += 1
                    skipped.failures += isOK ? 0 : 1
                    continue
                }
                traits.add(request)
                if exclusions != nil || finished != nil { kept.append(Int32(index)) }
            } catch {
                for detail in error.details { problems.append(detail, at: list.location(at: index)) }
            }
        }
        try problems.throwIfAny()
        self.list = list
        self.template = template
        self.kept = exclusions == nil && finished == nil ? nil : kept
        self.traits = traits
        self.skipped = skipped
    }

    /// The check at an index, less than `count`.
    func check(at index: Int) -> PreparedCheck {
        do throws(RequestProblems) {
            return try template.check(of: list.source(at: listIndex(index)))
        } catch {
            // `init` decoded the same text with the same template.
            preconditionFailure("a valid target became invalid: \(error.details)")
        }
    }

    func request(at index: Int) -> CheckRequest { check(at: index).request }

    /// The check as the body of `POST /v1/checks`.
    func body(at index: Int) -> [UInt8] { template.body(of: list.source(at: listIndex(index))) }

    /// Where the check was written; nil for an argument.
    func location(at index: Int) -> ReportLocation? { list.location(at: listIndex(index)) }

    private func listIndex(_ index: Int) -> Int { kept.map { Int($0[index]) } ?? index }
}

extension CheckPlan.Traits {
    fileprivate mutating func add(_ request: CheckRequest) {
        hasTLS = hasTLS || request.tls != nil
        usesManySockets = usesManySockets || request.resolve.addresses != .first || request.trace != nil
        longestTimeoutMilliseconds = max(longestTimeoutMilliseconds, request.longestMilliseconds)
        widestTarget = max(widestTarget, request.target.text.count)
    }
}

/// The problems of one target.
struct RequestProblems: Error {
    let details: [String]
}

/// The options of a command, as a request to which only the target is added.
struct RequestTemplate: Sendable {
    private let base: CheckRequest
    private let expectation: Expectation
    /// The TLS options of the command line; nil if there are none.
    private let tls: TLSOptions?
    /// Compiled once, because compiling is slow.
    private let dialog: Dialog?
    private let preset: UDPPreset?
    /// The options as members of a request.
    private let defaults: OptionDefaults
    private let context: CheckContext

    /// - Throws: `ValidationError` for a bad dialog.
    init(
        timeout: Duration? = nil, connection: ConnectionArguments, rounds: RoundsArguments? = nil,
        triesAllAddresses: Bool = false, tls: TLSArguments,
        dialog: DialogArguments, expectation: Expectation? = nil, trace: TraceOptions? = nil, context: CheckContext
    ) throws {
        // Each check replaces the target.
        var base = CheckRequest(
            target: Target(peer: .tcp(.name("localhost"), port: 1), text: "localhost:1"),
            timeoutMilliseconds: timeout?.milliseconds ?? 5000)
        connection.apply(to: &base)
        rounds?.apply(to: &base)
        // Without --timeout, the connect has the usual time, and the hold comes on top.
        if timeout == nil { base.timeoutMilliseconds = min(5000 + Int(base.holdMilliseconds), 60_000) }
        base.trace = trace
        if triesAllAddresses { base.resolve.addresses = .all }
        preset = dialog.preset
        base.dialog = dialog.steps
        self.dialog = try DialogArguments.dialog(base.dialog)
        self.base = base
        self.expectation = expectation ?? .transportSuccess
        defaults = OptionDefaults(
            base, timeout: timeout, tls: tls, dialog: dialog, expectation: expectation)
        self.tls = tls.isGiven ? tls.options : nil
        self.context = context
    }

    func check(of source: TargetList.Source) throws(RequestProblems) -> PreparedCheck {
        if source.isRequest { return try requestedCheck(source.text) }
        let target = try Self.target(source)
        var request = base
        request.target = target
        // A UNIX-domain socket has no path through a network.
        if case .unix = target.peer { request.trace = nil }
        if case .tcp = target.peer, target.impliesTLS || tls != nil { request.tls = tls ?? TLSOptions() }
        request.expectation = source.expectation ?? expectation
        request.preset = preset ?? (target.impliesQUIC ? .quic : nil)
        let flaws = [PresetUsage.flaw(of: request)].compactMap { $0 } + RoundsFlags.problems(with: request)
        guard flaws.isEmpty else { throw RequestProblems(details: flaws) }
        return PreparedCheck(request: request, dialog: dialog)
    }

    /// The check of a target as text.
    func check(ofTarget text: String) throws(RequestProblems) -> PreparedCheck {
        try check(of: TargetList.Source(text: text, isRequest: false, isPortMissing: false, expectation: nil))
    }

    /// The same check as the body of `POST /v1/checks`.
    func body(ofTarget text: String) -> [UInt8] {
        body(of: TargetList.Source(text: text, isRequest: false, isPortMissing: false, expectation: nil))
    }

    /// A valid check as the body of `POST /v1/checks`.
    func body(of source: TargetList.Source) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(defaults.fill(Self.document(of: source)))
        return writer.finish()
    }

    private static func document(of source: TargetList.Source) -> JSONValue {
        if source.isRequest { return (try? JSONValue.parse(Array(source.text.utf8))) ?? .null }
        var members = [JSONObject.Member(key: "target", value: .string(source.text))]
        if let expectation = source.expectation?.json {
            members.append(JSONObject.Member(key: "expect", value: expectation))
        }
        return .object(JSONObject(members: members))
    }

    private static func target(_ source: TargetList.Source) throws(RequestProblems) -> Target {
        do throws(TargetError) {
            return try Target(parsing: source.text)
        } catch {
            let advice = source.isPortMissing ? ", or give the ports of all hosts with --ports" : ""
            throw RequestProblems(details: [
                "target \"\(TerminalText.excerpt(source.text))\": \(error.detail)\(advice)"
            ])
        }
    }

    private func requestedCheck(_ text: String) throws(RequestProblems) -> PreparedCheck {
        let document: JSONValue
        do throws(JSONSyntaxError) {
            document = try JSONValue.parse(Array(text.utf8), limits: JSONLimits(values: 16_384))
        } catch {
            let predicate = error.kind == .grammar ? "is not a JSON request" : error.predicate
            throw RequestProblems(details: ["\(predicate): column \(error.column): \(error.detail)"])
        }
        let (check, problems) = ConfiguredCheckDecoder.decode(
            defaults.fill(document), material: context.tls, md5Keys: context.md5Keys.keys)
        guard let check, problems.isEmpty else {
            throw RequestProblems(details: problems.map { "\($0.pointer) \($0.detail)" })
        }
        return check
    }
}
