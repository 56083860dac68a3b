internal import COpenSSL
internal import NetworkTypes

/// Texts from certificates, made safe to show.
enum CertificateText {
    /// The maximum length of each text, including the ellipsis.
    static let shownBytes = 1024

    /// A serial number as `openssl x509 -serial` and crt.sh show it, in lowercase. Each octet of its magnitude has two
    /// digits, a negative number begins with `-`, and zero is `00`.
    /// - Parameter number: an ASN1_INTEGER, owned by the caller.
    static func serial(_ number: UnsafePointer<ASN1_STRING>?) -> String {
        guard let number, let data = ASN1_STRING_get0_data(number), ASN1_STRING_length(number) > 0 else { return "00" }
        let octets = Array(UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(number))))
        let sign = ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER ? "-" : ""
        return sign + HexText.text(octets.prefix(shownBytes / 2))
    }

    /// A distinguished name in the form of RFC 2253, as `openssl x509 -nameopt RFC2253,-esc_msb` shows it.
    ///
    /// Characters outside of ASCII are UTF-8. Only those that are not printable are escaped as in RFC 2253.
    static func name(_ name: OpaquePointer?) -> String {
        let readable = print(name, flags: connectd_name_readable)
        if let text = String(validating: readable, as: UTF8.self) {
            return cut(text.unicodeScalars.allSatisfy(isPrintable) ? text : escapeUnprintable(text))
        }
        return cut(String(decoding: print(name, flags: connectd_name_ascii), as: UTF8.self))
    }

    /// Escapes bytes that should be ASCII: others become `\xNN`, and backslashes are doubled.
    static func escape(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.prefix(shownBytes + 1).reduce(into: "") { text, byte in
            switch byte {
            case UInt8(ascii: "\\"): text += "\\\\"
            case 0x20...0x7E: text.unicodeScalars.append(UnicodeScalar(byte))
            case _: text += (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16, uppercase: true)
            }
        }
    }

    /// `\NN` for each byte of a character that is not printable.
    private static func escapeUnprintable(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            if isPrintable(scalar) {
                escaped.unicodeScalars.append(scalar)
            } else {
                escaped += UTF8.encode(scalar).map { $0.map { "\\" + HexText.text([$0]).uppercased() }.joined() } ?? ""
            }
        }
        return escaped
    }

    /// Valid UTF-8 unchanged; `escape` replaces invalid bytes and characters that are not printable.
    static func text(_ bytes: ArraySlice<UInt8>) -> String {
        guard
            let text = String(validating: bytes, as: UTF8.self), text.unicodeScalars.allSatisfy(isPrintable)
        else { return escape(bytes) }
        return text
    }

    /// The long name of an object, or its OID: `sha256WithRSAEncryption`.
    static func objectName(_ object: OpaquePointer?, asNumbers: Bool = false) -> String {
        guard let object else { return "unknown" }
        var buffer = [CChar](repeating: 0, count: shownBytes / 4)
        guard OBJ_obj2txt(&buffer, Int32(buffer.count), object, asNumbers ? 1 : 0) > 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Truncates to at most `limit` bytes of UTF-8, with an ellipsis if text is missing.
    static func cut(_ text: String, to limit: Int = shownBytes) -> String {
        guard text.utf8.count > limit else { return text }
        var count = 0
        let scalars = text.unicodeScalars.prefix { scalar in
            count += UTF8.width(scalar)
            return count <= limit - 3
        }
        return String(scalars) + "…"
    }

    /// Whether the character is printable: it neither controls a terminal nor changes the direction of text (Unicode's
    /// categories Cc, Cf, Zl, Zp, Cs, Co, Cn).
    private static func isPrintable(_ scalar: UnicodeScalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
        case _: return true
        }
    }

    private static func print(_ name: OpaquePointer?, flags: UInt) -> [UInt8] {
        guard let name, let bio = BIO_new(BIO_s_mem()) else { return [] }
        defer { BIO_free(bio) }
        X509_NAME_print_ex(bio, name, 0, flags)
        var start: UnsafeMutablePointer<CChar>?
        let count = connectd_memory_of(bio, &start)
        guard let start, count > 0 else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}

/// The name of a certificate's holder in a log line.
package enum CertificateName {
    /// The maximum length in bytes of UTF-8.
    static let longest = 64

    /// The subject's common name, else the first alternative name, else the serial number. It is printable and
    /// truncated.
    /// - Parameter certificate: an X509, owned by the caller.
    package static func short(of certificate: OpaquePointer) -> String {
        defer { ERR_clear_error() }
        let name = commonName(of: certificate) ?? AlternativeNames(of: certificate).listed.first
        return CertificateText.cut(
            name ?? "serial:" + CertificateText.serial(X509_get0_serialNumber(certificate)), to: longest)
    }

    private static func commonName(of certificate: OpaquePointer) -> String? {
        guard let subject = X509_get_subject_name(certificate) else { return nil }
        let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(subject, index) else { return nil }
        var start: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&start, X509_NAME_ENTRY_get_data(entry))
        guard let start else { return nil }
        defer { CRYPTO_free(start, nil, 0) }
        guard count > 0 else { return nil }
        return CertificateText.text(Array(UnsafeBufferPointer(start: start, count: Int(count)))[...])
    }
}
