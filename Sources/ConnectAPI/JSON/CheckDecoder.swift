package import CheckEngine
package import CheckModel
internal import Dialog
internal import ErrorCatalogue
package import NetworkTypes
package import StrictJSON
package import TLS

/// Reads the JSON of one check. All problems are reported at once, each with its pointer.
package enum CheckDecoder {
    package static let defaultTimeoutMilliseconds = 5000

    /// - Parameter maximumTimeoutMilliseconds: the configured limit, at most 60000.
    package static func decode(
        _ document: JSONValue, maximumTimeoutMilliseconds: Int
    ) throws(JSONProblems) -> PreparedCheck {
        try JSONObjectReader.decode(document) { reader in
            check(&reader, maximumTimeoutMilliseconds)
        }
    }

    /// Reads a check with a target and a timeout, as most checks are: to look for the other members costs more than that.
    private static func plainCheck(_ reader: inout JSONObjectReader, _ maximumTimeout: Int) -> PreparedCheck? {
        let target = reader.member("target", TargetDecoder.target)
        let timeout = reader.integer("timeout_ms", in: 1...maximumTimeout)
        guard let target else { return nil }
        let request = CheckRequest(
            target: target, timeoutMilliseconds: timeout ?? min(defaultTimeoutMilliseconds, maximumTimeout))
        for flaw in ConsistencyRules.flaws(of: request, isTLSOff: false) { reader.report(at: flaw.path, flaw.detail) }
        return PreparedCheck(request: request)
    }

    /// A check with a target and no other member of its own.
    /// - Parameter timeoutMilliseconds: nil for the default.
    /// - Returns: nil if something is wrong; `decode` then tells what.
    static func plain(
        _ target: String, timeoutMilliseconds: Int?, maximumTimeoutMilliseconds maximum: Int
    ) -> PreparedCheck? {
        guard let target = try? Target(parsing: target) else { return nil }
        let timeout = timeoutMilliseconds ?? min(defaultTimeoutMilliseconds, maximum)
        guard 1...maximum ~= timeout else { return nil }
        let request = CheckRequest(target: target, timeoutMilliseconds: timeout)
        return ConsistencyRules.flaws(of: request, isTLSOff: false).isEmpty ? PreparedCheck(request: request) : nil
    }

    private static func check(
        _ reader: inout JSONObjectReader, _ maximumTimeout: Int
    ) -> PreparedCheck? {
        if reader.hasOnly("target", and: "timeout_ms") { return plainCheck(&reader, maximumTimeout) }
        reader.require("target")
        let members = CheckMembers(&reader, maximumTimeoutMilliseconds: maximumTimeout)
        guard let target = members.target else { return nil }
        var request = CheckRequest(
            target: target,
            timeoutMilliseconds: members.timeoutMilliseconds ?? min(defaultTimeoutMilliseconds, maximumTimeout))
        request.id = members.id
        request.labels = members.labels
        members.rounds.apply(to: &request)
        request.resolve = members.resolve ?? ResolveOptions()
        request.bind = members.bind ?? BindOptions()
        request.socket = members.socket ?? SocketOptions()
        request.preset = members.preset ?? request.preset
        request.dialog = members.dialog ?? []
        request.trace = members.trace
        let isTLSOff = settleTLS(of: &request, by: members.tls, isGiven: reader.value("tls") != nil)
        request.expectation = members.expectation ?? .transportSuccess
        for flaw in ConsistencyRules.flaws(of: request, isTLSOff: isTLSOff) {
            reader.report(at: flaw.path, flaw.detail)
        }
        let dialog = dialog(request.dialog, &reader)
        return PreparedCheck(request: request, dialog: dialog)
    }

    /// Reads members that apply to several checks: each must be valid, and none is required.
    /// - Returns: the TLS options, if there are any.
    static func defaults(_ reader: inout JSONObjectReader, maximumTimeoutMilliseconds: Int) -> TLSOptions? {
        let members = CheckMembers(&reader, maximumTimeoutMilliseconds: maximumTimeoutMilliseconds)
        _ = dialog(members.dialog ?? [], &reader)
        guard case .on(let options) = members.tls else { return nil }
        return options
    }

    /// The names of all members of a check.
    package static let memberNames: [String] = {
        var reader = JSONObjectReader(JSONObject(members: []))
        _ = CheckMembers(&reader, maximumTimeoutMilliseconds: 1)
        return reader.knownMemberNames
    }()

    /// Reads `tls`, which requests a handshake or configures that of a `tls://` target.
    /// - Returns: whether the request turns TLS off.
    private static func settleTLS(
        of request: inout CheckRequest, by choice: TLSDecoder.Choice?, isGiven: Bool
    ) -> Bool {
        switch choice {
        case .on(let options):
            request.tls = options
            return false
        case .off: return true
        case nil:
            // A member that was reported as invalid is not reported again as missing.
            if isGiven {
                request.tls = TLSOptions()
                request.tls?.verify = false
            }
            return false
        }
    }

    private static func dialog(_ steps: [DialogStep], _ reader: inout JSONObjectReader) -> Dialog? {
        guard !steps.isEmpty else { return nil }
        do throws(DialogProblem) {
            return try Dialog(steps: steps)
        } catch {
            reader.report(at: ["dialog", String(error.step), error.member], error.detail)
            return nil
        }
    }
}

