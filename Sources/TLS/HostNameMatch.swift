internal import COpenSSL

/// Whether a certificate is for a host name, by RFC 9525, 6.3: what browsers, curl and Go accept.
///
/// OpenSSL's own comparison decides first. It has no underscore in what a wildcard stands for, nor next to a wildcard, although
/// such names are in use; this one does. Only subject alternative names count, never the common name.
enum HostNameMatch {
    /// - Parameter certificate: an X509 of OpenSSL, which stays the caller's.
    /// - Parameter host: without a dot at its end.
    static func certificate(_ certificate: OpaquePointer, isFor host: String) -> Bool {
        var found = false
        let host = Array(host.utf8)
        forEachName(of: certificate) { name in
            if name.type == GEN_DNS, matches(pattern: bytes(of: name)[...], host: host[...]) { found = true }
        }
        return found
    }

    /// Whether a certificate has a name that a host could have: a DNS name or an address.
    static func hasHostNames(_ certificate: OpaquePointer) -> Bool {
        var found = false
        forEachName(of: certificate) { name in
            if name.type == GEN_DNS || name.type == GEN_IPADD { found = true }
        }
        return found
    }

    /// - Parameter pattern: a DNS name of a certificate. A wildcard is the whole leftmost label, stands for one label, and has
    ///   two labels or more after it.
    static func matches(pattern: ArraySlice<UInt8>, host: ArraySlice<UInt8>) -> Bool {
        guard let pattern = labels(of: pattern), let host = labels(of: host), pattern.count == host.count else {
            return false
        }
        guard host.allSatisfy(isHostLabel), pattern.dropFirst().allSatisfy(isHostLabel) else { return false }
        if pattern[0] == wildcard { return pattern.count >= 3 && pattern.dropFirst() == host.dropFirst() }
        return isHostLabel(pattern[0]) && pattern == host
    }

    private static let wildcard = [UInt8(ascii: "*")]

    /// The labels in small letters; nil where one is empty.
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
        // An extension may only be there once: a certificate that breaks that has no names, as for OpenSSL.
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
