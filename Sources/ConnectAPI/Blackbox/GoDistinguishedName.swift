/// Distinguished names as Go's `pkix.Name` writes them: in an order of its own, values of one kind together, and what it has
/// no word for by its numbers.
enum GoDistinguishedName {
    /// RFC 2253's form with the kinds that Go knows, in the order in which it writes them.
    private static let order = ["SERIALNUMBER", "CN", "OU", "O", "POSTALCODE", "STREET", "L", "ST", "C"]
    /// Of kinds that can have one value only the last counts.
    private static let single: Set<String> = ["SERIALNUMBER", "CN"]
    private static let words = [
        "serialNumber": "SERIALNUMBER", "postalCode": "POSTALCODE", "street": "STREET",
    ]
    private static let numbers = [
        "emailAddress": "1.2.840.113549.1.9.1", "DC": "0.9.2342.19200300.100.1.25", "UID": "0.9.2342.19200300.100.1.1",
        "SN": "2.5.4.4", "title": "2.5.4.12", "description": "2.5.4.13", "businessCategory": "2.5.4.15",
        "name": "2.5.4.41", "GN": "2.5.4.42", "initials": "2.5.4.43", "dnQualifier": "2.5.4.46",
        "pseudonym": "2.5.4.65",
        "organizationIdentifier": "2.5.4.97", "jurisdictionC": "1.3.6.1.4.1.311.60.2.1.3",
        "jurisdictionST": "1.3.6.1.4.1.311.60.2.1.2", "jurisdictionL": "1.3.6.1.4.1.311.60.2.1.1",
    ]

    /// - Parameter text: as OpenSSL writes it with `-nameopt RFC2253`, but for characters beyond ASCII, which stand as they are.
    static func text(ofRFC2253 text: String) -> String {
        // RFC 2253 begins with the last attribute of the certificate.
        let attributes = Self.attributes(of: text).reversed().map { (kind: words[$0.kind] ?? $0.kind, value: $0.value) }
        var parts: [String] = []
        for kind in order {
            let values = attributes.filter { $0.kind == kind }.map { "\(kind)=\($0.value)" }
            if values.isEmpty { continue }
            parts.append(single.contains(kind) ? values[values.count - 1] : values.joined(separator: "+"))
        }
        // Behind them the others, the last one first.
        for attribute in attributes.reversed() where !order.contains(attribute.kind) {
            parts.append(other(attribute.kind, attribute.value))
        }
        return parts.joined(separator: ",")
    }

    private static func attributes(of text: String) -> [(kind: String, value: String)] {
        var attributes: [(kind: String, value: String)] = []
        for part in split(text) {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { continue }
            attributes.append((String(halves[0]), String(halves[1])))
        }
        return attributes
    }

    /// The parts between commas and plus signs that no backslash stands before.
    private static func split(_ text: String) -> [String] {
        var parts = [""]
        var isEscaped = false
        for character in text {
            if !isEscaped, character == "," || character == "+" {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
            isEscaped = !isEscaped && character == "\\"
        }
        return parts
    }

    /// `1.2.840.113549.1.9.1=#0c05…`: the value in DER, as Go would encode the text.
    private static func other(_ kind: String, _ value: String) -> String {
        guard let number = numbers[kind] else { return "\(kind)=\(value)" }
        let bytes = unescaped(value)
        let tag: UInt8 = bytes.allSatisfy(isPrintable) ? 0x13 : 0x0C
        let length: [UInt8] =
            bytes.count < 128
            ? [UInt8(bytes.count)]
            : bytes.count < 256
                ? [0x81, UInt8(bytes.count)] : [0x82, UInt8(bytes.count >> 8 & 0xFF), UInt8(bytes.count & 0xFF)]
        let hex = ([tag] + length + bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\(number)=#\(hex)"
    }

    /// Undoes RFC 2253's escapes: a backslash before a character, or before the two digits of a byte.
    private static func unescaped(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = rest.first else {
                bytes.append(byte)
                continue
            }
            if let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16), rest.count >= 2 {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(next)
                rest = rest.dropFirst()
            }
        }
        return bytes
    }

    /// PrintableString of X.680, with the asterisk and the ampersand that Go takes too when it reads, not when it writes.
    private static func isPrintable(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "'")...UInt8(ascii: ")"),
            UInt8(ascii: "+")...UInt8(ascii: "/"), UInt8(ascii: " "), UInt8(ascii: ":"), UInt8(ascii: "="),
            UInt8(ascii: "?"):
            true
        default: false
        }
    }
}
