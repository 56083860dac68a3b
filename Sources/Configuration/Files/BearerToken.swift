package import AccessPolicy
internal import COpenSSL
internal import Glibc
internal import NetworkTypes

/// A token for `Authorization: Bearer …`, RFC 6750.
package struct BearerToken: Sendable {
    /// The client's name for logs and metrics: 1 … 64 letters, digits, `.`, `_`, `-`. Unique among the tokens.
    package let name: String
    /// The SHA-256 digest of the token.
    package let digest: Secret
    /// When the token expires, in seconds since 1970; nil if it never does.
    package var expiry: Int64?
    /// The resources that the token opens.
    package var scopes = Set(TokenScope.allCases)
    /// The policy profile of the token's requests; nil for the profile of the configuration. The rules are the same.
    package var profile: Policy.Profile?

    package init(name: String, digest: Secret) {
        self.name = name
        self.digest = digest
    }

    /// The same token with the profile of the configuration.
    package var withoutProfile: BearerToken {
        var token = self
        token.profile = nil
        return token
    }

    /// - Parameter seconds: since 1970.
    package func isExpired(at seconds: Int64) -> Bool { expiry.map { $0 <= seconds } ?? false }
}

/// A group of resources that a token opens.
package enum TokenScope: String, CaseIterable, Sendable {
    /// Checks, batches, routes and everything else that a request runs.
    case checks
    /// `/v1/probe`, `/probe` and the pages about recent probes.
    case probe
    /// `/metrics` and the state of monitors.
    case metrics
    /// Reload, and the configuration of modules.
    case admin
}

/// The digest under which a tokens file stores a token.
package enum TokenDigest {
    /// Begins a digest in the file.
    package static let prefix = "sha256:"

    /// SHA-256.
    package static func digest(of token: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        SHA256(token, token.count, &digest)
        return digest
    }

    /// The digest as it is in the file.
    package static func text(of digest: [UInt8]) -> String {
        prefix + HexText.text(digest)
    }

    /// Reads `sha256:` and 64 hexadecimal digits; nil for anything else.
    static func read(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let digits = text.dropFirst(prefix.utf8.count).map { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 2 * Int(SHA256_DIGEST_LENGTH) else { return nil }
        var digest: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            digest.append(UInt8(high << 4 | low))
        }
        return digest
    }
}

/// An option after the token on its line: `expires=2027-01-31`, `scope=checks,probe`, `profile=public`.
package enum TokenOption {
    /// Reads an option into the token. Messages do not quote the option, because it could be a part of a token.
    static func apply(_ word: ArraySlice<UInt8>, to token: inout BearerToken) throws(ValueRefusal) {
        let parts = word.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 2 else { throw unknown }
        switch parts[0] {
        case "expires":
            guard token.expiry == nil else { throw ValueRefusal("has expires= twice") }
            token.expiry = try expiry(parts[1])
        case "scope":
            guard token.scopes.count == TokenScope.allCases.count else { throw ValueRefusal("has scope= twice") }
            token.scopes = try scopes(parts[1])
        case "profile":
            guard token.profile == nil else { throw ValueRefusal("has profile= twice") }
            token.profile = try profile(parts[1])
        case _: throw unknown
        }
    }

    private static var unknown: ValueRefusal {
        ValueRefusal(
            "has text after the token that is not an option: write expires=2027-01-31, scope=checks,probe or profile=public"
        )
    }

    /// The scopes of a comma-separated list.
    package static func scopes(_ text: String) throws(ValueRefusal) -> Set<TokenScope> {
        var scopes: Set<TokenScope> = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let scope = TokenScope(rawValue: String(word)) else {
                throw ValueRefusal(
                    "has a scope that is not one of \(TokenScope.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            scopes.insert(scope)
        }
        return scopes
    }

    package static func profile(_ text: String) throws(ValueRefusal) -> Policy.Profile {
        guard let profile = Policy.Profile(rawValue: text) else {
            let names = Policy.Profile.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValueRefusal("has a profile that is not one of \(names)")
        }
        return profile
    }

    /// The time of `2027-01-31` (its beginning in UTC) or `2027-01-31T18:00:00Z`, in seconds since 1970.
    package static func expiry(_ text: String) throws(ValueRefusal) -> Int64 {
        let parts = text.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        let date = numbers(parts[0], separator: "-", widths: [4, 2, 2])
        let time = parts.count == 1 ? [0, 0, 0] : clock(parts[1])
        if let date, let time, date[0] >= 1970, time[0] < 24, time[1] < 60, time[2] < 60 {
            var fields = tm()
            (fields.tm_year, fields.tm_mon, fields.tm_mday) = (date[0] - 1900, date[1] - 1, date[2])
            (fields.tm_hour, fields.tm_min, fields.tm_sec) = (time[0], time[1], time[2])
            let seconds = timegm(&fields)
            // timegm(3) accepts 31 April, and makes it 1 May.
            if fields.tm_mday == date[2], fields.tm_mon == date[1] - 1 { return Int64(seconds) }
        }
        throw ValueRefusal("has an expiry that is not a date such as 2027-01-31 or 2027-01-31T18:00:00Z")
    }

    private static func clock(_ text: Substring) -> [Int32]? {
        text.last == "Z" ? numbers(text.dropLast(), separator: ":", widths: [2, 2, 2]) : nil
    }

    /// Reads decimal numbers with exactly these numbers of digits.
    private static func numbers(_ text: Substring, separator: Character, widths: [Int]) -> [Int32]? {
        let parts = text.split(separator: separator, omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == widths, parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else {
            return nil
        }
        return parts.compactMap { Int32($0) }
    }
}
