import CheckEngine
import NetworkTypes
import Testing

@Suite struct AddressSelectionTests {
    /// The first two groups are from RFC 6724 section 10.2, without its examples for home and deprecated addresses.
    @Test(arguments: [
        ("2001:db8:1::1 2001:db8:1::2, 198.51.100.121 169.254.13.78", "2001:db8:1::1 198.51.100.121"),
        ("2001:db8:1::1 fe80::1, 198.51.100.121 198.51.100.117", "198.51.100.121 2001:db8:1::1"),
        ("2001:db8:1::1 2001:db8:1::2, 10.1.2.3 10.1.2.4", "2001:db8:1::1 10.1.2.3"),
        ("2001:db8:1::1 2001:db8:1::2, fe80::1 fe80::2", "fe80::1 2001:db8:1::1"),
        ("2001:db8:1::1 2001:db8:1::2, 2001:db8:3ffe::1 2001:db8:3f44::2", "2001:db8:1::1 2001:db8:3ffe::1"),
        ("2002:c633:6401::1 2002:c633:6401::2, 2001:db8:1::1 2002:c633:6401::2", "2002:c633:6401::1 2001:db8:1::1"),
        ("2002:c633:6401::1 2002:c633:6401::2, 2001:db8:1::1 2001:db8:1::2", "2001:db8:1::1 2002:c633:6401::1"),
        // Rule 1: a destination without a source address is last.
        ("2001:db8::1 -, 10.0.0.1 10.0.0.2", "10.0.0.1 2001:db8::1"),
        ("10.0.0.1 -, 2001:db8::1 -", "2001:db8::1 10.0.0.1"),
        // Rule 2.
        ("2001:db8::1 fe80::1, 2001:db8::2 2001:db8::9", "2001:db8::2 2001:db8::1"),
        ("fec0::1 2001:db8::1, 10.0.0.1 10.0.0.2", "10.0.0.1 fec0::1"),
        // Rule 5: a unique local source address does not match a global destination.
        ("2001:db8::1 fd00::1, 192.0.2.1 10.0.0.2", "192.0.2.1 2001:db8::1"),
        // Rule 6: IPv4 before Teredo, unique local and deprecated prefixes.
        ("2001:0:1::1 2001:0:1::2, 192.0.2.1 10.0.0.2", "192.0.2.1 2001:0:1::1"),
        ("fd00::1 fd00::2, 10.0.0.1 10.0.0.2", "10.0.0.1 fd00::1"),
        ("3ffe::1 3ffe::2, fd00::1 fd00::2", "fd00::1 3ffe::1"),
        ("10.0.0.1 10.0.0.2, ::1 ::1", "::1 10.0.0.1"),
        ("::ffff:10.0.0.1 10.0.0.2, 2001:db8::1 2001:db8::2", "2001:db8::1 ::ffff:10.0.0.1"),
        // Rule 8: loopback and link-local before the others.
        ("10.0.0.1 10.0.0.2, 127.0.0.1 127.0.0.1", "127.0.0.1 10.0.0.1"),
        ("10.0.0.1 10.0.0.2, 169.254.0.1 169.254.0.2", "169.254.0.1 10.0.0.1"),
        // Rule 9: only the first 64 bits, and not for IPv4.
        ("2001:db8::8000 2001:db8::1, 2001:db8::2 2001:db8::1", "2001:db8::8000 2001:db8::2"),
        ("198.51.100.1 10.0.0.2, 10.0.0.1 10.0.0.2", "198.51.100.1 10.0.0.1"),
        // Rule 10.
        ("10.0.0.3 10.0.0.9, 10.0.0.1 10.0.0.9, 10.0.0.2 10.0.0.9", "10.0.0.3 10.0.0.1 10.0.0.2"),
        ("", ""),
    ])
    func sortsByRFC6724(_ candidates: String, order: String) throws {
        let pairs = try candidates.split(separator: ",").map { pair -> (IPAddress, source: IPAddress?) in
            let words = pair.split(separator: " ")
            return (try #require(IPAddress(parsing: words[0])), source: IPAddress(parsing: words[1]))
        }
        #expect(AddressSelection.order(pairs).map(\.text).joined(separator: " ") == order)
        if pairs.count == 2, !candidates.contains("::8000"), !candidates.contains("198.51.100.1 ") {
            #expect(AddressSelection.order(pairs.reversed()).map(\.text).joined(separator: " ") == order)
        }
    }

    @Test(arguments: [
        ("", ""), ("::1", "::1"), ("::1 ::2 10.0.0.1 10.0.0.2", "::1 10.0.0.1 ::2 10.0.0.2"),
        ("10.0.0.1 ::1 ::2 ::3", "10.0.0.1 ::1 ::2 ::3"), ("::1 ::2 ::3 10.0.0.1", "::1 10.0.0.1 ::2 ::3"),
        ("10.0.0.1 10.0.0.2", "10.0.0.1 10.0.0.2"), ("10.0.0.1 10.0.0.2 ::1", "10.0.0.1 ::1 10.0.0.2"),
    ])
    func familiesAlternate(_ addresses: String, order: String) throws {
        let parsed = try addresses.split(separator: " ").map { try #require(IPAddress(parsing: $0)) }
        #expect(AddressSelection.interleave(parsed).map(\.text).joined(separator: " ") == order)
    }

    private static func many(_ fours: Int, _ sixes: Int) -> [IPAddress] {
        (0..<sixes).map { .v6(IPv6Address(bits: UInt128($0))) } + (0..<fours).map { .v4(IPv4Address(bits: UInt32($0))) }
    }

    @Test(arguments: [
        (fours: 128, sixes: 0, keptFours: 128, keptSixes: 0), (129, 0, 128, 0), (4000, 0, 128, 0), (0, 200, 0, 128),
        (500, 500, 64, 64), (1000, 3, 125, 3), (3, 1000, 3, 125), (64, 64, 64, 64), (100, 100, 64, 64),
        (65, 64, 64, 64),
    ])
    func theFirstOfManyAddressesAreKept(fours: Int, sixes: Int, keptFours: Int, keptSixes: Int) {
        let kept = AddressSelection.limit(Self.many(fours, sixes))
        #expect(kept == Self.many(keptFours, keptSixes))
        #expect(AddressSelection.limit(Self.many(fours, sixes).reversed()).count == kept.count)
    }
}
