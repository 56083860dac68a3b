internal import COpenSSL

/// Whether a certificate is valid for a host name by RFC 9525, 6.3: the rules of browsers, curl and Go.
///
/// OpenSSL's own comparison decides first. It does not accept an underscore in the label that a wildcard matches, or
/// next to a wildcard. Such names are in use, so this type accepts them. Only subject alternative names count, never
/// the common name.
/// such names are in use; this one does. Only subject alternative names count, never the common name.
enum HostNameMatch {
    /// - Parameter certificate: an X509, owned by the caller.
    /// - Parameter host: without a trailing dot.
    static func certificate(_ certificate: OpaquePointer, isFor host: String) -> Bool {
        var found = false
        let host = Array(host.utf8)
        forEachName(of: certificate) { name in
            if name.type == GEN_DNS, matches(pattern: bytes(of: name)[...], host: host[...]) { found = true }
        }
        return found
    }

    /// Whether a certificate has any name for a host: a DNS name or an address.
    static func hasHostNames(_ certificate: OpaquePointer) -> Bool {
        var found = false
        forEachName(of: certificate) { name in
            if name.type == GEN_DNS || name.type == GEN_IPADD { found = true }
        }
        return found
    }

    /// - Parameter pattern: a DNS name of a certificate. A wildcard is the whole leftmost label, matches one label, and
    /// at least two labels follow it.
    static func matches(pattern: ArraySlice<UInt8>, host: ArraySlice<UInt8>) -> Bool {
        guard let pattern = labels(of: pattern), let host = labels(of: host), pattern.count == host.count else {
            return false
        }
        guard host.allSatisfy(isHostLabel), pattern.dropFirst().allSatisfy(isHostLabel) else { return false }
        if pattern[0] == wildcard { return pattern.count >= 3 && pattern.dropFirst() == host.dropFirst() }
        return isHostLabel(pattern[0]) && pattern == host
    }

    private static let wildcard = [UInt8(ascii: "*")]

    /// The labels in lowercase; nil if one is empty.
    private static func labels(of name: ArraySlice<UInt8>) -> [[UInt8]]? {
        let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map { label in
            label.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        }
        return labels.contains([]) ? nil : labels
    }

    private static func isHostLabel(_ label: [UInt8]) -> Bool {
        label.allSatisfy { byte in
            switch byte {
            case 0x61...0x7A, 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "_"): true
            case _: false
            }
        }
    }

    private static func forEachName(of certificate: OpaquePointer, _ body: (GENERAL_NAME) -> Void) {
        defer { ERR_clear_error() }
        // An extension may occur only once. A certificate that breaks this rule has no names, as for OpenSSL.
        guard let value = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return }
        let names = OpaquePointer(value)
        defer { GENERAL_NAMES_free(names) }
        for index in 0..<max(connectd_general_name_count(names), 0) {
            if let name = connectd_general_name_at(names, index) { body(name.pointee) }
        }
    }

    private static func bytes(of name: GENERAL_NAME) -> [UInt8] {
        guard let string = name.d.ia5, let data = ASN1_STRING_get0_data(string) else { return [] }
        return Array(UnsafeBufferPointer(start: data, count: Int(max(ASN1_STRING_length(string), 0))))
    }
}
