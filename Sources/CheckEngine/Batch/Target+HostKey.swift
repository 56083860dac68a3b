public import NetworkTypes

extension Target {
    /// What the limit `BatchOptions.perHost` counts: the host as written, or the path.
    public var hostKey: String {
        switch peer {
        case .tcp(.address(let address), _), .udp(.address(let address), _): address.text
        case .tcp(.name(let name), _), .udp(.name(let name), _):
            (name.hasSuffix(".") ? String(name.dropLast()) : name).lowercased()
        case .unix: text
        }
    }
}