/// The members of a check as they were read: nil if absent, or invalid and reported.
private struct CheckMembers {
    let target: Target?
    let id: String?
    let labels: [Label]?
    let timeoutMilliseconds: Int?
    let rounds: RoundsDecoder
    let resolve: ResolveOptions?
    let bind: BindOptions?
    let socket: SocketOptions?
    let tls: TLSDecoder.Choice?
    let preset: UDPPreset?
    let dialog: [DialogStep]?
    let trace: TraceOptions?
    let expectation: Expectation?

    @inline(__always)
    init(_ reader: inout JSONObjectReader, maximumTimeoutMilliseconds: Int) {
        target = reader.member("target", TargetDecoder.target)
        id = reader.string("id", maximumLength: 1024)
        labels = reader.stringMap("labels", maximumMembers: 64, maximumLength: 1024)?
            .map { Label(name: $0.key, value: $0.value) }
        timeoutMilliseconds = reader.integer("timeout_ms", in: 1...maximumTimeoutMilliseconds)
        rounds = RoundsDecoder(&reader)
        resolve = reader.object("resolve", OptionsDecoder.resolve)
        bind = reader.object("bind", OptionsDecoder.bind)
        socket = reader.object("socket", OptionsDecoder.socket)
        tls = reader.member("tls", TLSDecoder.choice)
        preset = reader.enumeration("preset", UDPPreset.self)
        dialog = reader.array("dialog", count: 1...64, DialogDecoder.step)
        trace = reader.member("trace") {
            TraceDecoder.options(&$0, maximumTimeout: maximumTimeoutMilliseconds)
        }
        expectation = reader.member("expect", ExpectationDecoder.expectation)
    }
}

/// Reads the bodies of requests.
enum BodyDecoder {
    @inline(never)
    static func check(_ body: [UInt8], under settings: ServiceSettings) throws(Problem) -> PreparedCheck {
        let document = try document(body)
        do throws(JSONProblems) {
            return try CheckDecoder.decode(
                document, maximumTimeoutMilliseconds: settings.maximumTimeoutMilliseconds)
        } catch {
            throw Problem(error)
        }
    }

    static func diagnosis(_ body: [UInt8], under settings: ServiceSettings) throws(Problem) -> DiagnosisRequest {
        let document = try document(body)
        do throws(JSONProblems) {
            return try DiagnosisDecoder.decode(
                document, maximumTimeoutMilliseconds: settings.maximumTimeoutMilliseconds)
        } catch {
            throw Problem(error)
        }
    }

    /// A destination of `/v1/routes`: the text and the parsed address.
    struct Destination {
        let text: String
        let address: IPAddress
    }

    static let mostDestinations = 100_000

    static func destinations(_ body: [UInt8]) throws(Problem) -> [Destination] {
        let document = try document(body, limits: JSONLimits(values: mostDestinations + 100))
        do throws(JSONProblems) {
            return try JSONObjectReader.decode(document) { reader in
                reader.require("destinations")
                return reader.array("destinations", count: 1...mostDestinations, destination)
            }
        } catch {
            throw Problem(error)
        }
    }

    private static func destination(_ cursor: inout JSONCursor) -> Destination? {
        guard let text = cursor.string() else { return nil }
        guard let address = IPAddress(parsing: text) else {
            cursor.report(DestinationAdvice.detail(for: text))
            return nil
        }
        return Destination(text: text, address: address)
    }

    /// More values than any valid body has. A body of 16 MiB full of values would block the worker for seconds.
    private static let limits = JSONLimits(values: 16_384)

    private static func document(_ body: [UInt8], limits: JSONLimits = limits) throws(Problem) -> JSONValue {
        do throws(JSONSyntaxError) {
            return try JSONValue.parse(body, limits: limits)
        } catch {
            throw Problem(error)
        }
    }
}

