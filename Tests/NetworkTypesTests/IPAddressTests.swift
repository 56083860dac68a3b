import NetworkTypes
import TestSupport
import Testing

@Suite struct IPAddressTests {
    @Test(arguments: [
        "", "1", "1.2", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.", "1.2.3.4.5", "1..2.3", "01.2.3.4", "1.2.3.00",
        "256.1.1.1",
        "1.2.3.1000", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "1.2.3.4 ", " 1.2.3.4", "+1.2.3.4", "1.2.3.-4",
        "1.2.3.4%eth0", "1.2.3.4/8", "1.2.3.a", "１.2.3.4", "1.2.3.4\0", ":", ":::", "::1::", "1:2:3:4:5:6:7",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "::1.2.3",
        "::1.2.3.4.5", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::01.2.3.4", "[::1]", "::1 ",
        "::ffff:256.1.1.1",
        "::1%", "::1%lo", "2001:db8::1%eth0", "::ffff:127.0.0.1%lo", "fe80::1%", "fe80::1%a/b", "fe80::1%a b",
        "fe80::1%a%b",
        "fe80::1%.", "fe80::1%..", "fe80::1%abcdefghijklmnop", "fe80::1%é", "%eth0", "fe80::1%a:b", "::1/128",
        "1::2::3",
    ])
    func isNotAnAddress(_ text: String) {
        #expect(IPAddress(parsing: text) == nil)
    }

    @Test(arguments: [
        ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("1.20.103.4", "1.20.103.4"), ("::", "::"),
        ("::1", "::1"), ("0:0:0:0:0:0:0:1", "::1"), ("2001:DB8::1", "2001:db8::1"),
        ("2001:0db8:0:0:0:0:2:1", "2001:db8::2:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("1::", "1::"), ("1:0:0:4::8", "1:0:0:4::8"), ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("::ffff:102:304", "::ffff:1.2.3.4"),
        ("::1.2.3.4", "::1.2.3.4"), ("::ffff:0:1.2.3.4", "::ffff:0:1.2.3.4"), ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("1::3:4:5:6:1.2.3.4", "1:0:3:4:5:6:102:304"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("FE80::1%Eth0.5", "fe80::1%Eth0.5"), ("ff02::1%2", "ff02::1%2"), ("febf::%25eth0", "febf::%25eth0"),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ("::7f", "::7f"),
    ])
    func isWrittenAsInRFC5952(_ text: String, canonical: String) throws {
        let address = try #require(IPAddress(parsing: text))
        #expect(address.text == canonical)
        #expect(IPAddress(parsing: address.text) == address)
    }

    @Test func substringsAreReadInPlace() {
        let text = "[::1]:80 10.0.0.1"
        #expect(IPAddress(parsing: text.dropFirst(9))?.text == "10.0.0.1")
        #expect(IPAddress(parsing: text.dropFirst().prefix(3))?.text == "::1")
    }

    @Test func endpointsBracketIPv6() throws {
        let v6 = IPEndpoint(address: try #require(IPAddress(parsing: "fe80::1%lo")), port: 80)
        #expect(v6.text == "[fe80::1%lo]:80")
        #expect(IPEndpoint(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 8080).text == "127.0.0.1:8080")
    }

    @Test func writtenAddressesAreReadBackAndMatchTheSystem() throws {
        var generator = SeededGenerator(seed: 5952)
        for _ in 0..<20_000 {
            let address = IPAddress.random(using: &generator)
            try #require(IPAddress(parsing: address.text) == address)
            try #require(SystemAddresses.parse(address.text) == address)
            if case .v6(let v6) = address, v6.bits >> 32 == 0xFFFF_0000 { continue }
            try #require(address.text == SystemAddresses.text(address))
        }
    }

    @Test func mutatedAddressesAreReadAsByTheSystem() throws {
        var generator = SeededGenerator(seed: 4291)
        var valid = 0
        for round in 0..<60_000 {
            let text: String
            if round.isMultiple(of: 3) {
                text = String(
                    (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                        "0123456789abcdefF:::..gx ".randomElement(using: &generator) ?? ":"
                    })
            } else {
                text = IPAddress.random(using: &generator).spelled(using: &generator).mutated(using: &generator)
            }
            let ours = IPAddress(parsing: text)
            if ours != nil { valid += 1 }
            try #require(ours == SystemAddresses.parse(text), "\(text)")
        }
        #expect(valid > 10_000)
    }
}

extension IPAddress {
    /// A random address with many zeros, and sometimes a prefix with an embedded IPv4 address.
    static func random(using generator: inout SeededGenerator) -> IPAddress {
        if Int.random(in: 0..<4, using: &generator) == 0 {
            return .v4(IPv4Address(bits: .random(in: .min ... .max, using: &generator)))
        }
        var bits: UInt128 = 0
        for _ in 0..<8 {
            let group: UInt16 = Bool.random(using: &generator) ? 0 : .random(in: .min ... .max, using: &generator)
            bits = bits << 16 | UInt128(group >> UInt16.random(in: 0...15, using: &generator))
        }
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: bits &= 0xFFFF_FFFF
        case 1: bits = bits & 0xFFFF_FFFF | 0xFFFF << 32
        case 2: bits = bits & 0xFFFF_FFFF | 0xFFFF << 48
        default: break
        }
        return .v6(IPv6Address(bits: bits))
    }

    /// The canonical text, or the eight groups in full.
    func spelled(using generator: inout SeededGenerator) -> String {
        guard case .v6(let address) = self, Bool.random(using: &generator) else { return text }
        return stride(from: 112, through: 0, by: -16)
            .map { String(UInt16(truncatingIfNeeded: address.bits >> UInt128($0)), radix: 16) }.joined(separator: ":")
    }
}

extension String {
    /// The text with up to two characters changed, removed or inserted.
    func mutated(using generator: inout SeededGenerator) -> String {
        var characters = Array(self)
        for _ in 0..<Int.random(in: 0...2, using: &generator) where !characters.isEmpty {
            let place = Int.random(in: 0..<characters.count, using: &generator)
            let character = "0123456789abcdefABCDEF::..gx".randomElement(using: &generator) ?? ":"
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: characters[place] = character
            case 1: characters.remove(at: place)
            default: characters.insert(character, at: place)
            }
        }
        return String(characters)
    }
}
