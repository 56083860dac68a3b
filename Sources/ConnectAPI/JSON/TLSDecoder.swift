internal import CheckModel
internal import ErrorCatalogue
internal import NetworkTypes
internal import StrictJSON
internal import TLS

/// Reads `tls`: true, false, or an object with options.
enum TLSDecoder {
    /// What a request says about TLS.
    enum Choice {
        case off
        case on(TLSOptions)
    }

    static func choice(_ cursor: inout JSONCursor) -> Choice? {
        switch cursor.value {
        case .bool(let isOn): return isOn ? .on(TLSOptions()) : .off
        case .object: return cursor.object(options).map(Choice.on)
        case .null, .integer, .number, .string, .array:
            cursor.reportMismatch(expected: "true or an object")
            return nil
        }
    }

    private static func options(_ reader: inout JSONObjectReader) -> TLSOptions? {
        var options = TLSOptions()
        options.serverName = reader.member("server_name", serverName)
        options.verify = reader.bool("verify") ?? true
        options.authority = reader.string("ca")
        options.clientCertificate = reader.string("client_certificate")
        options.alpn = reader.array("alpn", count: 1...16, protocolName) ?? []
        options.minimumVersion = reader.enumeration("min_version", TLSVersion.self)
        options.maximumVersion = reader.enumeration("max_version", TLSVersion.self)
        options.ciphers = reader.member("ciphers", ciphers)
        options.startTLS = reader.enumeration("starttls", StartTLSProtocol.self)
        options.expectedAlert = reader.member("expect_alert", alert)
        options.minimumDaysLeft = reader.integer("min_days_left", in: daysLeft)
        options.revocation = reader.enumeration("revocation", TLSOptions.Revocation.self) ?? .none
        options.legacyRenegotiation = reader.bool("legacy_renegotiation") ?? false
        judgeVersions(options, &reader)
        return options
    }

    /// A hundred years: more than any certificate should be valid.
    static let daysLeft = 0...36_500

    private static func judgeVersions(_ options: TLSOptions, _ reader: inout JSONObjectReader) {
        guard let lowest = options.minimumVersion, let highest = options.maximumVersion else { return }
        if highest < lowest { reader.report("max_version", "is below min_version, \(lowest.rawValue)") }
    }

    private static func serverName(_ cursor: inout JSONCursor) -> String? {
        guard let text = cursor.string() else { return nil }
        do throws(TargetError) {
            return try ServerName.read(text)
        } catch {
            cursor.report(error.detail)
            return nil
        }
    }

    /// RFC 7301, 3.1: opaque bytes.
    private static func protocolName(_ cursor: inout JSONCursor) -> String? {
        guard let name = cursor.string() else { return nil }
        guard (1...255).contains(name.utf8.count) else {
            cursor.report("must have from 1 to 255 bytes, got \(name.utf8.count)")
            return nil
        }
        return name
    }

    private static func ciphers(_ cursor: inout JSONCursor) -> String? {
        guard let text = cursor.string(maximumLength: 4096) else { return nil }
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            cursor.report("must be names of cipher suites in printable ASCII, separated by colons")
            return nil
        }
        if let flaw = TLSContexts.flaw(inCiphers: text) {
            cursor.report(flaw)
            return nil
        }
        return text
    }

    private static func alert(_ cursor: inout JSONCursor) -> TLSAlert? {
        guard let name = cursor.string() else { return nil }
        guard let alert = TLSAlert(name: name) else {
            cursor.report("must be one of: \(TLSAlert.names.joined(separator: ", "))")
            return nil
        }
        return alert
    }
}
