package import CheckModel
internal import NetworkTypes

/// Rules for members that are valid alone but not together.
package enum ConsistencyRules {
    /// One violation: the names and indexes of the path to the member, and the reason.
    package struct Flaw {
        package let path: [String]
        package let detail: String

        init(_ path: [String], _ detail: String) {
            self.path = path
            self.detail = detail
        }
    }

    /// All violations of a request.
    /// - Parameter isTLSOff: whether the request turns TLS off.
    package static func flaws(of request: CheckRequest, isTLSOff: Bool) -> [Flaw] {
        // Most requests use none of these members.
        if request.tls == nil, !isTLSOff, request.dialog.isEmpty, request.preset == nil, !request.socket.tcpFastOpen,
            request.trace == nil, RoundsRules.areUnused(by: request)
        {
            return []
        }
        return RoundsRules.flaws(of: request) + tls(request, isTLSOff: isTLSOff) + PresetRules.flaws(of: request)
            + startTLSSteps(request) + rejects(request.dialog) + fastOpen(request) + trace(request)
    }

    private static func trace(_ request: CheckRequest) -> [Flaw] {
        guard request.trace != nil, case .unix = request.target.peer else { return [] }
        return [Flaw(["trace"], "requires a TCP or UDP target: a UNIX-domain socket has no path through a network")]
    }

    private static func tls(_ request: CheckRequest, isTLSOff: Bool) -> [Flaw] {
        if isTLSOff {
            let step = request.startTLSStep.map { "step \($0) of the dialog" }
            let asker = request.target.impliesTLS ? "the target's tls://" : step
            return asker.map { [Flaw(["tls"], "is false, but \($0) requires a handshake")] } ?? []
        }
        if request.tls != nil, !request.target.isStream {
            return [Flaw(["tls"], "requires a byte stream: a TCP target or a UNIX stream socket")]
        }
        let options = request.tls ?? TLSOptions()
        let hasTLS = request.tls != nil || request.startTLSStep != nil
        if hasTLS, case .unix(.stream, _) = request.target.peer, options.verify, options.serverName == nil {
            return [
                Flaw(
                    ["tls", "server_name"],
                    "is required, because the target has no host name to verify; or set verify to false")
            ]
        }
        return []
    }

    private static func startTLSSteps(_ request: CheckRequest) -> [Flaw] {
        let steps = request.dialog.indices.filter { request.dialog[$0] == .startTLS }
        guard let first = steps.first else { return [] }
        var flaws = steps.dropFirst().map {
            Flaw(["dialog", String($0), "starttls"], "is a duplicate: TLS starts only once")
        }
        if let flaw = flaw(ofStartTLSStepIn: request) {
            flaws.append(Flaw(["dialog", String(first), "starttls"], flaw))
        }
        return flaws
    }

    private static func flaw(ofStartTLSStepIn request: CheckRequest) -> String? {
        if !request.target.isStream { return "requires a byte stream: a TCP target or a UNIX stream socket" }
        if request.target.impliesTLS { return "is too late: with tls:// the handshake comes first; write tcp://" }
        if request.tls?.startTLS != nil { return "excludes tls.starttls: TLS starts only once" }
        return nil
    }

    /// A `reject` applies until the next `expect` matches. Without an `expect` after it, it has no effect.
    private static func rejects(_ dialog: [DialogStep]) -> [Flaw] {
        let lastExpect = dialog.lastIndex(where: \.expects) ?? -1
        return dialog.indices.filter { $0 > lastExpect && dialog[$0].rejects }.map {
            Flaw(
                ["dialog", String($0), "reject"],
                "has no effect: no expect follows, and only an expect reads from the peer")
        }
    }

    /// Applies to every transport, so that the target does not decide whether a member is valid.
    private static func fastOpen(_ request: CheckRequest) -> [Flaw] {
        guard request.socket.tcpFastOpen, !sendsFirst(request) else { return [] }
        return [
            Flaw(
                ["socket", "tcp_fast_open"],
                """
                needs first bytes, of tls without starttls or of a dialog whose first step sends: without them the kernel \
                would report a connect that never was
                """)
        ]
    }

    private static func sendsFirst(_ request: CheckRequest) -> Bool {
        if let tls = request.tls, request.startTLSStep == nil { return tls.startTLS == nil }
        switch request.dialog.first {
        case .send(let text): return !text.isEmpty
        case .sendBytes(let bytes): return !bytes.isEmpty
        case .sendExpanded(let bytes): return !bytes.isEmpty
        case .expect, .expectBytes, .expectLine, .expectExactly, .reject, .startTLS, .startTLSAgain, nil:
            return false
        }
    }
}

extension CheckRequest {
    /// The index of the step that begins with TLS.
    fileprivate var startTLSStep: Int? { dialog.firstIndex(of: .startTLS) }
}

extension Target {
    /// Whether TLS can be spoken over it.
    fileprivate var isStream: Bool {
        switch peer {
        case .tcp, .unix(.stream, _): true
        case .udp, .unix(.dgram, _), .unix(.seqpacket, _): false
        }
    }
}

extension DialogStep {
    fileprivate var expects: Bool {
        switch self {
        case .expect, .expectBytes, .expectLine, .expectExactly: true
        case .send, .sendBytes, .sendExpanded, .reject, .startTLS, .startTLSAgain: false
        }
    }

    fileprivate var rejects: Bool {
        switch self {
        case .reject: true
        case .expect, .expectBytes, .expectLine, .expectExactly, .send, .sendBytes, .sendExpanded, .startTLS,
            .startTLSAgain:
            false
        }
    }
}
