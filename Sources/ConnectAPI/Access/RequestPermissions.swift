package import AccessPolicy
internal import CheckEngine
internal import CheckModel
package import Configuration
internal import NetworkTypes
internal import StrictJSON
internal import TLS

/// What a request may use besides its target. The configuration allows options that reach further than a connect.
package struct RequestPermissions: Sendable {
    package let dialogs: PolicySettings.Dialogs
    package let options: Set<PolicySettings.Option>
    /// The targets for which a client certificate may be used, by its name. A certificate without an entry fits all
    /// targets.
    package let certificateTargets: [String: [TargetPattern]]

    package init(
        dialogs: PolicySettings.Dialogs, options: Set<PolicySettings.Option>,
        certificateTargets: [String: [TargetPattern]] = [:]
    ) {
        self.dialogs = dialogs
        self.options = options
        self.certificateTargets = certificateTargets
    }

    /// The members that the request may not use, each with its pointer; empty if it is allowed.
    ///
    /// A missing key is refused like one that is not allowed, so the answer reveals no names.
    /// - Parameter md5Keys: the names that `socket.tcp_md5` may have.
    func refusals(of request: CheckRequest, md5Keys: some Collection<String>) -> [JSONProblem] {
        var pointers: [String] = []
        if !request.dialog.isEmpty, dialogs != .any { pointers.append("/dialog") }
        // The text of a preset is as fixed as that of a configured dialog.
        if request.preset != nil, dialogs == .none {
            pointers.append(request.target.impliesQUIC ? "/target" : "/preset")
        }
        if dialogs != .any, let names = request.tls?.alpn, !ApplicationProtocols.areHarmless(names) {
            pointers.append("/tls/alpn")
        }
        if request.bind.address != nil, !options.contains(.bind) { pointers.append("/bind/address") }
        if request.bind.port != nil, !options.contains(.bind) { pointers.append("/bind/port") }
        if request.bind.interface != nil, !options.contains(.interface) { pointers.append("/bind/interface") }
        if request.socket.mark != nil, !options.contains(.mark) { pointers.append("/socket/mark") }
        if let key = request.socket.tcpMD5, !options.contains(.md5) || !md5Keys.contains(key) {
            pointers.append("/socket/tcp_md5")
        }
        var refusals = pointers.map { pointer in
            JSONProblem(
                pointer: pointer,
                detail: pointer == "/tls/alpn"
                    ? ApplicationProtocols.rule : "is not allowed by this prober's policy")
        }
        if let name = request.tls?.clientCertificate, let targets = certificateTargets[name],
            !targets.contains(where: { $0.matches(request.target) })
        {
            refusals.append(
                JSONProblem(
                    pointer: "/tls/client_certificate", detail: "is not configured for this target"))
        }
        return refusals
    }

    /// The key of the configuration that denies a member, for logs.
    /// - Parameter pointer: of a refusal.
    static func rule(denying pointer: String) -> String {
        if pointer.hasPrefix("/bind/") || pointer.hasPrefix("/socket/") { return "policy.options" }
        return pointer == "/tls/client_certificate" ? "client_certificates" : "policy.dialogs"
    }

    /// The prefix of TLS material that the configuration lends to other modules, and that requests cannot name.
    /// Configured names have no colon.
    package static let reservedPrefix = "module:"

    private static func isUnknown<Entry>(_ name: String, among entries: [String: Entry]) -> Bool {
        entries[name] == nil || name.hasPrefix(reservedPrefix)
    }

    /// The members that name a missing entry of the configuration.
    static func unknownNames(in request: CheckRequest, of material: TLSMaterial) -> [JSONProblem] {
        request.tls.map { unknownNames(in: $0, of: material) } ?? []
    }

    static func unknownNames(in tls: TLSOptions, of material: TLSMaterial) -> [JSONProblem] {
        var problems: [JSONProblem] = []
        if let name = tls.authority, isUnknown(name, among: material.authorities) {
            problems.append(
                JSONProblem(pointer: "/tls/ca", detail: "is not an entry of authorities in the configuration"))
        }
        if let name = tls.clientCertificate, isUnknown(name, among: material.clientCertificates) {
            problems.append(
                JSONProblem(
                    pointer: "/tls/client_certificate",
                    detail: "is not an entry of client_certificates in the configuration"))
        }
        return problems
    }
}

extension ServiceSettings {
    /// Checks that a request uses only what the configuration has and allows.
    /// - Throws: 400 for missing entries, 403 for what is not allowed, each with its pointer.
    func permit(_ check: PreparedCheck) throws(Problem) {
        let unknown = RequestPermissions.unknownNames(in: check.request, of: checkContext.tls)
        guard unknown.isEmpty else { throw Problem(wrongInput: unknown) }
        let refusals = permissions.refusals(of: check.request, md5Keys: checkContext.md5Keys.keys)
        guard refusals.isEmpty else {
            throw Problem(.denied, "the policy of this prober does not allow this option", errors: refusals)
        }
    }

    /// Checks that the control target of a diagnosis uses only what the configuration allows.
    /// - Throws: 403 if it does not.
    func permit(control: PreparedCheck) throws(Problem) {
        let refusals = permissions.refusals(of: control.request, md5Keys: [])
        guard refusals.isEmpty else {
            let problems = refusals.map { JSONProblem(pointer: "/control", detail: $0.detail) }
            throw Problem(.denied, "the policy of this prober does not allow this option", errors: problems)
        }
    }
}
