/// An alert by its number, RFC 8446, 6 (IANA's registry "TLS Alerts").
public struct TLSAlert: Hashable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    /// By the name of the registry: `certificate_required`; nil for a name that is not in it.
    public init?(name: String) {
        guard let entry = Self.registry.first(where: { $0.name == name }) else { return nil }
        code = entry.code
    }

    /// The registry's name; `alert_N` for a number that it has not.
    public var name: String {
        Self.registry.first { $0.code == code }?.name ?? "alert_\(code)"
    }

    /// Every name of the registry, by rising number.
    public static var names: [String] { registry.map(\.name) }

    private static let registry: [(code: UInt8, name: String)] = [
        (0, "close_notify"), (10, "unexpected_message"), (20, "bad_record_mac"), (21, "decryption_failed"),
        (22, "record_overflow"), (30, "decompression_failure"), (40, "handshake_failure"), (41, "no_certificate"),
        (42, "bad_certificate"), (43, "unsupported_certificate"), (44, "certificate_revoked"),
        (45, "certificate_expired"), (46, "certificate_unknown"), (47, "illegal_parameter"), (48, "unknown_ca"),
        (49, "access_denied"), (50, "decode_error"), (51, "decrypt_error"), (60, "export_restriction"),
        (70, "protocol_version"), (71, "insufficient_security"), (80, "internal_error"),
        (86, "inappropriate_fallback"), (90, "user_canceled"), (100, "no_renegotiation"), (109, "missing_extension"),
        (110, "unsupported_extension"), (111, "certificate_unobtainable"), (112, "unrecognized_name"),
        (113, "bad_certificate_status_response"), (114, "bad_certificate_hash_value"), (115, "unknown_psk_identity"),
        (116, "certificate_required"), (120, "no_application_protocol"),
    ]
}
