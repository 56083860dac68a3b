@testable import ConnectAPI
import NetworkTypes
import Testing

/// Which ICMP senders may be shown if the prober's own network must be hidden.
@Suite struct ICMPSenderTests {
    @Test(arguments: [
        ("8.8.4.4", true), ("2606:4700::1", true), ("10.0.0.1", false), ("192.168.1.1", false), ("100.64.0.1", false),
        ("169.254.0.1", false), ("127.0.0.1", false), ("0.0.0.0", false), ("fd00::1", false), ("fe80::1", false),
        ("::1", false), ("::ffff:10.0.0.1", false), ("64:ff9b::a00:1", false), ("2002:a00:1::1", false),
        ("64:ff9b::808:808", true),
    ])
    func `only public addresses are shown`(text: String, isShown: Bool) throws {
        let address = try #require(IPAddress(parsing: text))
        let message = ICMPMessage(family: address.family, type: 3, code: 13, from: address)
        #expect(message.isFromInternet == isShown)
    }
}
