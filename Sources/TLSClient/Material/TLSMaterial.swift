/// What the configuration lends to handshakes, by the names that requests use.
public final class TLSMaterial: Sendable {
    /// `tls.ca`.
    public let authorities: [String: TrustAnchors]
    /// `tls.client_certificate`.
    public let clientCertificates: [String: ClientCertificate]

    public init(
        authorities: [String: TrustAnchors] = [:], clientCertificates: [String: ClientCertificate] = [:]
    ) {
        self.authorities = authorities
        self.clientCertificates = clientCertificates
    }
}
