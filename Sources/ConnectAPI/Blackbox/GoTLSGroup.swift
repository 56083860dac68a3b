/// A key exchange group as Go's `tls.CurveID` names and numbers it.
struct GoTLSGroup: Equatable {
    let name: String
    /// The code point in IANA's registry "TLS Supported Groups".
    let id: Int

    init(name: String, id: Int) {
        self.name = name
        self.id = id
    }

    /// - Parameter name: the group's name in a TLS report.
    /// - Returns: nil for a group without a code point, as with the parameters that a TLS 1.2 server makes itself.
    init?(ofReport name: String) {
        guard let group = Self.groups[name.lowercased()] else { return nil }
        self = group
    }

    /// The groups by IANA's names in lower case. Go does not have the numbered ones; they keep IANA's names.
    private static let groups: [String: GoTLSGroup] = {
        var groups: [String: GoTLSGroup] = [
            "secp256r1": GoTLSGroup(name: "CurveP256", id: 23), "prime256v1": GoTLSGroup(name: "CurveP256", id: 23),
            "secp384r1": GoTLSGroup(name: "CurveP384", id: 24), "secp521r1": GoTLSGroup(name: "CurveP521", id: 25),
            "x25519": GoTLSGroup(name: "X25519", id: 29),
            "secp256r1mlkem768": GoTLSGroup(name: "SecP256r1MLKEM768", id: 4587),
            "x25519mlkem768": GoTLSGroup(name: "X25519MLKEM768", id: 4588),
            "secp384r1mlkem1024": GoTLSGroup(name: "SecP384r1MLKEM1024", id: 4589),
        ]
        let numbered: [(name: String, id: Int)] = [
            ("secp224r1", 21), ("secp256k1", 22), ("brainpoolp256r1", 26), ("brainpoolp384r1", 27),
            ("brainpoolp512r1", 28), ("x448", 30), ("brainpoolp256r1tls13", 31), ("brainpoolp384r1tls13", 32),
            ("brainpoolp512r1tls13", 33), ("ffdhe2048", 256), ("ffdhe3072", 257), ("ffdhe4096", 258),
            ("ffdhe6144", 259), ("ffdhe8192", 260), ("mlkem512", 512), ("mlkem768", 513), ("mlkem1024", 514),
        ]
        for (name, id) in numbered { groups[name] = GoTLSGroup(name: name, id: id) }
        return groups
    }()
}
