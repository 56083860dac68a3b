import CheckModel
import ConnectAPI
import ErrorCatalogue
import NetworkTypes
import StrictJSON

/// The options of a command as members of a request. A request of `--file` has those that it does not state itself, merged
/// as the `defaults` of a batch.
struct OptionDefaults: Sendable {
    /// In milliseconds; nil for the usual one.
    private let timeout: Int?
    private let trace: TraceOptions?
    private let hold: (milliseconds: UInt16, isHalfOpen: Bool)
    private let rounds: (count: UInt16, interval: UInt16)
    private let resolve: ResolveOptions
    private let bind: BindOptions
    /// nil without an option for TLS.
    private let tls: TLSOptions?
    private let dialog: [DialogStep]
    private let preset: UDPPreset?
    private let expectation: Expectation?

    /// - Parameter base: The options for addresses.
    init(
        _ base: CheckRequest, timeout: Duration?, tls: TLSArguments, dialog: DialogArguments, expectation: Expectation?
    ) {
        // The hold comes on top of the usual timeout.
        self.timeout = timeout == nil && base.holdMilliseconds == 0 ? nil : base.timeoutMilliseconds
        trace = base.trace
        hold = (base.holdMilliseconds, base.isHalfOpen)
        rounds = (base.count, base.intervalMilliseconds)
        resolve = base.resolve
        bind = base.bind
        self.tls = tls.isGiven ? tls.options : nil
        self.dialog = base.dialog
        preset = dialog.preset
        self.expectation = expectation
    }

    /// The request with these members. A document that is not an object stays as it is.
    func fill(_ document: JSONValue) -> JSONValue {
        guard case .object(let request) = document, let target = ConfiguredCheckDecoder.target(of: request) else {
            return document
        }
        return .object(request.check(filledFrom: members(for: target, request)))
    }

    /// The members that apply to a target, as for one that is not written in JSON.
    private func members(for target: Target, _ request: JSONObject) -> JSONObject {
        var members: [JSONObject.Member] = []
        func add(_ key: String, _ value: JSONValue?) {
            if let value { members.append(.init(key: key, value: value)) }
        }
        add("timeout_ms", timeout.map { .integer(Int64($0)) })
        add("expect", expectation?.json)
        if hold.milliseconds > 0 { add("hold_ms", .integer(Int64(hold.milliseconds))) }
        if hold.isHalfOpen { add("half_open", .bool(true)) }
        if rounds.count > 1 { add("count", .integer(Int64(rounds.count))) }
        if rounds.interval > 0 { add("interval_ms", .integer(Int64(rounds.interval))) }
        switch target.peer {
        case .tcp: add("tls", tls?.json)
        case .udp, .unix: break
        }
        switch target.peer {
        case .tcp, .udp:
            add("resolve", resolve.json)
            add("bind", bind.json)
            // The command line has no other options of a trace.
            add("trace", (trace?.when.rawValue).map(JSONValue.string))
        case .unix: break
        }
        // A preset replaces a dialog, so the request has either those of the command or its own.
        if request["dialog"] == nil, request["preset"] == nil {
            add("preset", (preset?.rawValue).map(JSONValue.string))
            add("dialog", dialog.isEmpty ? nil : .array(dialog.map(\.json)))
        }
        return JSONObject(members: members)
    }
}

extension JSONValue {
    /// An object of the members with a value; nil if there are none.
    fileprivate static func object(_ members: [(key: String, value: JSONValue?)]) -> JSONValue? {
        let given = members.compactMap { key, value in value.map { JSONObject.Member(key: key, value: $0) } }
        return given.isEmpty ? nil : .object(JSONObject(members: given))
    }
}

extension ResolveOptions {
    /// What differs from the usual values; nil for nothing.
    fileprivate var json: JSONValue? {
        .object([
            ("family", family == .any ? nil : .string(family.rawValue)),
            ("addresses", addresses == .first ? nil : .string(addresses.rawValue)),
        ])
    }
}

extension BindOptions {
    fileprivate var json: JSONValue? {
        .object([("address", (address?.text).map(JSONValue.string)), ("interface", interface.map(JSONValue.string))])
    }
}

extension TLSOptions {
    /// An object also if no option differs from the usual values: it requests TLS.
    fileprivate var json: JSONValue {
        .object([
            ("server_name", serverName.map(JSONValue.string)), ("verify", verify ? nil : .bool(false)),
            ("ca", authority.map(JSONValue.string)),
            ("starttls", (startTLS?.rawValue).map(JSONValue.string)),
            ("alpn", alpn.isEmpty ? nil : .array(alpn.map(JSONValue.string))),
            ("min_days_left", minimumDaysLeft.map { .integer(Int64($0)) }),
            ("legacy_renegotiation", legacyRenegotiation ? .bool(true) : nil),
        ]) ?? .object(JSONObject(members: []))
    }
}

extension Expectation {
    /// The member `expect`; nil for the usual one.
    var json: JSONValue? {
        switch self {
        case .transportSuccess: nil
        case .oneOf(let outcomes): .array(outcomes.map { .string($0.word) })
        case .not(let outcome): .string("!\(outcome.word)")
        }
    }
}

extension DialogStep {
    /// The step as a request writes it. The command line has no other steps.
    fileprivate var json: JSONValue {
        let (key, text) =
            switch self {
            case .send(let text): ("send", text)
            case .sendBytes(let bytes), .sendExpanded(let bytes): ("send_hex", HexText.text(bytes))
            case .expect(let pattern): ("expect", pattern)
            case .expectBytes(let bytes): ("expect_hex", HexText.text(bytes))
            case .reject(let pattern): ("reject", pattern)
            case .expectLine, .expectExactly, .startTLS, .startTLSAgain:
                preconditionFailure("the command line has no such step: \(self)")
            }
        return .object(JSONObject(members: [.init(key: key, value: .string(text))]))
    }
}
