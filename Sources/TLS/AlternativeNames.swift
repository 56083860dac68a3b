internal import COpenSSL
internal import NetworkTypes

/// The subjectAltName of a certificate, RFC 5280, 4.2.1.6.
struct AlternativeNames {
    /// The limit of listed names. A certificate can have ten thousand.
    static let listedCount = 100

    private(set) var listed: [String] = []
    private(set) var furtherCount = 0

    /// - Parameter certificate: an X509, owned by the caller.
    init(of certificate: OpaquePointer) {
        var index: Int32 = -1
        var criticality: Int32 = 0
        repeat {
            let extensionValue = X509_get_ext_d2i(certificate, NID_subject_alt_name, &criticality, &index)
            if let names = extensionValue.map(OpaquePointer.init) {
                add(names)
                GENERAL_NAMES_free(names)
            }
            // -1 after the last one. An extension may occur only once; if a certificate breaks this rule, all of them
            // are shown.
        } while criticality >= 0
    }

    private mutating func add(_ names: OpaquePointer) {
        let count = connectd_general_name_count(names)
        for index in 0..<max(count, 0) {
            guard listed.count < Self.listedCount else {
                furtherCount += Int(count - index)
                return
            }
            if let name = connectd_general_name_at(names, index) { listed.append(Self.text(of: name.pointee)) }
        }
    }

    private static func text(of name: GENERAL_NAME) -> String {
        CertificateText.cut(prefix(of: name.type) + value(of: name))
    }

    private static func prefix(of type: Int32) -> String {
        switch type {
        case GEN_DNS: "DNS:"
        case GEN_IPADD: "IP:"
        case GEN_URI: "URI:"
        case GEN_EMAIL: "email:"
        case GEN_DIRNAME: "DirName:"
        case GEN_RID: "RegisteredID:"
        case GEN_OTHERNAME: "otherName:"
        case GEN_X400: "X400Name:"
        case GEN_EDIPARTY: "EdiPartyName:"
        case _: "type \(type):"
        }
    }

    private static func value(of name: GENERAL_NAME) -> String {
        switch name.type {
        case GEN_DNS, GEN_URI, GEN_EMAIL: CertificateText.escape(bytes(name.d.ia5)[...])
        case GEN_IPADD: address(bytes(name.d.iPAddress))
        case GEN_DIRNAME: CertificateText.name(name.d.directoryName)
        case GEN_RID: CertificateText.objectName(name.d.registeredID, asNumbers: true)
        case GEN_OTHERNAME: name.d.otherName.map { other($0.pointee) } ?? ""
        case _: "not shown"
        }
    }

    /// The type, and the value if it is a UTF8String, as in Windows names and internationalized addresses.
    private static func other(_ name: OTHERNAME) -> String {
        let type = CertificateText.objectName(name.type_id, asNumbers: true)
        guard let value = name.value?.pointee, value.type == V_ASN1_UTF8STRING else { return type }
        return type + ":" + CertificateText.text(bytes(value.value.utf8string)[...])
    }

    private static func address(_ octets: [UInt8]) -> String {
        switch octets.count {
        case 4: IPv4Address(bits: octets.reduce(0) { $0 << 8 | UInt32($1) }).text
        case 16: IPv6Address(bits: octets.reduce(0) { $0 << 8 | UInt128($1) }).text
        case _: "invalid " + HexText.text(octets.prefix(CertificateText.shownBytes / 2))
        }
    }

    private static func bytes(_ string: UnsafeMutablePointer<ASN1_STRING>?) -> [UInt8] {
        guard let string, let data = ASN1_STRING_get0_data(string) else { return [] }
        return Array(UnsafeBufferPointer(start: data, count: Int(max(ASN1_STRING_length(string), 0))))
    }
}
