internal import CheckModel
internal import ErrorCatalogue
public import NetworkTypes

/// What a diagnosis is about, as its sentences name it.
public struct DiagnosisSubject: Hashable, Sendable {
    /// `db.internal:5432`, `[2001:db8::7]:443`, `unix:/run/app.sock`.
    public let name: String
    /// The host without brackets; nil for a UNIX socket.
    public let host: String?
    public let port: UInt16?
    let isUDP: Bool

    public init(_ target: Target) {
        switch target.peer {
        case .tcp(let host, let port): self.init(host, port, isUDP: false)
        case .udp(let host, let port): self.init(host, port, isUDP: true)
        case .unix: self.init(name: target.text, host: nil, port: nil, isUDP: false)
        }
    }

    private init(_ host: Host, _ port: UInt16, isUDP: Bool) {
        switch host {
        case .name(let text): self.init(name: "\(text):\(port)", host: text, port: port, isUDP: isUDP)
        case .address(let address):
            let name = IPEndpoint(address: address, port: port).text
            self.init(name: name, host: address.text, port: port, isUDP: isUDP)
        }
    }

    private init(name: String, host: String?, port: UInt16?, isUDP: Bool) {
        self.name = name
        self.host = host
        self.port = port
        self.isUDP = isUDP
    }

    /// The beginning of the sentence: what a client of the target sees.
    func symptom(of result: CheckResult) -> String {
        guard case .failed(let errorClass) = result.outcome else {
            switch result.outcome {
            case .associated: return "\(name) is not verified"
            case .answered: return "\(name) answers"
            case .connected, .failed: return "\(name) accepts connections"
            }
        }
        switch errorClass {
        case .refused: return "\(name) refuses connections"
        case .timeout: return silence(in: result.phase)
        case .unreachable: return "\(name) is not reachable"
        case .reset:
            return result.phase == .connect
                ? "\(name) resets connections" : "\(name) resets the connection during the \(Self.text(result.phase))"
        case .closedEarly: return "\(name) accepts connections and then closes them"
        case .tlsFailed: return "The TLS handshake with \(name) fails"
        case .dialogFailed: return "\(name) does not answer as expected"
        case .resolveFailed: return "The name \(host ?? name) does not resolve"
        case .proberExhausted, .proberMisconfigured, .notPermitted, .internal:
            return "This machine cannot connect to \(name)"
        case .noSuchSocket: return "\(name) does not exist"
        case .backlogFull: return "\(name) does not accept connections"
        case .badPath, .wrongType, .denied, .invalid, .cancelled, .unclassified:
            return "The connect to \(name) fails"
        }
    }

    private func silence(in phase: Phase) -> String {
        switch phase {
        case .tls: "\(name) does not answer in the TLS handshake"
        case .dialog where !isUDP: "\(name) does not answer in the dialog"
        case .policy, .resolve, .socket, .bind, .connect, .hold, .dialog, .done: "\(name) does not answer"
        }
    }

    private static func text(_ phase: Phase) -> String { phase == .tls ? "TLS handshake" : phase.rawValue }
}
