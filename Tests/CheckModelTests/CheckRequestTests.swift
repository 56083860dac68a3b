import CheckModel
import NetworkTypes
import Testing

@Suite struct CheckRequestTests {
    @Test func onlyTLSTargetsHaveAHandshakeByDefault() throws {
        #expect(CheckRequest(target: try Target(parsing: "tls://h:443")).tls == TLSOptions())
        #expect(CheckRequest(target: try Target(parsing: "tcp://h:443")).tls == nil)
    }

    @Test func onlyQUICTargetsHaveAPresetByDefault() throws {
        #expect(CheckRequest(target: try Target(parsing: "quic://h:443")).preset == .quic)
        #expect(CheckRequest(target: try Target(parsing: "udp://h:443")).preset == nil)
    }

    /// It is in the bytes between two members that were there before.
    @Test func aPresetNeedsNoRoomInARequest() throws {
        let socket = try #require(MemoryLayout<CheckRequest>.offset(of: \.socket))
        let preset = try #require(MemoryLayout<CheckRequest>.offset(of: \.preset))
        let tls = try #require(MemoryLayout<CheckRequest>.offset(of: \.tls))
        let end = socket + MemoryLayout<SocketOptions>.size
        #expect(preset == end)
        #expect(tls == (end + 7) / 8 * 8)
    }
}
