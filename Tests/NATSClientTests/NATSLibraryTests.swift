import Testing

@testable import NATSClient

@Suite struct NATSLibraryTests {
    @Test func loads() throws {
        let first = try NATSLibrary.load()
        #expect(try NATSLibrary.load() == first)
    }
}