/// What to write instead of a destination that is not an address.
private enum DestinationAdvice {
    /// What is wrong with the text, which cannot be parsed as an address.
    static func detail(for text: String) -> String {
        if let address = (try? Target(parsing: text))?.hostAddress {
            return "must be an address without a port: write \(address.text)"
        }
        if let slash = text.firstIndex(of: "/"), let address = IPAddress(parsing: text[..<slash]) {
            return "must be one address, not a network: write each address, such as \(address.text)"
        }
        if text.hasPrefix("["), text.hasSuffix("]") {
            let inner = text.dropFirst().dropLast()
            if let address = IPAddress(parsing: inner) {
                return "must be an address without brackets: write \(address.text)"
            }
            return "must be an address without brackets, such as 2001:db8::7"
        }
        if let last = text.split(separator: ".").last, last.allSatisfy(\.isWholeNumber) {
            return "must be an IPv4 address of four numbers from 0 to 255 without leading zeros, such as 10.0.0.7"
        }
        return "must be an address, such as 10.0.0.7 or 2001:db8::7, not a name"
    }
}

extension Target {
    /// The address in the target; nil for a name or a path.
    fileprivate var hostAddress: IPAddress? {
        switch peer {
        case .tcp(.address(let address), _), .udp(.address(let address), _): address
        case .tcp(.name, _), .udp(.name, _), .unix: nil
        }
    }
}

/// Reads `expect`: an outcome, `!` and an outcome, or a list of outcomes.
package enum ExpectationDecoder {
    static func expectation(_ cursor: inout JSONCursor) -> Expectation? {
        switch cursor.value {
        case .string(let text):
            if text.hasPrefix("!") { return outcome(text.dropFirst(), &cursor).map(Expectation.not) }
            return outcome(text, &cursor).map { .oneOf([$0]) }
        case .array:
            return cursor.array(count: 1...Outcome.all.count) { element in
                element.string().flatMap { outcome($0, &element) }
            }.map(Expectation.oneOf)
        case .null, .bool, .integer, .number, .object:
            cursor.reportMismatch(expected: "an outcome or an array of outcomes")
            return nil
        }
    }

    /// The form in a query: an outcome, `!` and an outcome, or outcomes separated by commas.
    package static func expectation(parsing text: String) -> Expectation? {
        if text.hasPrefix("!") { return Outcome(word: text.dropFirst()).map(Expectation.not) }
        let outcomes = text.split(separator: ",", omittingEmptySubsequences: false).map { Outcome(word: $0) }
        let known = outcomes.compactMap { $0 }
        return known.count == outcomes.count ? .oneOf(known) : nil
    }

    package static var knownWords: String { Outcome.all.map(\.word).joined(separator: ", ") }

    private static func outcome(_ text: some StringProtocol, _ cursor: inout JSONCursor) -> Outcome? {
        guard let outcome = Outcome(word: text) else {
            cursor.report("must be one of: \(knownWords); \"!\" before one means any other")
            return nil
        }
        return outcome
    }
}

/// Reads a check of the configuration. Members and rules are those of requests.
package enum ConfiguredCheckDecoder {
    /// The longest `timeout_ms` of any check.
    private static let longestTimeoutMilliseconds = 60_000

    /// The target of a check; nil if it is missing or invalid.
    package static func target(of check: JSONObject) -> Target? {
        guard let value = check["target"] else { return nil }
        var cursor = JSONCursor(value)
        return TargetDecoder.target(&cursor)
    }

    /// - Parameters:
    ///   - material: the entries that `tls.ca` and `tls.client_certificate` may name.
    ///   - md5Keys: the names that `socket.tcp_md5` may have.
    ///   - Returns: the check, or its problems.
    package static func decode(
        _ value: JSONValue, material: TLSMaterial, md5Keys: some Collection<String>
    ) -> (check: PreparedCheck?, problems: [JSONProblem]) {
        do throws(JSONProblems) {
            let check = try CheckDecoder.decode(value, maximumTimeoutMilliseconds: longestTimeoutMilliseconds)
            var problems = RequestPermissions.unknownNames(in: check.request, of: material)
            if let name = check.request.socket.tcpMD5, !md5Keys.contains(name) {
                problems.append(
                    JSONProblem(pointer: "/socket/tcp_md5", detail: "is not an entry of md5_keys in the configuration"))
            }
            return (problems.isEmpty ? check : nil, problems)
        } catch {
            return (nil, error.problems)
        }
    }
}
