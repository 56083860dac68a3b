import NetworkTypes
import Testing

@Suite struct AddressRangeTests {
    @Test(arguments: [
        ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "255.1.2.3", true),
        ("0.0.0.0/0", "::1", false), ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.0/31", "192.0.2.1", true), ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::", false),
        ("::/0", "ff02::1", true), ("::/0", "1.2.3.4", false), ("::1", "::1", true),
        ("fe80::/10", "fe80::1%eth0", true),
        ("::ffff:0:0/96", "1.2.3.4", false), ("2001:db8::/127", "2001:db8::1", true),
        ("2001:db8::/127", "2001:db8::2", false),
    ])
    func aBlockContainsAddressesWithItsPrefix(_ range: String, address: String, isInside: Bool) throws {
        let address = try #require(IPAddress(parsing: address))
        #expect(try AddressRange(parsing: range).contains(address) == isInside)
    }

    @Test(arguments: [
        "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.1/8",
        "10/8",
        "::/129", "::1/64", "fe80::1%eth0", "fe80::%eth0/10", "localhost/8", "10.0.0.0/8 ", "10.0.0.0/255.0.0.0",
        "1.2.3.4/0",
        "10.0.0.0/1000",
    ])
    func refusesInvalidBlocks(_ text: String) {
        #expect(throws: AddressRangeError.self) { try AddressRange(parsing: text) }
    }

    @Test func aBareAddressIsABlockOfOneAddress() throws {
        #expect(try AddressRange(parsing: "10.1.2.3").text == "10.1.2.3/32")
        #expect(try AddressRange(parsing: "2001:DB8::").text == "2001:db8::/128")
        #expect(try AddressRange(parsing: "::1").isSingleAddress)
        #expect(try !AddressRange(parsing: "10.0.0.0/31").isSingleAddress)
    }

    @Test func theMessageShowsAnExcerptOfTheText() {
        let long = String(repeating: "a", count: 1000)
        for (text, shown) in [("a\nb/8", "a\\nb/8"), (long, long.prefix(63) + "…"), ("::/1\u{1B}", "::/1\\u{1B}")] {
            do throws(AddressRangeError) {
                _ = try AddressRange(parsing: text)
            } catch {
                #expect(error.detail.contains("\"\(shown)\""))
            }
        }
    }

    @Test func theMessageSuggestsTheBlock() {
        #expect(throws: AddressRangeError.self) { try AddressRange(parsing: "10.1.2.3/8") }
        do {
            _ = try AddressRange(parsing: "10.1.2.3/8")
        } catch {
            #expect(error.detail == "10.1.2.3/8 has bits set after its prefix: write 10.0.0.0/8")
        }
    }
}
