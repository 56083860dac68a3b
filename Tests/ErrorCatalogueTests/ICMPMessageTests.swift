@testable import ErrorCatalogue
@testable import NetworkTypes
import Testing

@Suite struct ICMPMessageTests {
    static let router = IPAddress.v4(IPv4Address(bits: 0x0A00_0001))
    static let target = IPAddress.v4(IPv4Address(bits: 0x0A00_0007))
    static let own = IPAddress.v4(IPv4Address(bits: 0x0A00_0009))

    static func message(
        _ type: UInt8, _ code: UInt8, _ family: AddressFamily = .ipv4, from: IPAddress = router
    ) -> ICMPMessage {
        ICMPMessage(family: family, type: type, code: code, from: from)
    }

    @Test(arguments: [
        (3, 0, "network unreachable"), (3, 1, "host unreachable"), (3, 2, "protocol unreachable"),
        (3, 3, "port unreachable"), (3, 4, "fragmentation needed"), (3, 7, "destination host unknown"),
        (3, 9, "network administratively prohibited"), (3, 10, "host administratively prohibited"),
        (3, 13, "administratively prohibited"), (3, 15, "precedence cutoff in effect"),
        (3, 16, "destination unreachable, code 16"), (4, 0, "source quench"), (11, 0, "time exceeded in transit"),
        (11, 1, "fragment reassembly time exceeded"), (12, 0, "parameter problem"), (42, 1, "type 42, code 1"),
    ])
    func meaningsOverIPv4(type: Int, code: Int, meaning: String) {
        #expect(Self.message(UInt8(type), UInt8(code)).meaning == meaning)
    }

    @Test(arguments: [
        (1, 0, "no route to destination"), (1, 1, "administratively prohibited"), (1, 3, "address unreachable"),
        (1, 4, "port unreachable"), (1, 5, "source address failed ingress or egress policy"),
        (1, 6, "reject route to destination"), (1, 99, "destination unreachable, code 99"), (2, 0, "packet too big"),
        (3, 0, "time exceeded in transit"), (4, 1, "unrecognized next header"), (128, 0, "type 128, code 0"),
    ])
    func meaningsOverIPv6(type: Int, code: Int, meaning: String) {
        #expect(Self.message(UInt8(type), UInt8(code), .ipv6).meaning == meaning)
    }

    @Test func everyTypeAndCodeHasAMeaning() {
        for family in AddressFamily.allCases {
            for type in UInt8.min...UInt8.max {
                for code in UInt8.min...UInt8.max {
                    #expect(!Self.message(type, code, family).meaning.isEmpty)
                }
            }
        }
    }

    @Test func isProhibitedMatchesExactlyTheProhibitions() {
        func prohibited(_ family: AddressFamily) -> [[UInt8]] {
            var found: [[UInt8]] = []
            for type in UInt8.min...UInt8.max {
                for code in UInt8.min...UInt8.max where Self.message(type, code, family).isProhibited {
                    found.append([type, code])
                }
            }
            return found
        }
        #expect(prohibited(.ipv4) == [[3, 9], [3, 10], [3, 13]])
        #expect(prohibited(.ipv6) == [[1, 1], [1, 5], [1, 6]])
    }

    @Test func theSenderIsTheTargetTheProberOrAnIntermediateHost() {
        func sender(_ from: IPAddress) -> ICMPSender {
            Self.message(3, 3, from: from).sender(destination: Self.target) { $0 == Self.own }
        }
        #expect(sender(Self.target) == .target)
        #expect(sender(Self.own) == .prober)
        #expect(sender(Self.router) == .intermediate)
    }

    @Test func aMessageFromALocalTargetIsFromTheTarget() {
        let message = Self.message(3, 3, from: Self.own)
        #expect(message.sender(destination: Self.own) { _ in true } == .target)
    }

    @Test func theTargetIsRecognizedDespiteZonesAndMappedAddresses() {
        let mapped = IPAddress.v6(IPv6Address(bits: 0xFFFF_0A00_0007))
        #expect(Self.message(3, 3, from: Self.target).sender(destination: mapped) { _ in false } == .target)
        let linkLocal = UInt128(0xFE80) << 112 | 1
        let message = Self.message(1, 4, .ipv6, from: .v6(IPv6Address(bits: linkLocal)))
        let zoned = IPAddress.v6(IPv6Address(bits: linkLocal, zone: "eth0"))
        #expect(message.sender(destination: zoned) { _ in false } == .target)
    }
}
