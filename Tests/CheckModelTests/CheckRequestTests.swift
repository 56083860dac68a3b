import CheckModel
import NetworkTypes
import Testing

@Suite struct CheckRequestTests {
    @Test func onlyTLSTargetsHaveAHandshakeByDefault() throws {
        #expect(CheckRequest(target: try Target(parsing: "tls://h:443")).tls == TLSOptions())
        #expect(CheckRequest(target: try Target(parsing: "tcp://h:443")).tls == nil)
    }
}
