import AccessPolicy
import NetworkTypes
import Testing

@Suite struct EmbeddedIPv4Tests {
    @Test(
        arguments: [
            ("169.254.169.254", []), ("2001:db8::a9fe:a9fe", []), ("::", []), ("::1", []), ("fd00:ec2::254", []),
            ("::ffff:169.254.169.254", ["169.254.169.254"]), ("::169.254.169.254", ["169.254.169.254"]),
            ("::ffff:0:169.254.169.254", ["169.254.169.254"]), ("64:ff9b::169.254.169.254", ["169.254.169.254"]),
            ("64:ff9b:1::169.254.169.254", ["169.254.169.254"]),
            ("64:ff9b:1:abcd::169.254.169.254", ["171.205.0.0", "205.0.0.0", "169.254.169.254"]),
            ("64:ff9b:1:a9fe:a9:fe00::", ["169.254.169.254", "254.169.254.0", "169.254.0.0"]),
            ("64:ff9b:1::", ["0.0.0.0"]), ("2002:a9fe:a9fe::1", ["169.254.169.254"]),
            ("2001:0:a9fe:a9fe:0:1234:5601:5601", ["169.254.169.254"]),
            ("2001:0:102:304:8000:1:5601:5601", ["1.2.3.4", "169.254.169.254"]),
            ("2001:db8::5efe:169.254.169.254", ["169.254.169.254"]),
            ("2001:db8::200:5efe:169.254.169.254", ["169.254.169.254"]),
            ("fe80::5efe:10.0.0.1", ["10.0.0.1"]), ("2002:102:304::5efe:10.0.0.1", ["10.0.0.1", "1.2.3.4"]),
            ("::2", ["0.0.0.2"]),
            ("64:ff9b:2::169.254.169.254", []), ("64:ff9b:0:1::1.2.3.4", []),
        ] as [(String, [String])])
    func findsEveryEmbeddedForm(_ text: String, inside: [String]) throws {
        let address = try #require(IPAddress(parsing: text))
        #expect(address.embeddedIPv4().map(\.text) == inside)
    }

    /// The examples of RFC 6052 section 2.4.
    @Test(arguments: [
        ("2001:db8::/32", "2001:db8:c000:221::"), ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
        ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"), ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
    ])
    func readsConfiguredPrefixesOfEveryLength(_ prefix: String, text: String) throws {
        let prefix = try NAT64Prefix(AddressRange(parsing: prefix))
        let address = try #require(IPAddress(parsing: text))
        #expect(address.embeddedIPv4(nat64Prefixes: [prefix]).map(\.text) == ["192.0.2.33"])
        #expect(address.embeddedIPv4() == [])
    }

    @Test func aConfiguredPrefixReplacesTheGuessedLength() throws {
        let prefix = try NAT64Prefix(AddressRange(parsing: "64:ff9b:1:abcd::/96"))
        let address = try #require(IPAddress(parsing: "64:ff9b:1:abcd::8.8.8.8"))
        #expect(address.embeddedIPv4(nat64Prefixes: [prefix]).map(\.text) == ["8.8.8.8"])
    }

    @Test(arguments: ["10.0.0.0/32", "2001:db8::/33", "2001:db8::/128", "::/0"])
    func otherBlocksAreNotPrefixes(_ text: String) {
        #expect(throws: AddressRangeError.self) { try NAT64Prefix(AddressRange(parsing: text)) }
    }
}
