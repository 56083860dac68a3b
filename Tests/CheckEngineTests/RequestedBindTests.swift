@testable import CheckEngine
import CheckModel
import ErrorCatalogue
import Testing

@Suite struct RequestedBindTests {
    @Test func aRequestedBindNamesItsMembers() {
        var options = BindOptions()
        #expect(Circumstances.RequestedBind(options).isEmpty)
        options.port = 0
        #expect(Circumstances.RequestedBind(options).isEmpty)
        options.port = 7
        options.interface = "eth1"
        #expect(Circumstances.RequestedBind(options) == [.port, .interface])
    }
}
