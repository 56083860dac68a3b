import ArgumentParser
import CheckEngine
import CheckModel
import ConnectAPI
import StrictJSON

/// Makes checks of the targets and options of a command.
struct CheckPlanner {
    var timeout: Duration?
    var connection: ConnectionArguments
    var triesAllAddresses = false
    var tls: TLSArguments
    var dialog: DialogArguments
    var expectation: Expectation?

    /// - Throws: wrong usage: options that do not fit the targets, and every request line that is not valid.
    func checks(of entries: [TargetEntry], under surroundings: Surroundings) throws -> [PreparedCheck] {
        // Compiled once, unless each check has random numbers of its own.
        let steps = dialog.steps
        let compiled = try DialogArguments.dialog(steps)
        try dialog.validate(
            for: entries.compactMap { if case .target(let target, _) = $0.content { target } else { nil } })
        var problems: [String] = []
        var checks: [PreparedCheck] = []
        for entry in entries {
            switch entry.content {
            case .target(let target, let expectation):
                var request = request(for: target, expectation)
                request.dialog = dialog.preset == nil ? steps : dialog.steps
                let own = dialog.preset == nil ? compiled : try DialogArguments.dialog(request.dialog)
                checks.append(PreparedCheck(request: request, dialog: own))
            case .request(let document):
                let (check, found) = ConfiguredCheckDecoder.decode(
                    withTimeout(document), material: surroundings.tls, md5Keys: surroundings.md5Keys.keys)
                if let check { checks.append(check) }
                problems += found.map { "\(entry.place ?? ""): \($0.pointer) \($0.detail)" }
            }
        }
        guard problems.isEmpty else { throw ValidationError(problems.joined(separator: "\n")) }
        return checks
    }

    private func request(for target: Target, _ expectationOfLine: Expectation?) -> CheckRequest {
        var request = CheckRequest(target: target, timeoutMilliseconds: timeout?.milliseconds ?? 5000)
        connection.apply(to: &request)
        if triesAllAddresses { request.resolve.addresses = .all }
        request.tls = tls.options(for: target)
        request.expectation = expectationOfLine ?? expectation ?? .transportSuccess
        return request
    }

    /// A request line says all about its check, but for the time that it may take.
    private func withTimeout(_ document: JSONValue) -> JSONValue {
        guard let timeout, case .object(let object) = document, object["timeout_ms"] == nil else { return document }
        let member = JSONObject.Member(key: "timeout_ms", value: .integer(Int64(timeout.milliseconds)))
        return .object(JSONObject(members: object.members + [member]))
    }
}

extension Target {
    /// What `--per-host` counts by: the host as it is written, or the path.
    var hostKey: String {
        switch peer {
        case .tcp(.address(let address), _), .udp(.address(let address), _): address.text
        case .tcp(.name(let name), _), .udp(.name(let name), _):
            (name.hasSuffix(".") ? String(name.dropLast()) : name).lowercased()
        case .unix: text
        }
    }
}
