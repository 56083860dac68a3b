internal import CIdn2

/// Internationalized domain names (IDN): their ASCII form, by UTS 46 (nontransitional) and IDNA2008.
public enum InternationalName {
    /// Returns a name in ASCII: mapped to lowercase and NFC, and with `xn--` labels instead of others.
    ///
    /// - Parameter name: Its labels are separated by any dot of UTS 46, such as U+3002.
    /// - Throws: Why the name is not an IDN, or why its ASCII form is not a host name.
    public static func ascii(_ name: String) throws(TargetError) -> String {
        guard name.utf8.count <= longestName else { throw tooLong }
        for scalar in name.unicodeScalars { try refuse(scalar) }
        // UTS 46 alone would also accept a few symbols and underscores, which IDNA2008 does not.
        let mapped: String
        do throws(Failure) {
            mapped = try lookUp(name, connectd_idn2_mapped).get()
            _ = try lookUp(mapped, connectd_idn2_strict).get()
        } catch {
            throw error.isShortage ? noMemory : reason(against: name)
        }
        if IPv4Address(parsing: mapped) != nil {
            throw TargetError("an address must be written in ASCII digits: write \(mapped)", member: .host)
        }
        do throws(TargetError) {
            try mapped.utf8.span.refuseWhatIsNoHostName()
        } catch {
            throw TargetError("\(error.detail); in ASCII it is \"\(VisibleText.of(mapped))\"", member: .host)
        }
        return mapped
    }

    /// Refuses an ASCII label that begins with `xn--` but cannot be the ASCII form of any name.
    ///
    /// A label for a character that IDNA2008 does not allow, such as an emoji, is accepted: there are
    /// registered names of that kind, and this is the form in which DNS knows them.
    static func refuseBadLabel(_ label: Span<UInt8>) throws(TargetError) {
        let text = label.decoded()
        guard case .failure(let failure) = lookUp(text, connectd_idn2_mapped), failure.code != IDN2_DISALLOWED.rawValue
        else { return }
        if failure.isShortage { throw noMemory }
        throw TargetError(
            "the label \"\(text)\" begins with xn-- but is not the ASCII form of an international label", member: .host)
    }

    /// More than any name of 253 bytes in ASCII has in UTF-8: the limit bounds the work for a name.
    private static let longestName = 4096

    private static let tooLong = TargetError("the host name must have at most 253 bytes in ASCII", member: .host)

    private static let noMemory = TargetError("the host name cannot be checked: no memory is left", member: .host)

    private static func refuse(_ scalar: Unicode.Scalar) throws(TargetError) {
        if scalar.isASCII {
            let byte = UInt8(truncatingIfNeeded: scalar.value)
            if byte != .dot { try byte.refuseInLabel() }
            return
        }
        let properties = scalar.properties
        if properties.generalCategory == .control {
            throw TargetError("must not contain a control character, got \(scalar.codePoint)", member: .host)
        }
        if properties.isWhitespace {
            throw TargetError("must not contain white space, got \(scalar.codePoint)", member: .host)
        }
        // UTS 46 removes them; then a name would not be what it looks like. IDNA2008 allows the two joiners in some
        // scripts.
        let isJoiner = scalar == "\u{200C}" || scalar == "\u{200D}"
        if properties.isDefaultIgnorableCodePoint, !isJoiner {
            throw TargetError(
                "the host must not contain invisible characters, got \(scalar.codePoint)", member: .host)
        }
    }
}

// MARK: libidn2

extension InternationalName {
    private struct Failure: Error {
        /// A code of libidn2: never IDN2_OK.
        let code: Int32

        var isShortage: Bool { code == IDN2_MALLOC.rawValue }
    }

    private static func lookUp(_ name: String, _ flags: Int32) -> Result<String, Failure> {
        var output: UnsafeMutablePointer<UInt8>?
        let code = name.withCString { text in
            text.withMemoryRebound(to: UInt8.self, capacity: name.utf8.count + 1) { idn2_lookup_u8($0, &output, flags) }
        }
        guard code == IDN2_OK.rawValue, let output else { return .failure(Failure(code: code)) }
        defer { idn2_free(output) }
        return .success(String(cString: output))
    }

    /// Finds the label that is not valid, and says why.
    private static func reason(against name: String) -> TargetError {
        let labels = name.unicodeScalars.split { $0 == "." || $0 == "\u{3002}" || $0 == "\u{FF0E}" || $0 == "\u{FF61}" }
        for label in labels {
            if let failure = failure(of: String(label)) { return error(failure.code, label: String(label)) }
        }
        return tooLong
    }

    private static func failure(of label: String) -> Failure? {
        switch lookUp(label, connectd_idn2_mapped) {
        case .failure(let failure): return failure
        case .success(let mapped):
            guard case .failure(let failure) = lookUp(mapped, connectd_idn2_strict) else { return nil }
            return failure
        }
    }

    private static func error(_ code: Int32, label: String) -> TargetError {
        let detail =
            switch code {
            case IDN2_DISALLOWED.rawValue, IDN2_UNASSIGNED.rawValue, IDN2_INVALID_NONTRANSITIONAL.rawValue:
                "has \(disallowedCharacter(in: label) ?? "a character"), which IDNA2008 does not allow; if the name is "
                    + "registered, write its xn-- form"
            case IDN2_PUNYCODE_BIG_OUTPUT.rawValue, IDN2_TOO_BIG_LABEL.rawValue, IDN2_TOO_BIG_DOMAIN.rawValue:
                "must have at most 63 bytes in ASCII"
            case IDN2_PUNYCODE_BAD_INPUT.rawValue, IDN2_PUNYCODE_OVERFLOW.rawValue, IDN2_INVALID_ALABEL.rawValue:
                "begins with xn-- but is not the ASCII form of an international label"
            case IDN2_2HYPHEN.rawValue: "must not have hyphens as its third and fourth characters"
            case IDN2_HYPHEN_STARTEND.rawValue: "must not begin or end with a hyphen"
            case IDN2_LEADING_COMBINING.rawValue: "must not begin with a combining mark"
            case IDN2_CONTEXTJ.rawValue, IDN2_CONTEXTJ_NO_RULE.rawValue:
                "has a joiner (U+200C or U+200D) where its script does not allow it"
            case IDN2_CONTEXTO.rawValue, IDN2_CONTEXTO_NO_RULE.rawValue:
                "has a character that IDNA2008 allows only next to certain others"
            case IDN2_BIDI.rawValue: "breaks the rules for right-to-left text (RFC 5893)"
            default: "is not an IDN: \(String(cString: idn2_strerror(code)))"
            }
        return TargetError("the label \"\(VisibleText.excerpt(of: label))\" \(detail)", member: .host)
    }

    /// The first character that is not allowed on its own, such as `U+1F4A9`; nil if there is none among the first.
    private static func disallowedCharacter(in label: String) -> String? {
        label.unicodeScalars.prefix(longestLabel).first { scalar in
            guard !scalar.isASCII, let failure = failure(of: String(scalar)) else { return false }
            return failure.code == IDN2_DISALLOWED.rawValue || failure.code == IDN2_UNASSIGNED.rawValue
        }?.codePoint
    }

    private static let longestLabel = 63
}

extension Unicode.Scalar {
    /// The number as Unicode writes it: `U+00FC`.
    fileprivate var codePoint: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
